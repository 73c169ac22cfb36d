"""The paper's protocols: with all emotions, zero-shot and few-shot, and its tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.bundle_manifest import BundleError
from models.training.recipe import RecipeError
from models.training.sequences.bundle import SequenceBundle
from models.training.sequences.evaluate import Anew, Metrics, evaluate_sequences
from models.training.sequences.table import paper_table
from tests.models.training.sequence_training import COUNTS, metrics_of, run, train


def evaluate(bundle: Path, place: Path, **options: Any) -> Metrics:
    anew = Anew(place / "cache" / "training", "cpu", lambda _: None, lambda *_: None)
    return evaluate_sequences(bundle, data=place / "corpora", anew=anew, **options)


def test_evaluating_gives_what_training_stored(place: Path, paper: Path) -> None:
    assert evaluate(paper, place) == json.loads((paper / "metrics.json").read_text())


def test_the_command_measures_stores_and_reports(
    place: Path, paper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = (paper / "metrics.json").read_text()
    assert run("evaluate", paper, "--data", place / "corpora", "--json", "--write") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(stored)
    assert (paper / "metrics.json").read_text() == stored
    assert run("evaluate", paper, "--data", place / "corpora") == 0
    assert "paper-mosei@1 on CMU-MOSEI, supervised" in capsys.readouterr().out
    assert run("evaluate", paper, "--data", place / "corpora", "--corpus", "iemocap") == 2
    assert "is for CMU-MOSEI alone, not for iemocap" in capsys.readouterr().err


def test_modalities_have_the_names_of_live_ones_too(place: Path, paper: Path, tmp_path: Path) -> None:
    data = place / "corpora"
    assert run("evaluate", paper, "--data", data, "--modalities", "voice,face", "--report", tmp_path) == 0
    assert "| paper-mosei@1 (audio, vision) |" in (tmp_path / "report.md").read_text()


def test_zero_shot_and_few_shot_train_without_the_emotion(
    place: Path, paper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--zero-shot", "surprise", "--few-shot", "sad", "--fraction", "0.1", "--json"]
    assert run("evaluate", paper, "--data", place / "corpora", *options) == 0
    found = json.loads(capsys.readouterr().out)
    supervised, zero, few = found["corpora"]["mosei"]["protocols"]
    assert supervised == metrics_of(paper, "mosei")
    assert (zero["protocol"], zero["unseen"], zero["fraction"]) == ("zero-shot", "surprise", 0)
    assert (few["protocol"], few["unseen"], few["fraction"]) == ("few-shot", "sad", 0.1)
    assert len({each["sha256"] for each in (supervised, zero, few)}) == 3
    assert zero["emotions"]["surprise"]["present"] > 0
    trained = place / "cache" / "training" / "protocols" / "paper-mosei-zero-shot-surprise"
    assert "surprise" not in SequenceBundle(trained).manifest.emotions
    table = paper_table(found)
    for said in (
        "**CMU-MOSEI, %**",
        "**CMU-MOSEI, unseen emotions, %**",
        "surprise W-Acc | surprise F1 | surprise AUC",
    ):
        assert said in table
    (row,) = [line for line in table.splitlines() if "few-shot 10 %" in line]
    auc = 100 * few["emotions"]["sad"]["auc"]
    assert row.startswith("| paper-mosei@1 (text, audio, vision), few-shot 10 % | – | – | – |")
    assert row.endswith(f" {auc:.1f} |")


def test_a_zero_shot_bundle_is_measured_as_one(place: Path) -> None:
    bundle = train(
        place,
        "paper-iemocap",
        name="unseen",
        version="unseen@1",
        unseen={"emotion": "excited", "fraction": 0.0},
    )
    found = metrics_of(bundle, "iemocap")
    assert (found["protocol"], found["unseen"]) == ("zero-shot", "excited")
    assert list(found["emotions"]) == ["neutral", "happy", "sad", "angry", "excited"]
    assert found["examples"] == COUNTS[2] + found["emotions"]["excited"]["present"]
    manifest = SequenceBundle(bundle).manifest
    assert set(manifest.thresholds) == set(manifest.emotions) == {"neutral", "happy", "sad", "angry"}
    assert evaluate(bundle, place, zero_shot=["excited"])["corpora"]["iemocap"]["protocols"] == [found]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"zero_shot": ["sad"]},
            "'sad' as unseen emotion of early-fusion-mosei@1: .*no score for what it never saw",
        ),
        ({"few_shot": ["sad"], "fraction": 1.5}, "should be less than 1"),
    ],
)
def test_a_protocol_that_cannot_be_is_said(place: Path, options: Any, said: str) -> None:
    bundle = train(place, "early-fusion-mosei")
    with pytest.raises(RecipeError, match=said):
        evaluate(bundle, place, **options)


def test_a_classifier_reads_all_its_modalities(place: Path) -> None:
    bundle = train(place, "early-fusion-mosei")
    with pytest.raises(BundleError, match="network early-fusion cannot do without audio, vision"):
        evaluate(bundle, place, sequences=["text"])
