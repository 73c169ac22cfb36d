"""`emostream evaluate --manifest`: the committed bundle measured on a handful of anyone's files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from models.media import read_audio
from stream.messages import SAMPLE_RATE_HZ
from workers.cli.main import main

LIVE = Path(__file__).resolve().parents[3] / "models" / "bundles" / "live"


def run(*arguments: str | Path) -> int:
    """Return the exit status of `emostream evaluate` of the committed bundle."""
    try:
        main(["evaluate", str(LIVE), *(str(argument) for argument in arguments)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def folder(asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with stills, videos and clips of speech."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
    folder = tmp_path_factory.mktemp("mine")
    shutil.copytree(asset("expression-stills"), folder / "stills")
    shutil.copy(asset("single-face") / "single_face.mp4", folder)
    shutil.copy(asset("carphone"), folder / "silent.mp4")
    speech = read_audio(asset("two-cities"))
    for i in range(3):
        soundfile.write(folder / f"{i}.wav", speech[i * 32000 : (i + 1) * 32000], SAMPLE_RATE_HZ)
    (folder / "broken.wav").write_bytes(b"RIFF" + bytes(100))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def results(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str], table: str
) -> tuple[dict[str, Any], str]:
    """Return what is measured on a table and what is said meanwhile."""
    (folder / "mine.csv").write_text(table)
    assert run("--manifest", folder / "mine.csv", "--cache", cache, "--json") == 0
    printed = capsys.readouterr()
    return json.loads(printed.out)["corpora"], printed.err


def test_each_modality_is_measured_with_words_of_any_kind(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = results(
        folder,
        cache,
        capsys,
        "image,video,audio,text,emotion,speaker\n"
        "stills/0-f1-su-ph.jpg,,,,astonished,\n"
        "stills/0-f15-hao-ph.jpg,,,,joy,\n"
        ",single_face.mp4,1.wav,,joy,Ann\n"
        ",,0.wav,,boredom,Ann\n"
        ",,,what a wonderful surprise,joy,\n"
        ",,,this makes me so furious,rage,\n",
    )
    assert {name: (each["modality"], each["examples"]) for name, each in found.items()} == {
        "mine-face": ("face", 3),
        "mine-voice": ("voice", 2),
        "mine-text": ("text", 2),
    }
    assert found["mine-face"]["found"] == 1
    assert found["mine-face"]["accuracy"] == 1
    recalls = {emotion: each["recall"] for emotion, each in found["mine-text"]["emotions"].items()}
    assert recalls == {"joy": 1, "rage": 1}
    for each in found.values():
        assert {"accuracy", "uar", "weighted_f1", "ece"} <= set(each)
        assert "skipped" not in each


def test_files_that_cannot_be_read_are_named_skipped_and_counted(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, said = results(
        folder,
        cache,
        capsys,
        "audio,emotion\n0.wav,joy\nbroken.wav,joy\ngone.wav,sadness\n1.wav,sadness\n",
    )
    assert (found["mine-voice"]["examples"], found["mine-voice"]["skipped"]) == (2, 2)
    assert "mine-voice: line 3 is skipped: it is not media that can be decoded" in said
    assert f"line 4 is skipped: {folder / 'mine.csv'}:4: audio: {folder / 'gone.wav'} does not exist" in said
    assert run("--manifest", folder / "mine.csv", "--cache", cache) == 0
    assert "2 skipped" in capsys.readouterr().out


def test_a_silent_video_is_measured_by_its_face_alone(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, said = results(folder, cache, capsys, "video,emotion\nsilent.mp4,joy\n")
    assert list(found) == ["mine-face"]
    assert "not measured: mine-voice: none of 1 examples can be read; the first: it has no sound" in said


def test_several_labels_take_their_thresholds_from_the_validation_part(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = "I love this;joy;love|I miss her so much;sadness;love|leave me alone;anger|how lovely;joy"
    texts = [row.split(";", 1) for row in written.split("|")]
    macro_f1 = []
    for splits in (["test"], ["validation", "test"]):
        rows = [f"{text},{emotions},{split}\n" for split in splits for text, emotions in texts]
        found, _ = results(folder, cache, capsys, "text,emotion,split\n" + "".join(rows))
        assert set(found["mine-text"]["emotions"]) == {"anger", "joy", "love", "sadness"}
        macro_f1.append(found["mine-text"]["macro_f1"])
    assert macro_f1[1] > macro_f1[0], "both parts are the same, so that the thresholds are the best"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("text,emotion,split\nhi,joy,train\n", "mine-text has no test part; add examples to it"),
        ("txt,emotion\nhi,joy\n", "mine.csv:1: there is no column 'txt', did you mean text?"),
        ("audio,emotion\ngone.wav,joy\n", "mine-voice: none of 1 examples can be read; the first: "),
    ],
)
def test_what_cannot_be_measured_ends_with_a_message(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str], table: str, said: str
) -> None:
    (folder / "mine.csv").write_text(table)
    assert run("--manifest", folder / "mine.csv", "--cache", cache) == 2
    assert said in capsys.readouterr().err


def test_without_data_of_any_kind_it_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "--data, or your own data with --manifest" in capsys.readouterr().err
    assert run("--manifest", "mine.csv", "--corpus", "ravdess") == 2
    assert "--data" in capsys.readouterr().err
