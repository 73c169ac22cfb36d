"""Whisper on stretches of speech: words every few seconds while they are said, and again at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from models.extractors.transcript import TranscriptError, TranscriptSettings
from models.extractors.transcript.segments import Segment, SpeechSegmenter
from stream.messages import SAMPLE_RATE_HZ, Float32Array, Int16Array, Utterance, Word
from stream.windows import NS_PER_S

_GAP_NS = 20_000_000
_FRAMES_PER_S = 100
_TAIL_S = 4.0
"""Silence that the encoder sees after the longest utterance."""
_SILENT = 0.6
_UNSURE = -1.0


class WhisperTranscriber:
    """faster-whisper, decoded greedily, so that the same audio gives the same words."""

    engine = "whisper"

    def __init__(self, folder: Path, vad: Path, settings: TranscriptSettings) -> None:
        """Load the CTranslate2 model in `folder` and the Silero network `vad`.

        Raises:
            TranscriptError: the model cannot be loaded.
        """
        context_s = settings.max_utterance_s + _TAIL_S
        self._model = _load(folder, settings.threads, frames=round(context_s * _FRAMES_PER_S))
        self._blas = ThreadpoolController()
        self._language = settings.language
        self._interim_samples = round(settings.interim_s * SAMPLE_RATE_HZ)
        self._segmenter = SpeechSegmenter(vad, silence_s=settings.silence_s, max_s=settings.max_utterance_s)
        self._transcribed_samples = 0
        self._heard_ns: int | None = None

    def accept(self, samples: Int16Array, time_ns: int) -> list[Utterance]:
        """See `Transcriber.accept`."""
        start_ns = time_ns - len(samples) * NS_PER_S // SAMPLE_RATE_HZ
        lost = []
        if self._heard_ns is not None and abs(start_ns - self._heard_ns) > _GAP_NS:
            lost = self.finish()
        self._heard_ns = time_ns
        closed = self._segmenter.accept(samples, time_ns)
        if closed is not None:
            self._transcribed_samples = 0
            return [*lost, self._transcribe(closed)]
        segment = self._segmenter.open_segment()
        if segment is None or len(segment.samples) - self._transcribed_samples < self._interim_samples:
            return lost
        self._transcribed_samples = len(segment.samples)
        return [*lost, self._transcribe(segment)]

    @property
    def speaking(self) -> bool:
        """See `Transcriber.speaking`."""
        return self._segmenter.open_segment() is not None

    def finish(self) -> list[Utterance]:
        """See `Transcriber.finish`."""
        segment = self._segmenter.close()
        self._segmenter.reset()
        self._transcribed_samples = 0
        return [] if segment is None else [self._transcribe(segment)]

    def _transcribe(self, segment: Segment) -> Utterance:
        audio = segment.samples.astype(np.float32) / np.float32(32768)
        # How numpy spreads its sums over threads moves log-mels by a rounding error, which can change a word.
        with self._blas.limit(limits=1, user_api="blas"):
            pieces, _ = self._model.transcribe(
                audio,
                language=self._language,
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                # Without these two, unclear speech can send the decoder round in circles for seconds.
                no_repeat_ngram_size=5,
                max_new_tokens=round(12 + 8 * len(audio) / SAMPLE_RATE_HZ),
            )
            pieces = list(pieces)
        words = [
            _word(word, segment)
            for piece in pieces
            if piece.no_speech_prob < _SILENT or piece.avg_logprob > _UNSURE
            for word in piece.words or ()
            if any(letter.isalnum() for letter in word.word)
        ]
        return Utterance(id=segment.start_ns // 1_000_000, final=segment.closed, words=words)


def _word(word: Any, segment: Segment) -> Word:
    latest_ns = segment.start_ns + len(segment.samples) * NS_PER_S // SAMPLE_RATE_HZ
    start_ns = min(segment.start_ns + round(float(word.start) * NS_PER_S), latest_ns)
    return Word(
        text=word.word.strip(),
        start_ns=start_ns,
        end_ns=max(start_ns, min(segment.start_ns + round(float(word.end) * NS_PER_S), latest_ns)),
        confidence=min(1.0, max(0.0, float(word.probability))),
    )


def _load(folder: Path, threads: int, frames: int) -> Any:
    # faster-whisper takes a second to import, and only this engine needs it.
    from faster_whisper import WhisperModel  # noqa: PLC0415

    class ShortContextModel(WhisperModel):  # type: ignore[misc]  # the library has no types
        """Encodes what an utterance can fill instead of 30 s, which costs a third."""

        def encode(self, features: Float32Array) -> Any:
            return super().encode(features[:, :frames])

    if not (folder / "model.bin").is_file():
        raise TranscriptError(f"{folder}: holds no Whisper model for CTranslate2 (no model.bin)")
    try:
        return ShortContextModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise TranscriptError(
            f"{folder}: the Whisper model cannot be loaded ({error}); run `emostream assets verify`"
        ) from error
