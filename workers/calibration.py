"""Learns the neutral points of one source from the features that its workers publish."""

from __future__ import annotations

from pathlib import Path

from models.backends import open_backend
from models.baseline import NeutralPoint, PersonalBaseline
from models.bundle import Bundle
from models.opening import open_bundle, open_bundle_space, open_emotions, open_words
from models.scorer import Scorer
from stream.bus import Inbox
from stream.clock import now_ns
from stream.config import BaselineSection, Config, Source
from stream.messages import MessageError
from stream.public import EmotionMessage
from workers.table import published


class Calibration:
    """Reads along with the inference worker, and learns as it would.

    It publishes nothing, and keeps no feature any longer than a window.

    Raises:
        UserError: the model cannot be opened.
    """

    def __init__(self, config: Config, source: Source, settings: BaselineSection) -> None:
        own = config.model_copy(
            update={
                "sources": (source,),
                "transcript": config.transcript.model_copy(update={"engine": "off"}),
            }
        )
        self.bundle: Bundle = open_bundle(config)
        space = open_bundle_space(self.bundle)
        backend = open_backend(self.bundle)
        self._source = source
        self._baseline = PersonalBaseline(
            settings, self.bundle, open_words(self.bundle, space), hop_s=config.window.hop_s
        )
        emotions = open_emotions(Path(config.vocabulary), space)
        self._scorer = Scorer(own, self.bundle, backend, emotions, baseline=self._baseline)
        self._inbox = Inbox(config.run_folder)
        self.modalities = tuple(name for name in settings.modalities if published(config, name, source))
        """What can be learned of this source."""
        self.newest: EmotionMessage | None = None
        """The newest window, with how far the baseline is and what evidence there was."""
        for topic in self.modalities:
            self._inbox.subscribe(topic, [source.name])

    def step(self) -> None:
        """Take what has come within a tenth of a second."""
        for received in self._inbox.receive(timeout_s=0.1):
            try:
                self._scorer.add(received.message, received.topic)
            except MessageError:
                continue  # the inference worker counts and logs it
        for message in self._scorer.score(now_ns()):
            self.newest = message

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._scorer.ended

    @property
    def learned(self) -> dict[str, NeutralPoint]:
        """The neutral points that are complete, by modality."""
        return self._baseline.learned(self._source.name)

    def close(self) -> None:
        """Stop reading."""
        self._inbox.close()
