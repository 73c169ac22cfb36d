"""The camera worker watches a camera on the network, through its loss and return."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from stream.messages import End, Frame
from tests.workers.network_cameras import MjpegCamera, NetworkCamera, RtspCamera
from tests.workers.running import RunningWorker
from workers.camera import FrameInterval

StartCamera = Callable[[NetworkCamera], NetworkCamera]
StartWorker = Callable[..., RunningWorker]


@pytest.fixture(params=["http", "rtsp"])
def camera(
    request: pytest.FixtureRequest, start_camera: StartCamera, asset: Callable[[str], Path]
) -> NetworkCamera:
    """Give a running camera on the network."""
    return start_camera(MjpegCamera() if request.param == "http" else RtspCamera(asset("demo-face")))


def _frames(worker: RunningWorker) -> list[Frame]:
    return [r.message for r in worker.of("frame") if isinstance(r.message, Frame)]


def _camera(device: str, **options: object) -> dict[str, object]:
    return {"name": "desk", "camera": {"device": device, **options}}


def test_frames_come_with_their_times(camera: NetworkCamera, start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera(camera.url))
    worker.read_until(lambda: len(_frames(worker)) >= 40)
    frames = _frames(worker)
    assert all(a.time_ns < b.time_ns for a, b in pairwise(frames))
    assert {frame.image.shape for frame in frames} <= {(480, 640, 3), (360, 640, 3)}
    assert np.ptp(frames[-1].image) > 200
    assert worker.states[-1].state == "running"
    promised = [b.time_ns - a.next_ns for a, b in pairwise(frames[10:])]
    assert np.median(promised) >= 0
    assert worker.stop() == 0
    assert [state.state for state in worker.states][-1] == "ended"


def test_wide_frames_are_scaled_down(start_camera: StartCamera, start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera(start_camera(MjpegCamera()).url, width=320))
    worker.read_until(lambda: bool(_frames(worker)))
    assert _frames(worker)[0].image.shape == (240, 320, 3)


def test_a_lost_camera_is_found_again(camera: NetworkCamera, start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera(camera.url))
    worker.read_until(lambda: len(_frames(worker)) >= 5)
    camera.kill()
    worker.read_until(lambda: worker.states[-1].state == "lost")
    assert camera.url in worker.states[-1].detail
    seen = len(_frames(worker))
    camera.start()
    worker.read_until(lambda: len(_frames(worker)) >= seen + 5 and worker.states[-1].state == "running")
    assert worker.process.poll() is None
    counters = worker.states[-1].counters
    assert counters["read_failures"] == 1
    assert counters["times_opened"] == 2


def test_a_camera_that_falls_silent_is_lost(camera: NetworkCamera, start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera(camera.url, stall_timeout_s=3.0))
    worker.read_until(lambda: len(_frames(worker)) >= 5)
    camera.freeze()
    worker.read_until(lambda: worker.states[-1].state == "lost")
    camera.kill()
    camera.start()
    worker.read_until(lambda: worker.states[-1].state == "running")


def test_a_missing_device_is_named_with_the_remedy(start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera("/dev/video87"))
    worker.read_until(lambda: bool(worker.states) and worker.states[-1].state == "lost")
    assert "cannot open /dev/video87: no such device; is it plugged in?" in worker.states[-1].detail
    assert worker.stop() == 0


def test_secrets_of_an_address_are_not_told(start_worker: StartWorker) -> None:
    worker = start_worker("camera", _camera("http://admin:sesame@127.0.0.1:9/cam?key=sesame"))
    worker.read_until(lambda: bool(worker.states) and worker.states[-1].state == "lost")
    assert "http://127.0.0.1:9/cam" in worker.states[-1].detail
    assert worker.stop() == 0
    assert "sesame" not in worker.log + str(worker.states)


def test_what_is_no_camera_is_refused(start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker("camera", _camera(str(tmp_path / "clip.mp4")))
    assert worker.read_to_end() == 78
    (end,) = (r.message for r in worker.of("frame"))
    assert isinstance(end, End)
    assert "a media file goes under `file:`" in end.why


def test_the_next_frame_is_promised_no_later_than_it_may_come() -> None:
    interval = FrameInterval()
    times = [0, 40, 80, 110, 160, 200, 230, 280, 320, 350, 400]
    promises = [interval.next_after(time) for time in times]
    assert promises[:5] == times[:5]
    for k in range(5, 10):
        assert times[k] < promises[k] <= times[k + 1]
