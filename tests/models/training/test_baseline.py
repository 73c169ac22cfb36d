"""A bundle is measured on neutral evidence, and the personal baseline on speakers it has not heard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.bundle import Bundle, load_bundle
from models.training import baseline_study, neutral
from models.training.baseline_study import Scores, summary
from stream.messages import SAMPLE_RATE_HZ

LIVE = Path(__file__).resolve().parents[3] / "models" / "bundles" / "live"


@pytest.fixture(scope="module")
def data(corpora: Path, asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the tiny corpora with three neutral clips of every RAVDESS actor, cut from one another."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
    folder = tmp_path_factory.mktemp("data")
    for name in ("fer2013.zip", "nemo", "ravdess", "goemotions"):
        (shutil.copytree if (corpora / name).is_dir() else shutil.copy)(corpora / name, folder / name)
    for clip in sorted((folder / "ravdess").glob("03-01-01-*.flac")):
        samples, _ = soundfile.read(clip, dtype="int16")
        for number in (2, 3):
            path = clip.with_name(clip.name.replace("-01-01-01-", f"-01-01-0{number}-", 1))
            soundfile.write(path, samples[number * SAMPLE_RATE_HZ // 8 :], SAMPLE_RATE_HZ)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def measured(data: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Give a copy of the live bundle, measured anew on the tiny corpora."""
    copy = Path(shutil.copytree(LIVE, tmp_path_factory.mktemp("bundle") / "live"))
    neutral.main([str(copy), "--data", str(data), "--cache", str(cache)])
    return load_bundle(copy)


def test_what_neutral_speech_gives_is_written_into_the_bundle(measured: Bundle) -> None:
    before = load_bundle(LIVE).neutral["voice"]
    after = measured.neutral["voice"]
    assert after.cosines.shape == before.cosines.shape
    assert not np.allclose(after.cosines, before.cosines)
    assert (np.abs(after.cosines) <= 1).all()
    assert 0 < after.spread < 1


def test_nothing_else_in_the_bundle_changes(measured: Bundle) -> None:
    live = load_bundle(LIVE)
    assert (measured.sha256, measured.version, measured.words) == (live.sha256, live.version, live.words)
    assert measured.calibration == live.calibration


def test_a_modality_without_neutral_examples_has_none(measured: Bundle) -> None:
    assert set(measured.neutral) == {"voice"}, "the only neutral still shows no face"


def test_the_study_tells_before_from_after(
    measured: Bundle, data: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline_study.main(
        [str(measured.folder), "--data", str(data), "--cache", str(cache), "--corpus", "ravdess"]
    )
    figures = json.loads(capsys.readouterr().out)["ravdess"]
    assert (figures["speakers"], figures["clips"]) == (1, 5)
    for when in ("before", "after"):
        assert set(figures[when]["recall"]) >= {"neutral", "sadness"}
        assert 0 <= figures[when]["sadness_of_neutral"] <= 1
    gain, low, high = figures["uar_gain"]
    assert low <= gain <= high


def test_a_corpus_without_two_neutral_clips_of_anybody_is_an_error(
    measured: Bundle, data: Path, cache: Path
) -> None:
    options = [str(measured.folder), "--data", str(data), "--cache", str(cache), "--corpus", "nemo"]
    with pytest.raises(SystemExit, match=r"nemo has no speaker with two neutral clips in its test part"):
        baseline_study.main(options)


def test_the_summary_counts_recalls_and_what_neutral_is_called() -> None:
    concepts = ("neutral", "sadness", "anger")
    sad, right = [0.2, 0.9, 0.1], [0.9, 0.2, 0.1]
    scores = Scores(
        clips=np.array([0, 1, 2, 3]),
        speakers=np.array(["ann", "ann", "bob", "bob"]),
        truth=np.array([0, 0, 1, 2]),
        before=np.array([sad, right, sad, [0.1, 0.2, 0.8]], np.float32),
        after=np.array([right, right, sad, [0.1, 0.2, 0.8]], np.float32),
    )
    found = summary(scores, concepts)
    assert (found["speakers"], found["clips"]) == (2, 4)
    assert found["before"]["recall"] == {"neutral": 0.5, "sadness": 1.0, "anger": 1.0}
    assert (found["before"]["neutral_called_sadness"], found["after"]["neutral_called_sadness"]) == (0.5, 0.0)
    assert found["before"]["sadness_of_neutral"] == pytest.approx(0.55)
    assert found["uar_gain"][0] == pytest.approx(1 / 6, abs=1e-3)
