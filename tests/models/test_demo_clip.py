"""The demo clip has the video's pictures and the speech's sound, together and of one length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from models.demo_clip import demo_clip, mux
from stream.messages import Int16Array


def test_picture_and_speech_run_side_by_side(asset: Callable[[str], Path], tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    mux(asset("demo-face"), asset("two-cities"), clip)
    pictures, time_s = 0, 0.0
    sound: list[Int16Array] = []
    with av.open(str(clip)) as container:
        assert container.duration == pytest.approx(19.69e6, abs=0.05e6)
        for frame in container.decode():
            assert frame.time is not None
            assert frame.time > time_s - 0.2  # interleaved, so that a reader need not hold one back
            time_s = frame.time
            if isinstance(frame, av.VideoFrame):
                pictures += 1
            else:
                sound.append(frame.to_ndarray()[0].astype(np.int16))
    samples = np.concatenate(sound)
    assert pictures == 472
    assert len(samples) / 16_000 == pytest.approx(19.7, abs=0.1)
    assert np.abs(samples[-16_000:]).max() > 1000  # speech to the end


def test_it_is_made_once(asset: Callable[[str], Path]) -> None:
    for name in ("demo-face", "two-cities"):
        asset(name)
    clip = demo_clip()
    made = clip.stat().st_mtime_ns
    assert demo_clip() == clip
    assert clip.stat().st_mtime_ns == made
