"""Speech to words: two engines behind one protocol, and the choice between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from models.assets import AssetError, asset_path
from stream.errors import UserError
from stream.messages import Int16Array, Utterance


class TranscriptError(UserError):
    """A speech model that cannot be used."""


class Transcriber(Protocol):
    """Turns audio into utterances; the same audio in the same chunks gives the same utterances."""

    engine: str
    """`vosk` or `whisper`."""

    @property
    def speaking(self) -> bool:
        """Whether an utterance is open: words of it would be lost if nothing more came."""

    def accept(self, samples: Int16Array, time_ns: int) -> list[Utterance]:
        """Return what changed after hearing one more chunk; usually nothing.

        Args:
            samples: `[n]` at 16 kHz, following those of the call before.
            time_ns: capture time of the end of the last sample.
        """

    def finish(self) -> list[Utterance]:
        """Return the final form of what is still open: the audio has ended."""


@dataclass(frozen=True)
class TranscriptSettings:
    """What the configuration says of the transcriber."""

    engine: Literal["auto", "vosk", "whisper"] = "auto"
    vosk_model: str = "vosk-small-en"
    """Asset name or folder."""
    whisper_model: str = "whisper-tiny-en"
    """Asset name or folder."""
    language: str = "en"
    interim_s: float = 2.0
    """Whisper transcribes an open utterance anew after this much more audio."""
    threads: int = 1
    """CPU threads of Whisper."""
    silence_s: float = 0.5
    """Silence after speech that ends an utterance."""
    start_silence_s: float = 5.0
    """Silence before any speech after which Vosk starts anew."""
    max_utterance_s: float = 12.0
    """Longest utterance."""


@dataclass(frozen=True)
class OpenedTranscriber:
    """A transcriber, and why it is this one."""

    transcriber: Transcriber
    reason: str
    """One line for the log and for `health`."""


def open_transcriber(settings: TranscriptSettings) -> OpenedTranscriber:
    """Open the engine that `settings` asks for; `auto` prefers Vosk where its model is.

    Raises:
        AssetError: no model is there; the text says how to fetch one.
        TranscriptError: a model is broken.
    """
    if settings.engine == "vosk":
        return _open_vosk(settings, model_path(settings.vosk_model), "as configured")
    if settings.engine == "whisper":
        return _open_whisper(settings, model_path(settings.whisper_model), "as configured")
    try:
        vosk = model_path(settings.vosk_model)
    except AssetError:
        vosk = None
    if vosk is not None:
        return _open_vosk(settings, vosk, "its model is there")
    try:
        whisper = model_path(settings.whisper_model)
    except AssetError as error:
        raise AssetError(
            f"no speech model is there, neither {settings.vosk_model} nor {settings.whisper_model}; run "
            f"`emostream assets fetch {settings.whisper_model}`, or set `transcript.engine: off`"
        ) from error
    return _open_whisper(settings, whisper, f"Vosk's model {settings.vosk_model} is not there")


def model_path(name: str) -> Path:
    """Return the folder of a model given as an asset's name or as a path.

    Raises:
        AssetError: the asset is unknown or has not been fetched.
        TranscriptError: the path is not a folder.
    """
    if "/" not in name:
        return asset_path(name)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise TranscriptError(
            f"{folder}: no such folder; name a model's folder, or an asset of `assets list`"
        )
    return folder


# The engines are imported when they are opened: each brings a large library along.
def _open_vosk(settings: TranscriptSettings, folder: Path, why: str) -> OpenedTranscriber:
    from models.extractors.transcript.vosk import VoskTranscriber  # noqa: PLC0415

    return OpenedTranscriber(VoskTranscriber(folder, settings), f"Vosk, {folder.name} ({why})")


def _open_whisper(settings: TranscriptSettings, folder: Path, why: str) -> OpenedTranscriber:
    from models.extractors.transcript.whisper import WhisperTranscriber  # noqa: PLC0415

    vad = asset_path("silero-vad")
    return OpenedTranscriber(WhisperTranscriber(folder, vad, settings), f"Whisper, {folder.name} ({why})")
