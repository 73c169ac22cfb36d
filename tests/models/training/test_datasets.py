"""Windows of examples: right-aligned, masked, varied only where they are trained on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from models.extractors.speaker import SPEECH
from models.training.corpora import Example
from models.training.datasets import Clips, Comments, Joined, Stills
from models.training.features import Features, FeatureTable
from models.training.speakers import clip_windows, speaker_prior

ANY_ORDER = partial(np.random.default_rng, 0)


def features(*vectors: list[float]) -> Features:
    rows = np.array(vectors, np.float32).reshape(len(vectors), -1)
    return Features(rows, np.ones(len(rows), np.float32))


def table(*examples: Features) -> FeatureTable:
    starts = np.cumsum([0, *(len(example.vectors) for example in examples)])
    return FeatureTable(
        np.concatenate([e.vectors for e in examples]), np.concatenate([e.speech for e in examples]), starts
    )


def test_stills_are_windows_of_one_frame_drawn_from_both_sides() -> None:
    stills = Stills(
        [features([1, 2]), features([3, 4])],
        [features([-1, 2]), Features(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))],
    )
    values, mask = stills.windows(np.array([1, 0]))
    assert values.tolist() == [[[3, 4]], [[1, 2]]]
    assert mask.tolist() == [[1], [1]]
    drawn, _ = stills.augmented(np.zeros(50, np.int64), np.random.default_rng(0))
    assert set(drawn[:, 0, 0]) == {1, -1}
    unfound, _ = stills.augmented(np.ones(50, np.int64), np.random.default_rng(0))
    assert set(unfound[:, 0, 0]) == {3}, "a face not found in the mirror stands for itself"


def test_comments_keep_their_last_words_on_the_right() -> None:
    comments = Comments([table(features([1], [2], [3]), features([9]))], words=2)
    values, mask = comments.windows(np.array([0, 1]))
    assert values[..., 0].tolist() == [[2, 3], [0, 9]]
    assert mask.tolist() == [[1, 1], [0, 1]]


def test_comment_without_a_known_word_is_an_empty_window() -> None:
    _, mask = Comments(
        [table(features([1]), Features(np.zeros((0, 1), np.float32), np.zeros(0, np.float32)))], words=4
    ).windows(np.array([1]))
    assert mask.tolist() == [[0]]


def test_augmented_clips_lose_evidence_but_never_all_and_the_original_stays() -> None:
    values, mask = np.ones((8, 40, 5), np.float32), np.ones((8, 40), np.float32)
    clips = Clips([(values, mask)], crop=1.0)
    random = np.random.default_rng(0)
    for _ in range(20):
        varied, kept = clips.augmented(np.arange(8), random)
        assert kept.any(axis=1).all()
        assert not varied[kept == 0].any()
    assert mask.all()
    assert values.all()


def test_joined_sources_come_back_in_the_order_asked_for() -> None:
    long, short = (
        Comments([table(features([1], [2], [3]))], 8),
        Comments([table(features([7]), features([8]))], 8),
    )
    values, mask = Joined([long, short]).windows(np.array([2, 0, 1]))
    assert values[..., 0].tolist() == [[0, 0, 8], [1, 2, 3], [0, 0, 7]]
    assert mask.tolist() == [[0, 0, 1], [1, 1, 1], [0, 0, 1]]


def spoken(mean: float, seconds: float = 1.0, speech: float = 1.0) -> Features:
    steps = round(20 * seconds)
    vectors = np.random.default_rng(0).normal(mean, 1, (steps, 3)).astype(np.float32)
    return Features(vectors, np.full(steps, speech, np.float32))


def test_clips_are_windows_of_speech_on_the_right() -> None:
    clip = table(spoken(0, 0.5))
    prior = speaker_prior([clip[0]], weight_s=10)
    values, mask = clip_windows(
        [Example("a", "test", ("joy",), "ann")], clip, prior, steps=20, rate_hz=20, random=ANY_ORDER()
    )
    assert mask[0].tolist() == [0] * 10 + [1] * 10
    assert np.abs(values[0, 10:]).max() > 0
    assert not values[0, :10].any()


def test_what_is_not_speech_is_no_evidence() -> None:
    clip = table(spoken(0, speech=SPEECH / 2))
    prior = speaker_prior([spoken(0)], weight_s=10)
    _, mask = clip_windows(
        [Example("a", "test", ("joy",), "ann")], clip, prior, steps=20, rate_hz=20, random=ANY_ORDER()
    )
    assert not mask.any()


def test_a_speaker_is_normalised_with_earlier_clips_only() -> None:
    prior = speaker_prior([spoken(0)], weight_s=1)
    ann = [Example(str(i), "test", ("joy",), "ann") for i in range(2)]
    alone, _ = clip_windows(ann[:1], table(spoken(5)), prior, steps=20, rate_hz=20, random=ANY_ORDER())
    both = clip_windows(ann, table(spoken(5), spoken(5)), prior, steps=20, rate_hz=20, random=ANY_ORDER())[0]
    later, earlier = sorted(both, key=lambda values: float(np.abs(values).mean()))
    np.testing.assert_array_equal(earlier, alone[0])
    assert np.abs(later).mean() < np.abs(earlier).mean(), "by then the speaker is known"


def test_speakers_do_not_share_what_was_learned() -> None:
    prior = speaker_prior([spoken(0)], weight_s=1)
    both = [Example("1", "test", ("joy",), "ann"), Example("2", "test", ("joy",), "bob")]
    first, second = clip_windows(
        both, table(spoken(5), spoken(5)), prior, steps=20, rate_hz=20, random=ANY_ORDER()
    )[0]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seed", [1, 2])
def test_histories_differ_but_can_be_repeated(seed: int) -> None:
    prior = speaker_prior([spoken(0)], weight_s=1)
    many = [Example(str(i), "train", ("joy",), "ann") for i in range(6)]
    clips = table(*(spoken(i) for i in range(6)))
    history, again, other = (
        clip_windows(many, clips, prior, steps=20, rate_hz=20, random=np.random.default_rng(drawn))[0]
        for drawn in (seed, seed, seed + 2)
    )
    np.testing.assert_array_equal(history, again)
    assert (history != other).any()
