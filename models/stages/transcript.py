"""Audio to words."""

from __future__ import annotations

from models.extractors.transcript import Transcriber, TranscriptSettings, open_transcriber
from models.stages.audio import samples_of
from stream.config import Config
from stream.messages import AnyMessage, End, Utterance, Words


class TranscriptStage:
    """Audio to words."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber

    def accept(self, message: AnyMessage, dropped: int) -> list[AnyMessage]:
        """See `Stage.accept`."""
        if isinstance(message, End):
            return [self._words(message, self._transcriber.finish(), 0), message]
        utterances = self._transcriber.accept(samples_of(message), message.time_ns)
        return [self._words(message, utterances, dropped)]

    def at_rest(self) -> bool:
        """Return whether no utterance is open."""
        return not self._transcriber.speaking

    @staticmethod
    def _words(message: AnyMessage, utterances: list[Utterance], dropped: int) -> Words:
        return Words(source=message.source, time_ns=message.time_ns, utterances=utterances, dropped=dropped)


def open_transcript_stage(config: Config) -> tuple[TranscriptStage, str]:
    """Load the transcriber; return with it which one it is, and why.

    Raises:
        AssetError: no model is there.
        TranscriptError: a model is broken.
    """
    section = config.transcript
    if section.engine == "off":
        raise ValueError("the configuration asks for no transcriber")
    opened = open_transcriber(
        TranscriptSettings(
            engine=section.engine,
            vosk_model=section.vosk_model,
            whisper_model=section.whisper_model,
            language=section.language,
            interim_s=section.whisper_interim_s,
            threads=section.whisper_threads,
            silence_s=section.endpoint.silence_s,
            start_silence_s=section.endpoint.start_silence_s,
            max_utterance_s=section.endpoint.max_utterance_s,
        )
    )
    return TranscriptStage(opened.transcriber), opened.reason
