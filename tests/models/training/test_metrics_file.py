"""What `metrics.json` keeps, and which figures it puts first."""

from __future__ import annotations

import json

import pytest

from models.training.headlines import HEADLINES, LABELS
from models.training.metrics_file import as_json, presented, together


def corpus(**figures: float) -> dict[str, object]:
    return {**figures, "intervals": {name: [value - 0.1, value + 0.1] for name, value in figures.items()}}


def measured(sha256: str = "ab", **parts: object) -> dict[str, object]:
    return {"bundle": "live@1", "sha256": sha256, "corpora": {}, **parts}


def transfer(auc: float, *, complete: bool) -> dict[str, object]:
    return {"auc": auc, "interval": [auc - 0.1, auc + 0.1], "complete": complete}


def test_a_headline_has_value_interval_and_command() -> None:
    found = together({}, measured(corpora={"fer2013": corpus(accuracy=0.6, found=0.9, ece=0.01)}))
    assert found["face.fer2013_test_accuracy"] == {
        "value": 0.6,
        "interval": [0.5, pytest.approx(0.7)],
        "command": "emostream evaluate models/bundles/live --data DIR --corpus fer2013",
    }
    assert set(found) & set(LABELS) == {"face.fer2013_test_accuracy", "face.fer2013_found", "ece.face"}


def test_every_figure_that_is_asked_for_has_a_row() -> None:
    asked = "face.fer2013_test_accuracy face.fer2013_found voice.ravdess_uar voice.nemo_uar text.goemotions_macro_f1 text.goemotions_ekman_macro_f1 text.meld_weighted_f1 ece.face ece.voice ece.text"  # fmt: skip
    assert [row.name for row in HEADLINES] == asked.split()
    assert {name for name in LABELS if name.startswith("zero")} == {f"zero_shot_auc.{m}" for m in ("face", "voice", "text")}  # fmt: skip


def test_of_several_corpora_the_worst_calibrated_counts() -> None:
    found = together(
        {}, measured(corpora={"ravdess": corpus(uar=0.5, ece=0.02), "nemo": corpus(uar=0.3, ece=0.07)})
    )
    assert found["ece.voice"]["value"] == 0.07
    assert found["ece.voice"]["command"].endswith("--corpus ravdess --corpus nemo")


def test_a_headline_of_two_corpora_needs_both() -> None:
    assert "ece.voice" not in together({}, measured(corpora={"ravdess": corpus(uar=0.5, ece=0.02)}))


def test_what_was_measured_before_stays_while_the_graph_is_the_same() -> None:
    held = together({}, measured(corpora={"meld": corpus(weighted_f1=0.4)}, zero_shot={"face": transfer(0.6, complete=True)}))  # fmt: skip
    again = measured(corpora={"nemo": corpus(uar=0.3, ece=0.07)})
    assert set(together(held, again)["corpora"]) == {"meld", "nemo"}
    assert together(held, again)["zero_shot_auc.face"]["value"] == 0.6
    other = together(held, {**again, "sha256": "cd"})
    assert set(other["corpora"]) == {"nemo"}
    assert "zero_shot_auc.face" not in other


def test_words_left_out_are_kept_once_all_of_a_modality_were() -> None:
    parts = {"face": transfer(0.7, complete=False), "voice": transfer(0.6, complete=True)}
    held = together({}, measured(zero_shot={"face": transfer(0.65, complete=True)}))
    found = together(held, measured(zero_shot=parts))
    assert found["zero_shot_auc.face"]["value"] == 0.65
    assert found["zero_shot_auc.voice"]["value"] == 0.6
    assert found["zero_shot_auc.voice"]["command"].endswith("--zero-shot all --modalities voice")


def test_what_is_shown_has_every_word_that_was_left_out() -> None:
    shown = presented(measured(zero_shot={"face": transfer(0.7, complete=False)}))
    assert shown["zero_shot"]["face"]["auc"] == 0.7
    assert "zero_shot_auc.face" not in shown, "the mean over all words is not known"


def test_the_file_is_json_with_a_list_of_numbers_on_a_line() -> None:
    metrics = {"confusion": [[1, 2], [3, 4]], "words": ["joy", "fear"], "empty": [], "none": None}
    written = as_json(metrics)
    assert json.loads(written) == metrics
    assert "[3, 4]" in written
