"""The file of neutral points: numbers of the bundle they were learned with, for their owner alone."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.baseline import NeutralPoint, NeutralPointsError, points_file, read_points, write_points
from models.bundle import Bundle
from stream.config import BaselineSection


def point(bundle: Bundle, seed: int) -> NeutralPoint:
    cosines = np.random.default_rng(seed).uniform(-1, 1, len(bundle.phrases))
    return NeutralPoint(cosines.astype(np.float32), 12.0)


def test_what_is_written_is_read_again(tmp_path: Path, bundle: Bundle) -> None:
    file, face, voice = tmp_path / "new" / "neutral.yaml", point(bundle, 1), point(bundle, 2)
    write_points(file, bundle, "desk", {"face": face, "voice": voice})
    kept = read_points(file, bundle).points
    assert set(kept) == {"desk"}
    for modality, written in (("face", face), ("voice", voice)):
        assert kept["desk"][modality].seconds == written.seconds
        np.testing.assert_allclose(kept["desk"][modality].cosines, written.cosines, atol=1e-5)


def test_other_sources_and_modalities_stay(tmp_path: Path, bundle: Bundle) -> None:
    file = tmp_path / "neutral.yaml"
    write_points(file, bundle, "desk", {"face": point(bundle, 1), "voice": point(bundle, 2)})
    write_points(file, bundle, "door", {"face": point(bundle, 3)})
    write_points(file, bundle, "desk", {"voice": point(bundle, 4)})
    kept = read_points(file, bundle).points
    assert {source: set(parts) for source, parts in kept.items()} == {
        "desk": {"face", "voice"},
        "door": {"face"},
    }
    np.testing.assert_allclose(kept["desk"]["face"].cosines, point(bundle, 1).cosines, atol=1e-5)
    np.testing.assert_allclose(kept["desk"]["voice"].cosines, point(bundle, 4).cosines, atol=1e-5)


def test_only_its_user_may_read_it(tmp_path: Path, bundle: Bundle) -> None:
    file = tmp_path / "state" / "neutral.yaml"
    write_points(file, bundle, "desk", {"face": point(bundle, 1)})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["neutral.yaml"]


def test_points_of_another_model_are_told_and_not_used(tmp_path: Path, bundle: Bundle) -> None:
    file, other = tmp_path / "neutral.yaml", replace(bundle, version="other@7", sha256="0" * 64)
    write_points(file, other, "desk", {"face": point(bundle, 1)})
    kept = read_points(file, bundle)
    assert (kept.points, kept.other_model) == ({}, "other@7")
    write_points(file, bundle, "door", {"face": point(bundle, 2)})
    assert set(read_points(file, bundle).points) == {"door"}


def test_no_file_is_no_points(tmp_path: Path, bundle: Bundle) -> None:
    assert read_points(tmp_path / "none.yaml", bundle).points == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", r"neutral.yaml:1: not valid YAML.*run `emostream calibrate` again"),
        ("model: live@1", r"sha256: missing.*run `emostream calibrate` again"),
        (
            "model: live@1\nsha256: SHA\nsources: {desk: {face: {seconds: 8, cosines: {}}}}",
            "there is nothing for",
        ),
        ("model: live@1\nsha256: SHA\nsources: {desk: {text: {seconds: 8, cosines: {}}}}", "desk"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, bundle: Bundle, content: str, said: str) -> None:
    file = tmp_path / "neutral.yaml"
    file.write_text(content.replace("SHA", bundle.sha256))
    with pytest.raises(NeutralPointsError, match=f"(?s){said}"):
        read_points(file, bundle)


def test_a_place_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NeutralPointsError, match=r"cannot be written.*`baseline.points`"):
        write_points(tmp_path / "file" / "neutral.yaml", bundle, "desk", {"face": point(bundle, 1)})


def test_it_lies_in_the_users_state_folder_unless_the_configuration_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert points_file(BaselineSection()) == tmp_path / "emostream" / "neutral.yaml"
    assert points_file(BaselineSection(points=Path("/here.yaml"))) == Path("/here.yaml")
