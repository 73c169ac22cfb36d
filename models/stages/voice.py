"""Audio to voice vectors, normalised per speaker."""

from __future__ import annotations

from models.assets import asset_path
from models.bundle import Bundle
from models.extractors.speaker import SpeakerNormalizer, SpeakerPrior
from models.extractors.voice import VoiceExtractor
from models.stages.audio import samples_of
from stream.messages import SAMPLE_RATE_HZ, AnyMessage, End, VoiceFeatures
from stream.windows import NS_PER_S

_GAP_NS = 20_000_000


class VoiceStage:
    """Audio to voice vectors, normalised per speaker."""

    def __init__(self, extractor: VoiceExtractor, prior: SpeakerPrior) -> None:
        self._extractor = extractor
        self._normalizer = SpeakerNormalizer(prior)
        self._heard_ns: int | None = None

    def accept(self, message: AnyMessage, dropped: int) -> list[AnyMessage]:
        """See `Stage.accept`."""
        if isinstance(message, End):
            return [message]
        samples = samples_of(message)
        start_ns = message.time_ns - len(samples) * NS_PER_S // SAMPLE_RATE_HZ
        if self._heard_ns is not None and abs(start_ns - self._heard_ns) > _GAP_NS:
            self._extractor.reset()
        self._heard_ns = message.time_ns
        chunk = self._normalizer.normalize(self._extractor.extract(samples, message.time_ns))
        return [
            VoiceFeatures(
                source=message.source,
                time_ns=message.time_ns,
                spec=self._extractor.spec.name,
                times_ns=chunk.times_ns,
                vectors=chunk.vectors,
                speech=chunk.speech,
                dropped=dropped,
            )
        ]


def open_voice_stage(bundle: Bundle) -> VoiceStage:
    """Load the voice extractor.

    Raises:
        AssetError: its model is missing.
        BundleError: the bundle was trained on another layout.
    """
    bundle.check_specs([VoiceExtractor.spec])
    return VoiceStage(VoiceExtractor(asset_path("silero-vad")), bundle.speaker_prior)
