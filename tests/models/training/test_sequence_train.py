"""From a corpus of features to a bundle, by the command a person types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from models.bundle import load_bundle
from models.bundle_manifest import BundleError
from models.embeddings import open_space
from models.training.corpora.mosei import load_mosei
from models.training.sequences.bundle import SequenceBundle
from models.training.sequences.words import emotion_vectors
from tests.models.training.sequence_training import COUNTS, SMALL, metrics_of, run, train, write_recipe

LIVE = Path(__file__).resolve().parents[3] / "models" / "bundles" / "live"


def test_the_papers_network_learns_what_shows(place: Path, paper: Path) -> None:
    found = metrics_of(paper, "mosei")
    assert found["protocol"] == "supervised"
    assert found["examples"] == COUNTS[2]
    assert list(found["emotions"]) == ["anger", "disgust", "fear", "happy", "sad", "surprise"]
    assert found["average"]["auc"] > 0.9
    assert found["average"]["accuracy"] > 0.75


def test_its_distances_are_negative_similarities(place: Path, paper: Path) -> None:
    bundle = SequenceBundle(paper)
    part = load_mosei(place / "corpora" / "mosei", "test")
    words = emotion_vectors(open_space("glove-840b-300d"), part.emotions)
    distance, probability = bundle.score(part, words)
    assert distance.shape == (COUNTS[2], 6)
    assert distance.min() < 0 < distance.max()
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(distance)), rtol=1e-5)
    assert distance[part.labels].mean() < distance[~part.labels].mean()
    np.testing.assert_allclose(bundle.score(part, 2 * words, ["text"])[0], 2 * bundle.score(part, words, ["text"])[0], atol=1e-3)  # fmt: skip


def test_weights_of_eight_bits_are_smaller_and_score_alike(place: Path, paper: Path) -> None:
    small = train(place, "paper-mosei", name="eight-bits", weights="int8")
    sizes = [(folder / "model.onnx").stat().st_size for folder in (small, paper)]
    assert sizes[0] < 0.4 * sizes[1]
    part = load_mosei(place / "corpora" / "mosei", "test")
    words = emotion_vectors(open_space("glove-840b-300d"), part.emotions)
    given, expected = (SequenceBundle(folder).score(part, words)[1] for folder in (small, paper))
    assert not np.array_equal(given, expected)
    np.testing.assert_allclose(given, expected, atol=0.05)
    assert "weights of its LSTMs have 8 bits" in (small / "card.md").read_text()
    assert metrics_of(small, "mosei")["average"]["auc"] == pytest.approx(
        metrics_of(paper, "mosei")["average"]["auc"], abs=0.02
    )


def test_similarities_of_modalities_add_up(place: Path, paper: Path) -> None:
    bundle = SequenceBundle(paper)
    part = load_mosei(place / "corpora" / "mosei", "test")
    words = emotion_vectors(open_space("glove-840b-300d"), part.emotions)
    alone = [bundle.score(part, words, [name])[0] for name in ("text", "audio", "vision")]
    np.testing.assert_allclose(sum(alone), bundle.score(part, words)[0], atol=1e-4)
    pair, _ = bundle.score(part, words, ["vision", "text"])
    np.testing.assert_allclose(pair, alone[0] + alone[2], atol=1e-4)


def test_it_scores_any_word_that_the_space_knows(place: Path, paper: Path) -> None:
    part = load_mosei(place / "corpora" / "mosei", "test")
    words = emotion_vectors(open_space("glove-840b-300d"), ["frustrating", "happy", "sad happy"])
    assert SequenceBundle(paper).score(part, words)[0].shape == (COUNTS[2], 3)


def test_the_bundle_says_what_it_is(paper: Path) -> None:
    assert {path.name for path in paper.iterdir()} == {"model.onnx", "model.yaml", "metrics.json", "card.md"}
    card = (paper / "card.md").read_text()
    assert card.startswith("# paper-mosei@1\n")
    average = metrics_of(paper, "mosei")["average"]
    assert (
        f"| {100 * average['accuracy']:.1f} | {100 * average['f1']:.1f} | {100 * average['auc']:.1f} |\n"
        in card
    )
    for said in ("text (GloVe 840B), audio (COVAREP), vision (Facet)", "research use only", "AI Act"):
        assert said in card


def test_it_cannot_run_live(paper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        BundleError, match=r"COVAREP, Facet\), which are not extracted here.*emostream evaluate"
    ):
        load_bundle(paper)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.zeros(16000, np.float32), 16000)
    assert run("score", clip, "--bundle", paper) == 1
    assert "which are not extracted here, so it cannot run on live sources" in capsys.readouterr().err


def test_training_again_goes_on_from_the_checkpoint_and_gives_the_same(
    place: Path, paper: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again"
    assert run("train", write_recipe(place, "paper-mosei"), "--data", place / "corpora", "--out", again) == 0
    assert "epoch" not in capfd.readouterr().err
    assert metrics_of(again, "mosei")["emotions"] == metrics_of(paper, "mosei")["emotions"]


def test_tensorboard_shows_every_epoch(place: Path, paper: Path) -> None:
    (folder,) = [
        path for path in (place / "cache/training/tensorboard/paper-mosei").iterdir() if scalars(path)
    ]
    assert [event.step for event in scalars(folder)["training/loss"]] == [1, 2, 3]
    scores = [event.value for event in scalars(folder)["training/validation score"]]
    assert all(0 <= score <= 1 for score in scores)


def scalars(folder: Path) -> dict[str, Any]:
    """Return the events of a run by tag; none of a run that had nothing to do."""
    events = EventAccumulator(str(folder)).Reload()
    return {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}


@pytest.mark.parametrize("name", ["early-fusion-mosei", "late-fusion-iemocap", "mult-iemocap"])
def test_baselines_learn_in_the_same_harness(place: Path, name: str) -> None:
    bundle = train(place, name)
    found = metrics_of(bundle, name.rpartition("-")[2])
    assert found["average"]["auc"] > 0.75
    assert "It scores only the emotions below." in (bundle / "card.md").read_text()


def test_published_options_are_keys(place: Path) -> None:
    network = {
        "type": "emotion-embeddings", "space": "glove-840b-300d", "cell": "gru", "layers": 2,
        "bidirectional": True, "dropout": 0.15, "hidden": {"audio": 10, "vision": 6},
    }  # fmt: skip
    bundle = train(
        place, "paper-mosei", name="gru", version="gru@1", network=network, modalities=["vision", "audio"]
    )
    assert list(SequenceBundle(bundle).manifest.in_order()) == ["audio", "vision"]
    assert metrics_of(bundle, "mosei")["average"]["auc"] > 0.75


def test_a_modality_alone(place: Path) -> None:
    bundle = train(place, "paper-iemocap", name="words", version="words@1", modalities=["text"])
    assert metrics_of(bundle, "iemocap")["average"]["auc"] > 0.9


def test_few_shot_by_fine_tuning(place: Path) -> None:
    tuning = {
        "rate": 0.005,
        "batch": 4,
        "epochs": 2,
        "patience": 2,
        "plateau": 1,
        "clip": 1.0,
        "rehearse": True,
    }
    unseen = {"emotion": "happy", "fraction": 0.2, "fine_tuning": tuning}
    bundle = train(place, "paper-mosei", name="tuned", version="tuned@1", unseen=unseen)
    assert metrics_of(bundle, "mosei")["protocol"] == "few-shot"
    assert SequenceBundle(bundle).manifest.emotions == [
        "anger",
        "disgust",
        "fear",
        "happy",
        "sad",
        "surprise",
    ]
    card = (bundle / "card.md").read_text()
    assert "| fine-tuning |" in card
    assert "Of the examples of happy, 20 % were learned from, after all other emotions." in card


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("paper-mosei", {"unseen": {"emotion": "bored"}}, "'bored' cannot be the unseen emotion of CMU-MOSEI"),
        ("paper-iemocap", {"unseen": {"emotion": "fear"}, "network": {"type": "emotion-embeddings", "space": "glove-840b-300d", "hidden": SMALL, "words": {"fear": "dread"}}}, "'dread' is not known in glove-840b-300d"),
        ("paper-mosei", {"network": {"type": "emotion-embeddings", "space": "glove-840b-300d", "hidden": SMALL | {"text": 50}}}, "network.hidden.text = 50: text is compared with the words"),
    ],
)  # fmt: skip
def test_a_recipe_that_does_not_fit_says_where(
    place: Path, name: str, changes: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(place, name, name="wrong", **changes)
    assert run("train", recipe, "--data", place / "corpora", "--out", place / "wrong") == 2
    assert said in capsys.readouterr().err
    assert not (place / "wrong").exists()


def test_without_the_corpus_training_says_what_is_missing(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(place, "paper-mosei")
    assert run("train", recipe, "--data", tmp_path, "--out", tmp_path / "out") == 2
    assert f"{tmp_path / 'mosei' / 'text_train_emb.h5'} is missing" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write_recipe(place, "paper-mosei")
    assert run("train", recipe, "--data", place / "corpora", "--device", "tpu") == 2
    assert "there is no device 'tpu'; choose auto, cpu, cuda" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert run("train", recipe, "--data", place / "corpora", "--device", "cuda") == 2
        assert "cuda cannot be used: " in capsys.readouterr().err


def test_a_live_bundle_is_told_apart() -> None:
    with pytest.raises(BundleError, match="this bundle is not for the features of a corpus"):
        SequenceBundle(LIVE)


def test_a_bundle_that_was_changed_is_refused(paper: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in paper.iterdir():
        (copy / path.name).write_bytes(path.read_bytes() + (b" " if path.name == "model.onnx" else b""))
    with pytest.raises(BundleError, match=r"model\.onnx is not the file that model\.yaml describes"):
        SequenceBundle(copy)
