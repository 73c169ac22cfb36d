"""Words count from when they were known; partial ones are superseded; late ones land where they were said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.messages import TextUtterance, Word
from stream.utterances import UtteranceLog, spoken_share, word_matrix

LENGTH = 5_000


def utterance(id_, *words, final=True, known=True):
    vectors = np.full((len(words), 3), float(known), np.float32)
    said = [Word(text=text, start_ns=end - 100, end_ns=end, confidence=1.0) for text, end in words]
    return TextUtterance(id=id_, final=final, words=said, vectors=vectors)


def texts(log, end_ns):
    return [timed.word.text for timed in log.words(end_ns, LENGTH)]


def test_a_word_counts_from_when_it_was_known_not_from_when_it_was_said():
    log = UtteranceLog(10_000)
    log.add(3_000, [utterance(0, ("hello", 1_000))])
    assert texts(log, 2_900) == []
    assert texts(log, 3_000) == ["hello"]


def test_with_hindsight_it_counts_from_when_it_was_said():
    log = UtteranceLog(10_000, hindsight=True)
    log.add(3_000, [utterance(0, ("hello", 1_000))])
    assert texts(log, 1_000) == ["hello"]


def test_partial_words_count_at_once_and_are_superseded():
    log = UtteranceLog(10_000)
    log.add(2_000, [utterance(0, ("weak", 1_000), final=False)])
    log.add(3_000, [utterance(0, ("week", 1_000), ("two", 2_500))])
    assert texts(log, 2_900) == ["weak"]
    assert texts(log, 3_000) == ["week", "two"]


def test_a_late_word_lands_in_the_window_it_was_said_in():
    log = UtteranceLog(10_000)
    log.add(7_000, [utterance(0, ("early", 1_000), ("late", 6_500))])
    assert texts(log, 7_000) == ["late"]


def test_forgetting_changes_no_later_window():
    log = UtteranceLog(10_000)
    for id_ in range(50):
        log.add(id_ * 1_000, [utterance(id_, (f"w{id_}", id_ * 1_000), final=False)])
        log.add(id_ * 1_000 + 500, [utterance(id_, (f"W{id_}", id_ * 1_000))])
        before = texts(log, id_ * 1_000 + 500)
        log.forget(id_ * 1_000 + 500)
        assert texts(log, id_ * 1_000 + 500) == before
    assert len(log._versions) <= 16


@given(st.lists(st.tuples(st.integers(0, 6_000), st.integers(1, 3_000)), max_size=20))
def test_spoken_share_counts_overlapping_words_once(spans):
    log = UtteranceLog(100_000)
    words = [Word(text="w", start_ns=s, end_ns=s + d, confidence=1.0) for s, d in spans]
    log.add(0, [TextUtterance(id=0, final=True, words=words, vectors=np.ones((len(words), 3), np.float32))])
    found = log.words(9_000, LENGTH)
    moments = {t for w in found for t in range(max(w.word.start_ns, 4_000), w.word.end_ns)}
    assert spoken_share(found, 9_000, LENGTH) == pytest.approx(len(moments) / LENGTH)


def test_unknown_words_take_no_place_in_the_matrix():
    log = UtteranceLog(10_000)
    log.add(0, [utterance(0, ("qwxz", 900), known=False), utterance(1, ("a", 1_000), ("b", 2_000))])
    values, mask = word_matrix(log.words(5_000, LENGTH), 4, 3)
    assert mask.tolist() == [0, 0, 1, 1]
    assert values[:2].any() == 0


def test_the_last_words_are_kept_when_there_are_too_many():
    log = UtteranceLog(10_000)
    log.add(0, [utterance(0, *((f"w{i}", 1_000 + i) for i in range(10)))])
    _, mask = word_matrix(log.words(5_000, LENGTH), 4, 3)
    assert mask.tolist() == [1, 1, 1, 1]
