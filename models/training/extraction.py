"""From the content of a corpus's examples to features, through the extractors that the daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.training.corpora import CorpusError
from models.training.features import Features
from stream.messages import Float32Array, Uint8Array
from stream.windows import seconds_to_ns

FILM_HZ = 10
"""Vectors a second of a video's face, each of the first frame of its tenth of a second."""

_LONGEST_FILM_S = 600
_FACE_SIDE = 224
_FACE_PADDING = 0.4  # of the side, on each side
_GREY = (128, 128, 128)


@dataclass(frozen=True)
class FaceExtraction:
    """The face in a still, or the first face of a video ten times a second.

    A still is padded with grey and enlarged, so that the detector finds a tightly cut face.

    Attributes:
        model: The Face Landmarker.
        mirrored: Whether pictures are flipped left to right first.
    """

    model: Path
    mirrored: bool = False
    dtype: str = "float32"

    @property
    def layout(self) -> str:
        """Name of the layout and view."""
        from models.extractors.face_geometry import SPEC  # noqa: PLC0415

        return f"{SPEC.name}-mirrored" if self.mirrored else SPEC.name

    @contextmanager
    def open(self) -> Iterator[Callable[[bytes], Features]]:
        """Give the function that extracts: no vector where no face is found.

        Of a video `speech` is 0, and the vector all zeros, where no face was found.
        """
        from models.extractors.face import StillFaceExtractor  # noqa: PLC0415

        extractor = StillFaceExtractor(self.model)

        def extract(content: bytes) -> Features:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
            if image is None:
                return _film_features(content, self.model, mirrored=self.mirrored)
            faces = extractor.extract(padded_still(np.asarray(image, np.uint8), mirrored=self.mirrored))
            vectors = np.zeros((0, extractor.spec.dim), np.float32)
            if faces:
                vectors = np.asarray(faces[0].vector[None], np.float32)
            return Features(vectors, np.ones(len(vectors), np.float32))

        try:
            yield extract
        finally:
            extractor.close()


def _film_features(content: bytes, model: Path, *, mirrored: bool) -> Features:
    from models.extractors.face import FaceExtractor  # noqa: PLC0415
    from models.training.decoding import decode_frames  # noqa: PLC0415 - soundfile comes with `train`

    extractor = FaceExtractor(model, max_faces=1)
    found: dict[int, Float32Array] = {}
    bins = 0
    try:
        for time_s, image in decode_frames(content):
            own = int(time_s * FILM_HZ)
            if own < bins:
                continue
            bins = own + 1
            if bins > _LONGEST_FILM_S * FILM_HZ:
                raise CorpusError(f"it is longer than {_LONGEST_FILM_S} s; cut it into clips of one emotion")
            seen = np.ascontiguousarray(image[:, ::-1]) if mirrored else image
            faces = extractor.extract(seen, seconds_to_ns(time_s))
            if faces:
                found[own] = faces[0].vector
    finally:
        extractor.close()
    bins = bins if found else 0
    vectors, speech = np.zeros((bins, extractor.spec.dim), np.float32), np.zeros(bins, np.float32)
    for own, vector in found.items():
        vectors[own], speech[own] = vector, 1
    return Features(vectors, speech)


def padded_still(image: Uint8Array, *, mirrored: bool = False) -> Uint8Array:
    """Return `[H, W, 3]` with 40 % of its side added in grey all round, as `[224, 224, 3]`."""
    if mirrored:
        image = image[:, ::-1]
    rows, columns = (round(side * _FACE_PADDING) for side in image.shape[:2])
    padded = cv2.copyMakeBorder(image, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=_GREY)
    return np.asarray(cv2.resize(padded, (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class ClipExtraction:
    """The voice in an audio clip, 20 vectors a second, not yet normalised per speaker.

    Attributes:
        vad: The voice activity network.
    """

    vad: Path
    dtype: str = "float32"

    @property
    def layout(self) -> str:
        """Name of the layout."""
        from models.extractors.voice_layout import SPEC  # noqa: PLC0415

        return SPEC.name

    @contextmanager
    def open(self) -> Iterator[Callable[[bytes], Features]]:
        """Give the function that extracts."""
        from models.extractors.voice import VoiceExtractor  # noqa: PLC0415
        from models.training.decoding import decode_audio  # noqa: PLC0415 - soundfile comes with `train`

        extractor = VoiceExtractor(self.vad)

        def extract(content: bytes) -> Features:
            samples = decode_audio(content)
            extractor.reset()
            chunk = extractor.extract(samples, 0)
            if not len(chunk.vectors):
                raise CorpusError(f"it holds {len(samples)} samples of sound, too short for a feature")
            return Features(chunk.vectors, chunk.speech)

        yield extract


@dataclass(frozen=True)
class CommentExtraction:
    """The words of a comment, each with its vector in an embedding space.

    Attributes:
        space: The embedding space.
        heard: Whether the words are reduced to what a transcriber would write: lower case, no punctuation.
    """

    space: str
    heard: bool = False
    dtype: str = "float16"

    @property
    def layout(self) -> str:
        """Name of the layout and view."""
        return f"text-{self.space}@1-heard" if self.heard else f"text-{self.space}@1"

    @contextmanager
    def open(self) -> Iterator[Callable[[bytes], Features]]:
        """Give the function that extracts: a vector for each word that the space knows."""
        from models.embeddings import open_space  # noqa: PLC0415 - opens ONNX Runtime

        space = open_space(self.space)

        def extract(content: bytes) -> Features:
            vectors: Float32Array = space.utterance(comment_words(content.decode(), heard=self.heard))
            known = vectors[vectors.any(axis=1)]
            return Features(known, np.ones(len(known), np.float32))

        yield extract


def comment_words(text: str, *, heard: bool = False) -> list[str]:
    """Return the words of `text`, split at white space; `heard` as a transcriber would write them."""
    if not heard:
        return text.split()
    letters = "".join(c if c.isalnum() or c == "'" else " " for c in text.replace("’", "'").lower())
    return [word for word in letters.split() if any(c.isalnum() for c in word)]
