"""Two seconds of feature streams for the live bundle, of random numbers."""

from __future__ import annotations

import numpy as np

from models.bundle import load_bundle
from stream.messages import (
    AnyMessage,
    Face,
    FaceFeatures,
    TextFeatures,
    TextUtterance,
    VoiceFeatures,
    Word,
)
from tests.models.live_windows import LIVE
from workers.bench.recording import Recording

MS = 1_000_000
LENGTH_MS = 2000


def tiny_recording() -> Recording:
    """Return a face at 10 Hz, a voice that always speaks, and a word every half second, each known at once."""
    bundle, random = load_bundle(LIVE), np.random.default_rng(0)
    parts = bundle.modalities
    messages: list[tuple[str, AnyMessage]] = []

    def vector(name: str) -> np.ndarray:
        return random.standard_normal(parts[name].dim).astype(np.float32)

    for at_ms in range(0, LENGTH_MS, 100):
        faces = [Face(track=0, box=(0.0, 0.0, 1.0, 1.0), vector=vector("face"))]
        through_ns, spec = (at_ms + 99) * MS, parts["face"].spec
        messages.append(
            ("face", FaceFeatures(source="clip", time_ns=at_ms * MS, spec=spec, through_ns=through_ns, faces=faces, scored=0))
        )  # fmt: skip
    for at_ms in range(50, LENGTH_MS + 50, 50):
        times, vectors = np.array([at_ms * MS]), vector("voice")[None]
        spec, speech = parts["voice"].spec, np.ones(1, np.float32)
        messages.append(
            ("voice", VoiceFeatures(source="clip", time_ns=at_ms * MS, spec=spec, times_ns=times, vectors=vectors, speech=speech))
        )  # fmt: skip
        said = []
        if at_ms % 500 == 0:
            word = Word(text=".", start_ns=(at_ms - 200) * MS, end_ns=at_ms * MS, confidence=1.0)
            said = [TextUtterance(id=at_ms, final=True, words=[word], vectors=vector("text")[None])]
        spec = parts["text"].spec
        messages.append(("text", TextFeatures(source="clip", time_ns=at_ms * MS, spec=spec, utterances=said)))
    messages.sort(key=lambda item: item[1].time_ns)
    return Recording(messages, LENGTH_MS * MS)
