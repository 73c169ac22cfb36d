"""Every decoder takes what is sound, and answers all else with its own error; `make fuzz` looks for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS

every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_what_is_sound_is_taken(name: str) -> None:
    taken = [TARGETS[name].feed(seed) for seed in TARGETS[name].seeds()]
    assert any(taken)


@every_target
@settings(max_examples=8)
@given(data=st.data())
def test_what_is_damaged_is_taken_or_refused(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(TARGETS[name].seeds()))
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, min(len(seed), start + 8)))
    TARGETS[name].feed(seed[:start] + data.draw(st.binary(max_size=8)) + seed[end:])


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_what_once_did_harm_does_none_now(path: Path) -> None:
    TARGETS[path.parent.name].feed(path.read_bytes())


def test_every_folder_of_the_corpus_belongs_to_a_decoder() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(TARGETS)
