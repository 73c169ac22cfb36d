"""The live bundle on real faces that it was not trained on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.backends import Backend, open_backend
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import MODALITIES
from models.embeddings import open_space
from models.extractors.face import FaceExtractor, StillFaceExtractor
from models.extractors.face_geometry import SPEC
from models.media import VideoFrame, read_media
from models.vocabulary_embedding import embed_vocabulary
from stream.config import config_folder
from stream.messages import Float32Array, Uint8Array
from stream.vocabulary import load_vocabulary

LIVE = Path(__file__).resolve().parents[2] / "models" / "bundles" / "live"
SMILE = [SPEC.names.index(f"blendshape_mouthSmile{side}") for side in ("Left", "Right")]
STILLS = {"0-f1-su-ph": "surprise", "0-f15-hao-ph": "joy", "15-f13-anc-ph": "anger", "45-m7-di-ph": "disgust"}
EVERY = 4  # of the demo's frames


class FaceScores:
    """Scores single faces against Ekman's six with nothing but the face present."""

    def __init__(self, space: Path) -> None:
        self.bundle: Bundle = load_bundle(LIVE)
        self.backend: Backend = open_backend(self.bundle)
        vocabulary = load_vocabulary(config_folder() / "vocabularies" / "ekman.yaml")
        self.names = [emotion.name for emotion in vocabulary.emotions]
        self.vectors = embed_vocabulary(vocabulary, open_space(self.bundle.space, space)).vectors

    def distances(self, faces: Float32Array) -> Float32Array:
        """Return `[n, 6]` distances of `[n, D]` faces."""
        shapes = self.bundle.input_shapes()
        inputs = {
            name: np.zeros((len(faces), *(size or 0 for size in shape[1:])), np.float32)
            for name, shape in shapes.items()
        } | {"emotions": self.vectors}
        inputs["face"][:, -1], inputs["face_mask"][:, -1] = faces, 1
        inputs["present"][:, MODALITIES.index("face")] = 1
        return np.asarray(self.backend.run(inputs)["distance"])


@pytest.fixture(scope="module")
def scores(asset: Callable[[str], Path]) -> FaceScores:
    return FaceScores(asset("minilm-l6"))


def test_half_of_the_posed_expressions_are_nearest_to_their_own_word(
    scores: FaceScores, asset: Callable[[str], Path]
) -> None:
    extractor = StillFaceExtractor(asset("face_landmarker"))
    right = []
    for name, emotion in STILLS.items():
        image: Uint8Array = np.asarray(cv2.imread(str(asset("expression-stills") / f"{name}.jpg")), np.uint8)
        (face,) = extractor.extract(image)
        nearest = scores.names[int(scores.distances(face.vector[None])[0].argmin())]
        right.append(nearest == emotion)
    extractor.close()
    assert sum(right) >= 2


def test_smiling_frames_are_nearer_to_joy_than_others(
    scores: FaceScores, asset: Callable[[str], Path]
) -> None:
    extractor = FaceExtractor(asset("face_landmarker"))
    frames = (item for item in read_media(asset("demo-face")) if isinstance(item, VideoFrame))
    found = [
        extractor.extract(frame.image, round(frame.pts_s * 1e9))
        for frame in itertools.islice(frames, 0, None, EVERY)
    ]
    extractor.close()
    faces = np.stack([each[0].vector for each in found if each])
    joy = scores.distances(faces)[:, scores.names.index("joy")]
    smile = faces[:, SMILE].mean(axis=1)
    smiling, not_smiling = joy[smile > 0.5], joy[smile < 0.1]
    assert min(len(smiling), len(not_smiling)) > 5
    assert smiling.mean() < not_smiling.mean()
    assert np.median(smiling) < np.median(not_smiling)
