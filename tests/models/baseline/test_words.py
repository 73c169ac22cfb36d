"""What is known of a bundle's words is carried over to any others, as its own graph would."""

from __future__ import annotations

import numpy as np
import pytest

from models.backends import open_backend
from models.baseline.words import WordOffsets
from models.bundle import Bundle
from models.embeddings import EmbeddingSpace
from models.opening import open_emotions
from stream.config import config_folder
from stream.messages import Float32Array


# Of words trained on nearly all is known; of others, such as `about to give up`, most of it.
@pytest.mark.parametrize(
    ("vocabulary", "least"),
    [("ekman", 0.95), ("plutchik", 0.9), ("iemocap", 0.85), ("ros4hri", 0.7), ("meeting", 0.5)],
)
def test_offsets_of_other_words_are_those_the_graph_gives(  # noqa: PLR0917 - fixtures
    vocabulary: str,
    least: float,
    bundle: Bundle,
    space: EmbeddingSpace,
    words: Float32Array,
    voices: dict[str, Float32Array],
) -> None:
    emotions = open_emotions(config_folder() / "vocabularies" / f"{vocabulary}.yaml", space).vectors
    asked = np.concatenate([emotions, words])
    cosines = 1 - open_backend(bundle).run(voices | {"emotions": asked})["modality_distance"][:, 1]
    # Between any two windows a shift; half of the windows against the other half.
    shifts = cosines[::2] - cosines[1::2]
    found = shifts[:, len(emotions) :] @ WordOffsets(words).of(emotions).T
    unexplained = (
        np.square(found - shifts[:, : len(emotions)]).sum() / np.square(shifts[:, : len(emotions)]).sum()
    )
    assert 1 - unexplained > least


def test_what_is_known_of_a_word_is_said_of_it(words: Float32Array) -> None:
    offsets = np.random.default_rng(0).normal(size=len(words))
    smooth = WordOffsets(words).of(words) @ offsets
    again = WordOffsets(words).of(words) @ smooth
    assert np.corrcoef(smooth, again)[0, 1] > 0.95


def test_no_offset_anywhere_is_none_for_any_word(words: Float32Array) -> None:
    random = np.random.default_rng(1).normal(size=(5, words.shape[1])).astype(np.float32)
    assert not (WordOffsets(words).of(random) @ np.zeros(len(words))).any()
