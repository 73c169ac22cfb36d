"""Vosk: words as they are being said, with times and confidences, from partial and final results."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from models.extractors.transcript import TranscriptError, TranscriptSettings
from stream.messages import SAMPLE_RATE_HZ, Int16Array, Utterance, Word
from stream.windows import NS_PER_S

_GAP_NS = 20_000_000
_WARNINGS_OFF = -2
_WARM_UP_S = 3
_QUIET = 300  # of its noise; as a standard deviation of samples
_DECODING = (
    # Words of a partial result are read off the lattice, which Kaldi determinizes piece by piece. Pieces of
    # up to 60 frames (of 30 ms), its default, let a word be known two seconds after it was said; these halve
    # that.
    "--determinize-max-delay=20",
    "--determinize-min-chunk-size=10",
    # Frames (of 10 ms) that are decoded at once. With 20, its default, audio waits for others first, and then
    # holds up what follows, by half a second where words are new to the decoding graph.
    "--frames-per-chunk=6",
)


class VoskTranscriber:
    """A Kaldi recogniser; the language is its model's."""

    engine = "vosk"

    def __init__(self, folder: Path, settings: TranscriptSettings) -> None:
        """Load the model in `folder`.

        Raises:
            TranscriptError: the model cannot be loaded.
        """
        # Vosk logs through C to standard error unless told not to before a model loads.
        import vosk  # noqa: PLC0415

        vosk.SetLogLevel(_WARNINGS_OFF)
        self._recognizer = vosk.KaldiRecognizer(_load(vosk, folder, settings), SAMPLE_RATE_HZ)
        self._recognizer.SetWords(True)
        self._recognizer.SetPartialWords(True)
        self._origin_ns: int | None = None
        """Capture time from which the recogniser's word times count; `None` where nothing is open."""
        self._heard = 0
        """Samples that the recogniser has ever heard: it counts time by them, over gaps as well."""
        self._heard_ns = 0
        self._utterance_ns = 0
        self._last: list[Word] = []
        self._compose()

    def accept(self, samples: Int16Array, time_ns: int) -> list[Utterance]:
        """See `Transcriber.accept`."""
        start_ns = time_ns - len(samples) * NS_PER_S // SAMPLE_RATE_HZ
        lost = []
        if self._origin_ns is not None and abs(start_ns - self._heard_ns) > _GAP_NS:
            lost = self.finish()
        if self._origin_ns is None:
            self._utterance_ns = start_ns
            self._origin_ns = start_ns - self._heard * NS_PER_S // SAMPLE_RATE_HZ
        self._heard += len(samples)
        self._heard_ns = time_ns
        if self._recognizer.AcceptWaveform(samples.tobytes()):
            final = self._final(json.loads(self._recognizer.Result()))
            self._utterance_ns = time_ns
            return [*lost, *final]
        words = self._words(json.loads(self._recognizer.PartialResult()).get("partial_result", []))
        if words == self._last:
            return lost
        self._last = words
        return [*lost, Utterance(id=self._utterance_ns // 1_000_000, final=False, words=words)]

    @property
    def speaking(self) -> bool:
        """See `Transcriber.speaking`."""
        return bool(self._last)

    def finish(self) -> list[Utterance]:
        """See `Transcriber.finish`."""
        if self._origin_ns is None:
            return []
        # The same recogniser goes on: it keeps what it has composed of the decoding graph. Without that a new
        # one takes over a second for its first words.
        final = self._final(json.loads(self._recognizer.FinalResult()))
        self._origin_ns = None
        return final

    def _compose(self) -> None:
        """Have the root of the decoding graph composed now: speech that came first would wait for it."""
        noise = np.random.default_rng(0).normal(0, _QUIET, _WARM_UP_S * SAMPLE_RATE_HZ)
        self.accept(noise.astype(np.int16), 0)
        self.finish()

    def _final(self, result: dict[str, Any]) -> list[Utterance]:
        words = self._words(result.get("result", []))
        changed = bool(words or self._last)
        self._last = []
        return [Utterance(id=self._utterance_ns // 1_000_000, final=True, words=words)] if changed else []

    def _words(self, found: list[dict[str, Any]]) -> list[Word]:
        origin_ns = self._origin_ns or 0
        return [
            Word(
                text=word["word"],
                start_ns=origin_ns + round(word["start"] * NS_PER_S),
                end_ns=min(self._heard_ns, origin_ns + round(word["end"] * NS_PER_S)),
                confidence=min(1.0, max(0.0, word.get("conf", 1.0))),
            )
            for word in found
            if word["word"] != "[unk]"
        ]


def _load(vosk: Any, folder: Path, settings: TranscriptSettings) -> Any:
    """Load the model with options of ours, which Vosk takes from the model's folder alone."""
    if not (folder / "am").is_dir() and not (folder / "final.mdl").is_file():
        raise TranscriptError(f"{folder}: holds no Vosk model (no am/final.mdl)")
    options = (
        *_DECODING,
        f"--endpoint.rule1.min-trailing-silence={settings.start_silence_s}",
        *(f"--endpoint.rule{rule}.min-trailing-silence={settings.silence_s}" for rule in (2, 3, 4)),
        f"--endpoint.rule5.min-utterance-length={settings.max_utterance_s}",
    )
    with tempfile.TemporaryDirectory(prefix="emostream-vosk-") as scratch:
        altered = Path(scratch)
        for part in folder.iterdir():
            if part.name != "conf":
                (altered / part.name).symlink_to(part.absolute())
        (altered / "conf").mkdir()
        for part in (folder / "conf").glob("*"):
            (altered / "conf" / part.name).write_bytes(part.read_bytes())
        with (altered / "conf" / "model.conf").open("a") as conf:
            conf.write("\n" + "\n".join(options) + "\n")
        try:
            return vosk.Model(str(altered))
        except Exception as error:  # Vosk raises nothing narrower
            raise TranscriptError(
                f"{folder}: the Vosk model cannot be loaded; run `emostream assets verify`"
            ) from error
