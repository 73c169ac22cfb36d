"""`emostream evaluate --report`: a text around pictures, all from what was measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.report.word_map import draw_word_map
from tests.models.training.sequence_training import run


@pytest.fixture(scope="module")
def folder(
    trained: tuple[Path, Path], corpora: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Give a report on voices and comments of a tiny bundle, with a word left out."""
    folder = tmp_path_factory.mktemp("report") / "deep" / "report"
    bundle, cache = trained
    options = ("--modalities", "voice,text", "--zero-shot", "anger", "--recipe", recipe, "--report", folder)
    assert run("evaluate", bundle, "--data", corpora, "--cache", cache, *options) == 0
    return folder


def test_every_picture_is_shown_and_every_one_shown_is_there(folder: Path) -> None:
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (folder / "report.md").read_text())
    assert sorted(shown) == sorted(path.name for path in folder.glob("*.png"))
    kinds = {
        "results.png",
        "reliability.png",
        "zero_shot.png",
        "words-voice.png",
        "words-text.png",
        "confusion-nemo.png",
    }
    assert kinds <= set(shown)
    assert "words-face.png" not in shown, "no face was measured"


def test_pictures_are_pictures(folder: Path) -> None:
    for path in folder.glob("*.png"):
        image = cv2.imread(str(path))
        assert image is not None
        assert min(image.shape[:2]) > 300
        assert image.std() > 5, f"{path} is blank"


def test_the_text_quotes_what_was_measured(folder: Path, trained: tuple[Path, Path]) -> None:
    text = (folder / "report.md").read_text()
    nemo = json.loads((trained[0] / "metrics.json").read_text())["corpora"]["nemo"]
    low, high = nemo["intervals"]["uar"]
    assert f"UAR {nemo['uar']:.3f} ({low:.3f}–{high:.3f})" in text
    assert f"| joy | 1 | {nemo['emotions']['joy']['recall']:.3f} |" in text
    assert "## Words it was not trained on" in text


def test_labels_of_words_do_not_cover_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words on a grid with room for all: their boxes must not meet."""
    from models.training.report import word_map

    grid = np.stack(np.meshgrid(np.arange(6), np.arange(5)), axis=-1).reshape(-1, 2).astype(np.float32)
    words = [f"emotion {i}" for i in range(len(grid))]
    drawn = []
    monkeypatch.setattr(word_map, "save", lambda figure, path: drawn.append(figure))
    draw_word_map("text", words, grid, words, tmp_path / "words.png")
    boxes = [text.get_window_extent() for text in drawn[0].axes[0].texts if text.get_text()]
    assert len(boxes) == len(words)
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_a_report_that_cannot_be_written_says_so(
    trained: tuple[Path, Path], corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    bundle, cache = trained
    options = ("--corpus", "nemo", "--report", tmp_path / "file" / "report")
    assert run("evaluate", bundle, "--data", corpora, "--cache", cache, *options) == 2
    assert "the report cannot be written there: Not a directory" in capsys.readouterr().err
