"""`emostream vocabulary`, and the vocabularies that come with emostream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.config import config_folder
from stream.vocabulary import load_vocabulary
from workers.cli.main import main

PACKAGED = sorted((config_folder() / "vocabularies").glob("*.yaml"))
Asset = Callable[[str], Path]


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["vocabulary", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.stem)
def test_a_packaged_vocabulary_is_named_after_its_file_and_coloured(path: Path) -> None:
    vocabulary = load_vocabulary(path)
    colours = [emotion.colour for emotion in vocabulary.emotions]
    assert vocabulary.name == path.stem
    assert all(colours)
    assert len(set(colours)) == len(colours)


def test_the_packaged_vocabularies() -> None:
    names = {path.stem: [emotion.name for emotion in load_vocabulary(path).emotions] for path in PACKAGED}
    assert set(names) == {"ekman", "iemocap", "meeting", "plutchik", "ros4hri"}
    assert names["ekman"] == ["joy", "sadness", "anger", "fear", "disgust", "surprise"]
    assert len(names["plutchik"]) == 8
    assert len(names["ros4hri"]) == 25


@pytest.mark.parametrize("space", ["minilm-l6", "glove-6b-50d"])
def test_every_packaged_vocabulary_embeds(
    space: str, asset: Asset, capsys: pytest.CaptureFixture[str]
) -> None:
    asset(space)
    status, out, err = check(capsys, "check", *(path.stem for path in PACKAGED), "--space", space)
    assert (status, err) == (0, "")
    assert "about to give up" in out


def test_check_shows_the_nearest_other_emotion(asset: Asset, capsys: pytest.CaptureFixture[str]) -> None:
    asset("minilm-l6")
    status, out, _ = check(capsys, "check", "ekman")
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith("joy "))
    assert row.split()[-2] == "sadness"
    assert "warning" not in out


def test_near_duplicates_are_pointed_out(
    asset: Asset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asset("minilm-l6")
    path = tmp_path / "twins.yaml"
    path.write_text(
        "name: twins\nemotions:\n  - happy\n  - anger\n  - {name: glad, words: [happy, happy!]}\n"
    )
    status, out, _ = check(capsys, "check", str(path))
    assert status == 0
    # A long path may be broken anywhere.
    assert "twins.yaml:5:'glad'and'happy'(line3)nearlycoincide" in "".join(out.split())


def test_an_unknown_word_is_named_with_its_line_and_the_nearest_known_words(
    asset: Asset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asset("glove-6b-50d")
    path = tmp_path / "typo.yaml"
    path.write_text("name: typo\nemotions:\n  - joy\n  - embarassedd\n")
    status, out, err = check(capsys, "check", str(path), "ekman", "--space", "glove-6b-50d")
    assert status == 1
    assert f"{path}:4: embarassedd: 'embarassedd' is not known in glove-6b-50d; nearest known words: " in err
    assert "embarrassed" in err
    assert "ekman@" in out


def test_list_names_those_that_come_with_emostream(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = check(capsys, "list")
    assert status == 0
    assert all(path.stem in out for path in PACKAGED)
