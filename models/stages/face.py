"""Frames to faces."""

from __future__ import annotations

from models.assets import asset_path
from models.bundle import Bundle
from models.extractors.face import FaceExtractor
from models.extractors.face_tracks import ScoredRule, choose_scored
from stream.config import Config
from stream.messages import AnyMessage, End, FaceFeatures, Frame, MessageError


class FaceStage:
    """Frames to faces."""

    def __init__(self, extractor: FaceExtractor, scored: ScoredRule) -> None:
        self._extractor = extractor
        self._rule = scored
        self._scored: int | None = None

    def accept(self, message: AnyMessage, dropped: int) -> list[AnyMessage]:
        """See `Stage.accept`."""
        if isinstance(message, End):
            return [message]
        if not isinstance(message, Frame) or message.image.ndim != 3 or message.image.shape[2] != 3:
            raise MessageError(f"{type(message).__name__} is not a frame of [height, width, 3]")
        faces = self._extractor.extract(message.image, message.time_ns)
        self._scored = choose_scored(faces, self._rule, self._scored)
        return [
            FaceFeatures(
                source=message.source,
                time_ns=message.time_ns,
                spec=self._extractor.spec.name,
                through_ns=message.next_ns - 1,
                faces=faces,
                scored=self._scored,
                dropped=dropped,
            )
        ]

    def close(self) -> None:
        """Free the extractor's model."""
        self._extractor.close()


def open_face_stage(config: Config, bundle: Bundle) -> FaceStage:
    """Load the face extractor.

    Raises:
        AssetError: its model is missing.
        BundleError: the bundle was trained on another layout.
    """
    bundle.check_specs([FaceExtractor.spec])
    extractor = FaceExtractor(asset_path("face_landmarker"), max_faces=config.face.max_faces)
    return FaceStage(extractor, config.face.scored)
