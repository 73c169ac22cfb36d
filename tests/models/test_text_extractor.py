"""Heard words to vectors, and what happens when the transcriber changes its mind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.embeddings import open_space
from models.extractors.text import TextExtractor
from stream.messages import TextFeatures, Utterance, Word, decode, encode


def heard(text: str, *, number: int = 0, final: bool = False) -> Utterance:
    words = [
        Word(text=word, start_ns=i * 300_000_000, end_ns=(i + 1) * 300_000_000, confidence=0.9)
        for i, word in enumerate(text.split())
    ]
    return Utterance(id=number, final=final, words=words)


@pytest.fixture(scope="module", params=["minilm-l6", "glove-6b-50d"])
def extractor(request: pytest.FixtureRequest, asset: Callable[[str], Path]) -> TextExtractor:
    return TextExtractor(open_space(request.param, asset(request.param)))


def test_the_layout_is_named_after_the_space(extractor: TextExtractor) -> None:
    assert extractor.spec.name in ("text-minilm-l6@1", "text-glove-6b-50d@1")
    assert extractor.spec.modality == "text"
    assert extractor.spec.dim in (384, 50)


def test_each_word_keeps_its_times_and_gets_a_vector(extractor: TextExtractor) -> None:
    said = heard("what a lovely day", number=7, final=True)
    (extracted,) = extractor.extract([said])
    assert (extracted.id, extracted.final, extracted.words) == (7, True, said.words)
    assert extracted.vectors.shape == (4, extractor.spec.dim)
    assert np.abs(extracted.vectors).sum(axis=1).min() > 0


def test_an_utterance_that_was_taken_back_has_no_vectors(extractor: TextExtractor) -> None:
    (extracted,) = extractor.extract([heard("")])
    assert extracted.vectors.shape == (0, extractor.spec.dim)


def test_the_final_form_does_not_depend_on_the_partial_ones(extractor: TextExtractor) -> None:
    extractor.extract([heard("i am")])
    extractor.extract([heard("i am glove lee")])
    (after,) = extractor.extract([heard("i am lovely", final=True)])
    (alone, _) = extractor.extract([heard("i am lovely", final=True), heard("more", number=1)])
    assert np.array_equal(after.vectors, alone.vectors)


def test_what_it_gives_travels(extractor: TextExtractor) -> None:
    features = TextFeatures(
        source="desk",
        time_ns=1,
        spec=extractor.spec.name,
        utterances=extractor.extract([heard("so it goes")]),
    )
    received = decode(encode(features))
    assert isinstance(received, TextFeatures)
    assert np.array_equal(received.utterances[0].vectors, features.utterances[0].vectors)
