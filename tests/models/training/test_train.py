"""From corpora to a bundle that scores, and from a bundle to its results, by the commands a person types."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.backends import open_backend
from models.bundle import load_bundle
from models.bundle_manifest import MODALITIES
from tests.models.training.sequence_training import run

LIVE = Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml"


def test_training_writes_a_bundle_that_keeps_its_word(trained: tuple[Path, Path]) -> None:
    bundle = load_bundle(trained[0])
    assert (bundle.name, bundle.version) == ("tiny", "tiny@3")
    inputs, expected = bundle.check_arrays()
    found = open_backend(bundle).run(inputs)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-4, err_msg=name)


def test_training_leaves_nothing_but_the_bundle(trained: tuple[Path, Path]) -> None:
    assert {path.name for path in trained[0].parent.iterdir()} == {"tiny", "cache"}
    assert {path.name for path in trained[0].iterdir()} == {"model.onnx", "model.yaml", "metrics.json", "card.md", "check_inputs.npz"}  # fmt: skip


def test_every_epoch_is_kept_for_tensorboard(trained: tuple[Path, Path]) -> None:
    (events,) = (trained[1] / "tensorboard" / "tiny").glob("*/events*")
    content = events.read_bytes()
    assert all(f"{name}/loss".encode() in content for name in MODALITIES)


def test_bundle_comes_with_results_and_card(trained: tuple[Path, Path]) -> None:
    metrics = json.loads((trained[0] / "metrics.json").read_text())
    assert metrics["sha256"] == load_bundle(trained[0]).sha256
    results = metrics["corpora"]
    assert {name: found["modality"] for name, found in results.items()} == {
        "crema_d": "voice", "fer2013": "face", "goemotions": "text", "goemotions-ekman": "text", "meld": "text",
        "meld-face": "face", "meld-voice": "voice", "nemo": "voice", "ravdess": "voice", "xed": "text",
    }  # fmt: skip
    assert results["fer2013"]["found"] == 1
    assert results["ravdess"]["examples"] == 3
    ekman = {"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"}
    assert set(results["goemotions-ekman"]["emotions"]) == ekman
    assert len(results["goemotions"]["emotions"]) == 28
    assert all(0 <= found["ece"] <= 1 for found in results.values())
    card = (trained[0] / "card.md").read_text()
    assert card.startswith("# tiny@3\n")
    assert f"accuracy {results['fer2013']['accuracy']:.3f} (" in card


def test_training_again_goes_on_from_the_checkpoints(
    trained: tuple[Path, Path], corpora: Path, recipe: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again"
    assert run("train", recipe, "--data", corpora, "--out", again, "--cache", trained[1]) == 0
    assert "epoch" not in capfd.readouterr().err
    first, second = (
        open_backend(load_bundle(folder)).run(load_bundle(folder).check_arrays()[0])
        for folder in (trained[0], again)
    )
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, atol=1e-5, err_msg=name)


def test_evaluate_gives_what_training_stored(
    trained: tuple[Path, Path], corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, cache = trained
    assert run("evaluate", bundle, "--data", corpora, "--cache", cache, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((bundle / "metrics.json").read_text())


def test_evaluate_prints_a_table_of_the_corpora_asked_for(
    trained: tuple[Path, Path], corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, cache = trained
    assert run("evaluate", bundle, "--data", corpora, "--cache", cache, "--corpus", "ravdess") == 0
    printed = capsys.readouterr().out
    assert "ravdess" in printed
    assert "nemo" not in printed


def test_evaluate_writes_what_it_measured_and_keeps_the_rest(
    trained: tuple[Path, Path], corpora: Path
) -> None:
    bundle, cache = trained
    path = bundle / "metrics.json"
    before = json.loads(path.read_text())
    damaged = {**before, "corpora": {**before["corpora"], "nemo": {}}}
    path.write_text(json.dumps(damaged))
    assert run("evaluate", bundle, "--data", corpora, "--cache", cache, "--corpus", "nemo", "--write") == 0
    assert json.loads(path.read_text()) == before


def test_fused_scores_of_the_trained_graph_follow_what_is_present(trained: tuple[Path, Path]) -> None:
    bundle = load_bundle(trained[0])
    inputs, _ = bundle.check_arrays()
    found = open_backend(bundle).run(inputs)
    face_alone = inputs["present"].tolist().index([1, 0, 0])
    np.testing.assert_allclose(
        found["distance"][face_alone],
        found["modality_distance"][face_alone, MODALITIES.index("face")],
        atol=1e-5,
    )


def test_training_without_a_corpus_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("train", LIVE, "--data", tmp_path, "--out", tmp_path / "live", "--cache", tmp_path / "cache") == 2
    )
    assert f"error: {tmp_path / 'fer2013.zip'} is missing" in capsys.readouterr().err
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize(
    "case",
    [
        ("head_z", "head_w", "branches.face.ignore: there is no feature head_w"),
        ("corpora: [fer2013]", "corpora: [ravdess]", "branches.face.corpora: ravdess is of voice"),
        ("corpora: [fer2013]", "corpora: [iris]", "there is no corpus 'iris'"),
        ("repeats: {ravdess: 5}", "repeats: {meld: 3}", "branches.voice.repeats: meld not in corpora"),
        ("  calm: [", "  calmness: [", "'calm' is a label of a corpus, but no words are given for it"),
    ],
)
def test_a_recipe_that_does_not_fit_says_where(
    trained: tuple[Path, Path],
    corpora: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str, str, str],
) -> None:
    written, instead, said = case
    wrong = tmp_path / "wrong.yaml"
    assert written in LIVE.read_text()
    wrong.write_text(LIVE.read_text().replace(written, instead))
    assert run("train", wrong, "--data", corpora, "--out", tmp_path / "out", "--cache", trained[1]) == 2
    assert said in capsys.readouterr().err


def test_without_pytorch_training_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torch.__version__, "it is there, and hidden only for this test"
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("train", LIVE) == 2
    assert "pip install 'emostream[train]'" in capsys.readouterr().err


def test_nothing_that_evaluates_needs_pytorch() -> None:
    import subprocess

    code = "import sys, workers.cli.train, workers.cli.evaluate, models.training.evaluate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
