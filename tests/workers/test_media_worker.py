"""The media worker plays files on their own timestamps, in real time or as fast as its readers take them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.media import VideoFrame, read_media
from stream.messages import End, Frame, Pcm
from stream.windows import seconds_to_ns
from tests.workers.running import RunningWorker

StartWorker = Callable[..., RunningWorker]
MakeClip = Callable[..., Path]

_PICTURE = ("-f", "lavfi", "-i", "testsrc=size=640x480:rate=25")
_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Give a function that has ffmpeg make a clip: `make_clip(name, *arguments)`."""
    if subprocess.run(["which", "ffmpeg"], stdout=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("ffmpeg is not installed (package ffmpeg)")

    def make(name: str, *arguments: str) -> Path:
        path = tmp_path / name
        subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", *arguments, str(path)], check=True)
        return path

    return make


def _file(path: Path) -> dict[str, object]:
    return {"name": "clip", "file": {"path": str(path)}}


def _frames(worker: RunningWorker) -> list[Frame]:
    return [r.message for r in worker.of("frame") if isinstance(r.message, Frame)]


def _chunks(worker: RunningWorker) -> list[Pcm]:
    return [r.message for r in worker.of("pcm") if isinstance(r.message, Pcm)]


def _end(worker: RunningWorker, topic: str) -> End:
    """Return the one `End` of `topic`, which is its last message."""
    ends = [r.message for r in worker.of(topic) if isinstance(r.message, End)]
    assert len(ends) == 1
    assert worker.of(topic)[-1].message is ends[0]
    return ends[0]


@pytest.mark.parametrize(("pace", "hop_s"), [("realtime", 0.1), ("lossless", 0.3)])
def test_a_file_is_played_whole_on_its_own_times(
    talking_clip: Path, make_clip: MakeClip, start_worker: StartWorker, pace: str, hop_s: float
) -> None:
    clip = make_clip("clip.mp4", "-i", str(talking_clip), "-c", "copy", "-t", "3")
    worker = start_worker("media", _file(clip), pace=pace, window={"hop_s": hop_s})
    assert worker.read_to_end() == 0
    stored = list(read_media(clip))
    pictures = [item for item in stored if isinstance(item, VideoFrame)]
    frames, chunks = _frames(worker), _chunks(worker)
    assert len(frames) + sum(r.dropped for r in worker.of("frame")) == len(pictures)
    assert len(chunks) == len(stored) - len(pictures)
    if pace == "lossless":
        assert len(frames) == len(pictures)
    start_ns = chunks[0].time_ns - 50_000_000
    assert start_ns % seconds_to_ns(hop_s) == 0
    assert [c.time_ns for c in chunks] == [start_ns + 50_000_000 * k for k in range(1, len(chunks) + 1)]
    shown = {start_ns + seconds_to_ns(picture.pts_s): picture for picture in pictures}
    for frame in frames:
        assert frame.next_ns == start_ns + seconds_to_ns(shown[frame.time_ns].next_pts_s)
        assert np.array_equal(frame.image, shown[frame.time_ns].image)
    assert _end(worker, "frame").time_ns == start_ns + seconds_to_ns(pictures[-1].next_pts_s)
    assert _end(worker, "pcm").time_ns == chunks[-1].time_ns
    assert _end(worker, "pcm").why == "end of file"
    assert worker.states[-1].state == "ended"
    assert worker.states[-1].counters["packets_corrupt"] == 0


def test_a_slow_reader_loses_nothing_when_lossless(make_clip: MakeClip, start_worker: StartWorker) -> None:
    clip = make_clip("clip.mkv", *_PICTURE, *_TONE, "-c:a", "pcm_s16le", "-t", "1")
    worker = start_worker("media", _file(clip), pace="lossless")
    # The pause is longer than a closed socket waits otherwise; the queue it finds full holds 8 frames.
    assert worker.read_to_end(pause_s=1.0) == 0
    assert len(_frames(worker)) == 25
    assert len(_chunks(worker)) == 20
    assert _end(worker, "frame").why == _end(worker, "pcm").why == "end of file"


def test_each_topic_ends_with_its_own_stream(make_clip: MakeClip, start_worker: StartWorker) -> None:
    clip = make_clip("clip.mkv", *_PICTURE, "-t", "3", "-f", "lavfi", "-t", "1", "-i", "sine", "-t", "3")
    worker = start_worker("media", _file(clip), pace="lossless")
    assert worker.read_to_end() == 0
    assert _end(worker, "frame").time_ns - _end(worker, "pcm").time_ns == pytest.approx(2e9, abs=0.1e9)


def test_audio_only(make_clip: MakeClip, start_worker: StartWorker) -> None:
    worker = start_worker("media", _file(make_clip("tone.wav", *_TONE, "-t", "1")), pace="lossless")
    assert worker.read_to_end() == 0
    assert len(_chunks(worker)) == 20
    end = _end(worker, "frame")
    assert end.why == "no video stream"
    assert end.time_ns == _chunks(worker)[0].time_ns - 50_000_000


def test_video_only(make_clip: MakeClip, start_worker: StartWorker) -> None:
    worker = start_worker("media", _file(make_clip("silent.mp4", *_PICTURE, "-t", "1")), pace="lossless")
    assert worker.read_to_end() == 0
    assert len(_frames(worker)) == 25
    assert _end(worker, "pcm").why == "no audio stream"


def test_a_file_that_breaks_off_is_played_up_to_there(make_clip: MakeClip, start_worker: StartWorker) -> None:
    clip = make_clip("clip.mkv", *_PICTURE, *_TONE, "-t", "4")
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    clip.write_bytes(data)
    worker = start_worker("media", _file(clip), pace="lossless")
    worker.read_to_end()
    assert len(_frames(worker)) >= 25
    assert _end(worker, "frame")
    assert _end(worker, "pcm")


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "does not exist"), ("Dear diary,\n" * 50, "is not media")]
)
def test_what_cannot_be_played_is_refused_in_one_line(
    start_worker: StartWorker, tmp_path: Path, content: str | None, complaint: str
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_text(content)
    worker = start_worker("media", _file(path))
    assert worker.read_to_end() == 78
    why = _end(worker, "frame").why
    assert why == _end(worker, "pcm").why
    assert why.startswith(f"{path} {complaint}")
    assert "\n" not in why
    assert worker.log.count(why) == 1
    assert "Traceback" not in worker.log


def test_it_stops_when_told(start_worker: StartWorker, asset: Callable[[str], Path]) -> None:
    worker = start_worker("media", _file(asset("demo-face")))
    worker.read_until(lambda: len(_frames(worker)) >= 5)
    assert worker.stop() == 0
    assert worker.states[-1].state == "ended"
