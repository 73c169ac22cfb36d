"""What cannot be used is refused in one clear line, and nothing else is disturbed by it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.cache import cache_folder
from models.offline import score_media
from models.opening import open_bundle
from stream import EmotionMessage
from stream.config import Config, load_config
from tests.clips import pictures, speech, write_clip
from tests.workers.command_line import Outcome, emostream
from tests.workers.daemon import Daemon, own_environment, processes_left, running_daemon

FRAMES = range(0, 1500, 100)
UNEVEN_FRAMES = [0, 33, 66, 300, 320, 333, 700, 733, 900, 933, 1000, 1100, 1300, 1400, 1433]
FLOORS = "face: {coverage_floor: 0.05}\nvoice: {coverage_floor: 0.05}\ntranscript: {engine: 'off'}"
Clips = dict[str, Path]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, asset: Callable[[str], Path]) -> Clips:
    """Give media files of 1.5 to 2 s by what is odd about them, and two that are none."""
    folder = tmp_path_factory.mktemp("clips")
    face = pictures(asset("demo-face"), len(FRAMES), every=2)
    voice = speech(asset("beckett"), 2.0)
    (folder / "text.mp4").write_text("Dear diary,\n" * 50)
    return {
        "good": write_clip(folder / "good.mkv", images=face, times_ms=FRAMES, samples=voice),
        "missing": folder / "missing.mp4",
        "text": folder / "text.mp4",
        "audio-only-8khz": write_clip(folder / "audio.wav", samples=voice, rate_hz=8000),
        "video-only-4k": write_clip(folder / "4k.mp4", images=face, times_ms=FRAMES, size=(3840, 2160)),
        "tiny-48khz-stereo": write_clip(
            folder / "tiny.mp4",
            images=face,
            times_ms=FRAMES,
            size=(64, 64),
            samples=voice,
            rate_hz=48_000,
            layout="stereo",
        ),
        "uneven": write_clip(folder / "uneven.mkv", images=face, times_ms=UNEVEN_FRAMES, samples=voice),
    }


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, asset: Callable[[str], Path]) -> Path:
    """Give a cache folder with what a run needs and nothing else."""
    folder = tmp_path_factory.mktemp("cache")
    copy_assets(folder, asset)
    return folder


@pytest.fixture(scope="module")
def played(make_short_folder: Callable[[], Path], clips: Clips, cache: Path) -> Daemon:
    """Give a daemon that has played all clips side by side, with a cache that may not be written."""
    for folder in (*cache.iterdir(), cache):
        folder.chmod(0o555)
    sources = "".join(f"  - {{name: {name}, file: {{path: '{path}'}}}}\n" for name, path in clips.items())
    with running_daemon(
        make_short_folder(),
        f"sources:\n{sources}pace: lossless\n{FLOORS}",
        environment={"EMOSTREAM_CACHE": str(cache)},
    ) as daemon:
        assert daemon.wait() == 1, daemon.log
    for folder in (cache, *cache.iterdir()):
        folder.chmod(0o755)
    return daemon


def copy_assets(folder: Path, asset: Callable[[str], Path]) -> None:
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
        shutil.copytree(cache_folder() / name, folder / name)


def of(daemon: Daemon, source: str) -> list[EmotionMessage]:
    messages = [message for message in daemon.emotions if message.source == source]
    assert [message.seq for message in messages] == list(range(len(messages)))
    assert all(b.window.start_ns - a.window.start_ns == 100_000_000 for a, b in pairwise(messages))
    return messages


def distances(message: EmotionMessage) -> list[float]:
    return [emotion.distance for emotion in message.emotions]


# -- media ------------------------------------------------------------------------------------------


def test_the_good_clip_beside_the_bad_ones_is_scored_as_if_alone(played: Daemon, clips: Clips) -> None:
    alone = list(score_media(clips["good"], load_config(played.folder / "emostream.yaml")))
    among = of(played, "good")
    assert len(among) == len(alone) >= 20
    for ours, theirs in zip(among, alone, strict=True):
        np.testing.assert_allclose(distances(ours), distances(theirs), atol=1e-5)
    assert among[-1].evidence["face"].used
    assert among[-1].evidence["voice"].used


@pytest.mark.parametrize(
    ("source", "complaint"), [("missing", "does not exist; check the path"), ("text", "is not media")]
)
def test_what_is_no_media_is_refused_in_one_line(
    played: Daemon, clips: Clips, source: str, complaint: str
) -> None:
    why = f"{clips[source]} {complaint}"
    assert played.wait() == 1
    assert played.log.count(why) == 1
    assert "Traceback" not in played.log
    assert not of(played, source)
    states = [s.state for health in played.health for s in health.sources if s.source == source]
    assert "lost" in states
    assert any(
        worker.state == "failed" and worker.detail.startswith(why)
        for health in played.health
        for worker in health.workers
        if (worker.worker, worker.source) == ("media", source)
    )


@pytest.mark.parametrize(
    ("source", "length_s", "face", "voice"),
    [
        ("audio-only-8khz", 2.0, "no video stream", None),
        ("video-only-4k", 1.5, None, "no audio stream"),
        ("tiny-48khz-stereo", 2.0, None, None),
        ("uneven", 2.0, None, None),
    ],
)
def test_odd_media_is_scored_to_its_end(
    played: Daemon, source: str, length_s: float, face: str | None, voice: str | None
) -> None:
    messages = of(played, source)
    assert len(messages) >= length_s * 10
    heard_and_seen = messages[13]  # 1.4 s in, before any stream has ended
    assert heard_and_seen.evidence["face"].why == face
    assert heard_and_seen.evidence["voice"].why == voice
    assert len(heard_and_seen.emotions) == 6


def test_nothing_is_written_to_the_cache(played: Daemon, cache: Path, tmp_path: Path, asset) -> None:
    assert played.emotions
    copy_assets(tmp_path, asset)
    files = {
        path.relative_to(tmp_path): path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()
    }
    assert {p.relative_to(cache): p.stat().st_size for p in cache.rglob("*") if p.is_file()} == files


# -- what the daemon itself is given ----------------------------------------------------------------


@pytest.fixture
def run(short_folder: Path, clips: Clips) -> Callable[..., Outcome]:
    """Give a function that runs a daemon on an audio file, with more configuration, to its end."""

    def run(config: str) -> Outcome:
        file = short_folder / "emostream.yaml"
        audio = clips["audio-only-8khz"]
        file.write_text(f"sources: {{name: clip, file: {{path: '{audio}'}}}}\n{FLOORS}\n{config}\n")
        return emostream("run", "--config", str(file), environment=own_environment(short_folder))

    return run


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Give a copy of the bundle, to be spoiled."""
    config = Config.model_validate({"sources": {"name": "x", "microphone": {}}})
    return shutil.copytree(open_bundle(config).folder, tmp_path / "bundle")


def test_a_port_in_use_is_named_and_everything_stops(run: Callable[..., Outcome], short_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        endpoint = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        outcome = run(f"stream: {{endpoint: '{endpoint}'}}")
    assert outcome.status == 1
    assert f"{endpoint} is in use: another program, or another emostream, publishes there" in outcome.err
    assert "Traceback" not in outcome.err
    assert not processes_left(short_folder)


def test_a_changed_bundle_is_refused(run: Callable[..., Outcome], bundle: Path, short_folder: Path) -> None:
    with (bundle / "model.onnx").open("ab") as graph:
        graph.write(b"\0")
    outcome = run(f"inference: {{bundle: '{bundle}'}}\nstream: {{endpoint: 'ipc://{short_folder}/public'}}")
    assert outcome.status == 1
    assert f"{bundle}/model.onnx is not the file that model.yaml describes" in outcome.err
    assert "copy the whole bundle again" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_bundle_of_another_embedding_space_is_refused(
    run: Callable[..., Outcome], bundle: Path, short_folder: Path, asset: Callable[[str], Path]
) -> None:
    asset("glove-6b-50d")
    manifest = bundle / "model.yaml"
    manifest.write_text(manifest.read_text().replace("minilm-l6", "glove-6b-50d"))
    outcome = run(f"inference: {{bundle: '{bundle}'}}\nstream: {{endpoint: 'ipc://{short_folder}/public'}}")
    assert outcome.status == 1
    assert "glove-6b-50d" in outcome.err
    assert f"{bundle}/model.yaml" in outcome.err
    assert "Traceback" not in outcome.err


def test_an_empty_vocabulary_is_refused_before_anything_starts(
    run: Callable[..., Outcome], short_folder: Path
) -> None:
    vocabulary = short_folder / "none.yaml"
    vocabulary.write_text("name: none\nemotions: []\n")
    outcome = run("vocabulary: none.yaml")
    assert outcome.status == 2
    assert outcome.err.startswith(f"error: {vocabulary}:2: emotions = ")
    assert not processes_left(short_folder)
    assert {path.name for path in short_folder.iterdir()} == {"emostream.yaml", "none.yaml"}


@pytest.mark.parametrize("damage", ["cut short", "overwritten"])
def test_a_damaged_asset_is_named_and_costs_only_what_needs_it(
    make_short_folder: Callable[[], Path],
    asset: Callable[[str], Path],
    tmp_path: Path,
    clips: Clips,
    damage: str,
) -> None:
    copy_assets(tmp_path, asset)
    model = tmp_path / "face_landmarker" / asset("face_landmarker").name
    size = model.stat().st_size
    model.write_bytes(bytes(size) if damage == "overwritten" else bytes(size // 2))
    config = f"sources: {{name: clip, file: {{path: '{clips['good']}'}}}}\npace: lossless\n{FLOORS}"
    with running_daemon(
        make_short_folder(), config, environment={"EMOSTREAM_CACHE": str(tmp_path)}
    ) as daemon:
        assert daemon.wait() == 1
    assert str(model) in daemon.log
    assert "emostream assets fetch face_landmarker" in daemon.log
    assert "Traceback" not in daemon.log
    last = of(daemon, "clip")[-1]
    assert str(model) in (last.evidence["face"].why or "")
    assert last.evidence["voice"].used
