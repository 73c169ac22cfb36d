"""The live bundle on ONNX Runtime: what it answers, and what may not make a difference."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.backends import BackendError, open_backend
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import MODALITIES, BundleError, file_sha256
from stream.messages import Float32Array
from tests.models.live_windows import LIVE, random_inputs

bundle = load_bundle(LIVE)
backend = open_backend(bundle)
Inputs = dict[str, Float32Array]


def windows(count: int, emotions: int = 6, seed: int = 0) -> Inputs:
    """Return inputs in which every modality has evidence in the second half of the window."""
    return random_inputs(bundle, count, emotions=emotions, seed=seed)


def assert_same(
    found: Mapping[str, Float32Array], expected: Mapping[str, Float32Array], outputs: list[str]
) -> None:
    for name in outputs:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)


FUSED = ["distance", "probability"]
ALL = [*FUSED, "modality_distance", "modality_probability"]


def test_gives_the_stored_outputs() -> None:
    inputs, expected = bundle.check_arrays()
    found = backend.run(inputs)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-4, err_msg=name)


@given(count=st.integers(1, 5), emotions=st.integers(1, 40))
def test_any_number_of_windows_and_emotions(count: int, emotions: int) -> None:
    found = backend.run(windows(count, emotions))
    assert found["distance"].shape == found["probability"].shape == (count, emotions)
    assert found["modality_distance"].shape == found["modality_probability"].shape == (count, 3, emotions)
    assert ((found["distance"] >= -1e-5) & (found["distance"] <= 2 + 1e-5)).all()
    assert ((found["probability"] >= 0) & (found["probability"] <= 1)).all()


def test_a_window_scores_the_same_in_any_batch() -> None:
    inputs = windows(4)
    alone = {name: value if name == "emotions" else value[2:3] for name, value in inputs.items()}
    together = backend.run(inputs)
    assert_same(backend.run(alone), {name: value[2:3] for name, value in together.items()}, ALL)


@pytest.mark.parametrize("modality", MODALITIES)
def test_what_is_masked_has_no_influence(modality: str) -> None:
    inputs = windows(2)
    noisy = inputs[modality].copy()
    noisy[inputs[f"{modality}_mask"] == 0] = 100
    assert_same(backend.run(inputs | {modality: noisy}), backend.run(inputs), ALL)


@pytest.mark.parametrize("modality", MODALITIES)
def test_an_absent_modality_has_no_influence_on_what_is_fused(modality: str) -> None:
    inputs, other = windows(2), windows(2, seed=1)
    inputs["present"][:, MODALITIES.index(modality)] = 0
    changed = inputs | {name: other[name] for name in (modality, f"{modality}_mask")}
    assert_same(backend.run(changed), backend.run(inputs), FUSED)


@pytest.mark.parametrize("modality", MODALITIES)
def test_where_one_modality_is_present_its_answer_is_the_answer(modality: str) -> None:
    place = MODALITIES.index(modality)
    inputs = windows(2)
    inputs["present"][:] = np.eye(3, dtype=np.float32)[place]
    found = backend.run(inputs)
    np.testing.assert_allclose(found["distance"], found["modality_distance"][:, place], atol=1e-5)
    np.testing.assert_allclose(found["probability"], found["modality_probability"][:, place], atol=1e-5)


def test_nothing_at_all_is_still_a_number() -> None:
    inputs = {
        name: value if name == "emotions" else np.zeros_like(value) for name, value in windows(2).items()
    }
    assert all(np.isfinite(values).all() for values in backend.run(inputs).values())


@pytest.mark.parametrize("frames", [1, 7, 50])
def test_a_face_that_does_not_move_scores_as_a_still(frames: int) -> None:
    still, held = windows(1), windows(1)
    face = np.random.default_rng(5).random(bundle.modalities["face"].dim).astype(np.float32)
    for inputs, count in ((still, 1), (held, frames)):
        inputs["face"][:], inputs["face_mask"][:] = 0, 0
        inputs["face"][0, -count:], inputs["face_mask"][0, -count:] = face, 1
    assert_same(backend.run(held), backend.run(still), ALL)


def test_where_in_the_window_the_face_was_seen_makes_no_difference() -> None:
    inputs = windows(1)
    earlier = {name: np.roll(inputs[name], -10, axis=1) for name in ("face", "face_mask")}
    assert_same(backend.run(inputs | earlier), backend.run(inputs), ALL)


def test_evidence_that_is_no_number_gives_an_error_not_a_score() -> None:
    inputs = windows(1)
    inputs["voice"][0, -1, 0] = np.nan
    with pytest.raises(BackendError, match="not finite"):
        backend.run(inputs)


def test_inputs_of_another_shape_are_refused() -> None:
    inputs = windows(1)
    with pytest.raises(BackendError, match="ONNX Runtime failed"):
        backend.run(inputs | {"face": inputs["face"][:, :, :-1]})


def test_there_is_no_such_backend() -> None:
    with pytest.raises(BackendError, match="no backend 'abacus'"):
        open_backend(bundle, "abacus")


def rewritten(folder: Path, graph: bytes | None, old: str = "", new: str = "") -> Bundle:
    """Return the live bundle with another graph, or another manifest, in `folder`."""
    copy = Path(shutil.copytree(LIVE, folder / "live"))
    if graph is not None:
        (copy / "model.onnx").write_bytes(graph)
    manifest = (copy / "model.yaml").read_text().replace(bundle.sha256, file_sha256(copy / "model.onnx"))
    (copy / "model.yaml").write_text(manifest.replace(old, new))
    return load_bundle(copy)


def test_a_graph_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"model\.onnx cannot be loaded.*copy the whole bundle again"):
        open_backend(rewritten(tmp_path, b"no graph"))


def test_a_graph_that_contradicts_the_manifest_is_refused(tmp_path: Path) -> None:
    described = rewritten(tmp_path, None, "steps: 48", "steps: 24")
    with pytest.raises(
        BundleError, match=r"input text is .*48, 384\], but model.yaml says \[None, 24, 384\]"
    ):
        open_backend(described)
