"""A bundle is read whole or not at all; the one that comes with emostream keeps what it promises."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.bundle import load_bundle
from models.bundle_manifest import MODALITIES, BundleError
from models.extractors.face_geometry import SPEC as FACE
from models.extractors.speaker import SpeakerNormalizer
from models.extractors.voice_layout import SPEC as VOICE
from models.spec import FeatureSpec

LIVE = Path(__file__).resolve().parents[2] / "models" / "bundles" / "live"
FILES = ("model.onnx", "model.yaml", "metrics.json", "card.md", "check_inputs.npz")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the live bundle that a test may damage."""
    return Path(shutil.copytree(LIVE, tmp_path / "live"))


def edit(folder: Path, pattern: str, replacement: str) -> None:
    path = folder / "model.yaml"
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


def test_live_bundle_describes_its_windows() -> None:
    bundle = load_bundle(LIVE)
    assert (bundle.name, bundle.version, bundle.space, bundle.window_s) == (
        "live",
        "live@1",
        "minilm-l6",
        5.0,
    )
    assert {name: part.steps for name, part in bundle.modalities.items()} == {
        "face": 50,
        "voice": 100,
        "text": 48,
    }
    assert bundle.input_shapes()["voice"] == (None, 100, VOICE.dim)
    assert "CC BY-NC-SA 4.0" in bundle.licence


def test_live_bundle_fits_the_extractors_here() -> None:
    bundle = load_bundle(LIVE)
    bundle.check_specs([FACE, VOICE])
    SpeakerNormalizer(bundle.speaker_prior)


def test_live_bundle_is_small_enough_to_come_along() -> None:
    assert sum(path.stat().st_size for path in LIVE.iterdir()) < 12e6


@pytest.mark.parametrize(
    ("figure", "goal"),
    [
        ("face.fer2013_test_accuracy", 0.60),
        ("face.fer2013_found", 0.94),
        ("voice.ravdess_uar", 0.58),
        ("text.goemotions_macro_f1", 0.42),
        ("text.goemotions_ekman_macro_f1", 0.57),
        ("zero_shot_auc.face", 0.62),
        ("zero_shot_auc.voice", 0.62),
        ("zero_shot_auc.text", 0.70),
    ],
)
def test_live_bundle_measured_better_than_its_goals(figure: str, goal: float) -> None:
    metrics = json.loads((LIVE / "metrics.json").read_text())
    assert metrics["sha256"] == load_bundle(LIVE).sha256, (
        "measured on another graph; emostream evaluate --write"
    )
    assert metrics[figure]["value"] > goal


def test_live_bundle_is_never_worse_for_more_modalities() -> None:
    fusion = json.loads((LIVE / "metrics.json").read_text())["fusion"]
    together = {name: each for name, each in fusion["subsets"].items() if "+" in name}
    assert len(together) == 4
    assert all(each["accuracy"] >= each["best_single"] for each in together.values())


def test_card_says_what_was_measured_and_what_it_may_be_used_for() -> None:
    card = (LIVE / "card.md").read_text()
    metrics = json.loads((LIVE / "metrics.json").read_text())
    assert f"{metrics['corpora']['fer2013']['accuracy']:.3f}" in card
    for said in ("CC BY-NC-SA 4.0", "research use", "emostream evaluate", "put together", "stills"):
        assert said in card


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=re.escape(f"{copy / name} is missing")):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["model.onnx", "check_inputs.npz"])
def test_changed_file_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} is not the file that model.yaml describes"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r"^calibration:", "colour: blue\ncalibration:", "colour = 'blue': unknown key"),
        (r"similarity: cosine", "similarity: dot", "similarity"),
        (r"version: live@1", "version: live", "version"),
        (r"dim: 384, name", "dim: 50, name", "modalities.text.dim is 384, but space.dim is 50"),
        (r"rate_hz: 10.0", "rate_hz: 20.0", "modalities.face.steps is 50, but 5 s at 20 Hz are 100"),
        (r"weight_s: 10.0", "weight_s: 0", "speaker_prior.weight_s"),
        (r"(?s).*", "[unclosed", "not valid YAML"),
        (r"(?s).*", "- a list", "model.yaml"),
    ],
)
def test_malformed_manifest_names_the_key(copy: Path, pattern: str, replacement: str, said: str) -> None:
    edit(copy, pattern, replacement)
    with pytest.raises(BundleError, match=re.escape(said)) as raised:
        load_bundle(copy)
    assert str(copy / "model.yaml") in str(raised.value)


def test_another_embedding_space_is_refused() -> None:
    bundle = load_bundle(LIVE)
    bundle.check_space("minilm-l6")
    with pytest.raises(BundleError, match="trained in the embedding space minilm-l6, not glove-6b-50d"):
        bundle.check_space("glove-6b-50d")


def test_vectors_of_another_layout_are_refused() -> None:
    other = FeatureSpec("face@2", "face", 2, ("a", "b"))
    with pytest.raises(BundleError, match=r"trained on face@1 \(536 numbers a vector\).* gives face@2 \(2\)"):
        load_bundle(LIVE).check_specs([other])


def test_check_inputs_show_several_ways_of_being_present() -> None:
    inputs, outputs = load_bundle(LIVE).check_arrays()
    assert inputs["present"].tolist() == [[1, 1, 1], [1, 0, 0], [0, 1, 1]]
    assert outputs["modality_distance"].shape == (3, len(MODALITIES), len(inputs["emotions"]))
    assert all(np.isfinite(values).all() for values in outputs.values())
