"""The microphone worker hears speech through PulseAudio, ALSA and PortAudio, through loss and return."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from stream.messages import End, Pcm
from tests.workers.pulse_server import PulseServer
from tests.workers.running import RunningWorker
from workers.capture import EXIT_STALLED, DeviceLostError
from workers.devices import MicrophoneInfo
from workers.microphone import Blocks, find_microphone

StartWorker = Callable[..., RunningWorker]


def _blocks(worker: RunningWorker) -> list[Pcm]:
    return [r.message for r in worker.of("pcm") if isinstance(r.message, Pcm)]


def _loudness(blocks: list[Pcm]) -> float:
    """Root mean square of the samples."""
    return float(np.sqrt(np.mean(np.square(np.concatenate([b.samples for b in blocks]).astype(float)))))


def _longest_step_ns(blocks: list[Pcm]) -> int:
    return max((b.time_ns - a.time_ns for a, b in pairwise(blocks)), default=0)


def _microphone(device: str = "default") -> dict[str, object]:
    return {"name": "desk", "microphone": {"device": device, "stall_timeout_s": 5.0}}


def test_speech_is_heard_on_a_steady_grid(
    pulse_server: PulseServer, start_worker: StartWorker, asset: Callable[[str], Path]
) -> None:
    worker = start_worker("microphone", _microphone(), environment=pulse_server.environment)
    worker.read_until(lambda: len(_blocks(worker)) >= 20)
    assert _loudness(_blocks(worker)) < 1
    pulse_server.play(asset("beckett"))
    worker.read_until(lambda: _loudness(_blocks(worker)[-40:]) > 300)
    worker.read_until(lambda: len(_blocks(worker)) >= 100)
    blocks = _blocks(worker)
    assert all(block.samples.shape == (800,) for block in blocks)
    assert all(block.samples.dtype == np.int16 for block in blocks)
    steps = np.diff([block.time_ns for block in blocks])
    assert steps.min() >= 45_000_000
    assert np.median(steps) == pytest.approx(50_000_000, rel=0.02)
    assert worker.stop() == 0
    assert "ALSA" not in worker.log
    assert "jack" not in worker.log.lower()


def test_a_lost_microphone_is_found_again(
    pulse_server: PulseServer, start_worker: StartWorker, long_speech: Path
) -> None:
    worker = start_worker("microphone", _microphone(), environment=pulse_server.environment)
    worker.read_until(lambda: len(_blocks(worker)) >= 5)
    pulse_server.kill()
    worker.read_until(lambda: worker.states[-1].state == "lost")
    assert "sound server" in worker.states[-1].detail
    seen = len(_blocks(worker))
    pulse_server.start()
    pulse_server.play(long_speech)
    worker.read_until(lambda: len(_blocks(worker)) >= seen + 40)
    worker.read_until(lambda: worker.states[-1].state == "running")
    worker.read_until(lambda: _loudness(_blocks(worker)[-40:]) > 300)
    assert worker.process.poll() is None
    assert np.diff([block.time_ns for block in _blocks(worker)]).min() > 0


def test_audio_that_was_lost_is_counted(pulse_server: PulseServer, start_worker: StartWorker) -> None:
    source = {"name": "desk", "microphone": {"stall_timeout_s": 30.0}}
    worker = start_worker("microphone", source, environment=pulse_server.environment)
    worker.read_until(lambda: len(_blocks(worker)) >= 20)
    before, overflows = len(_blocks(worker)), _blocks(worker)[-1].overflows
    worker.process.send_signal(signal.SIGSTOP)
    time.sleep(3)  # longer than the sound server keeps what nobody fetches
    worker.process.send_signal(signal.SIGCONT)
    worker.read_until(lambda: worker.states[-1].counters["overflows"] > overflows)
    assert worker.states[-1].counters["times_opened"] == 1
    worker.read_until(lambda: _longest_step_ns(_blocks(worker)[before - 1 :]) > 1_000_000_000)


def test_a_sound_server_that_hangs_ends_the_process_for_a_new_start(
    pulse_server: PulseServer, start_worker: StartWorker
) -> None:
    source = {"name": "desk", "microphone": {"stall_timeout_s": 3.0}}
    worker = start_worker("microphone", source, environment=pulse_server.environment)
    worker.read_until(lambda: bool(_blocks(worker)))
    pulse_server.freeze()
    assert worker.read_to_end() == EXIT_STALLED
    assert worker.states[-1].state == "lost"
    assert "hangs" in worker.states[-1].detail


def test_alsa_that_is_not_set_up_is_refused(start_worker: StartWorker, tmp_path: Path) -> None:
    bare = {"ALSA_CONFIG_PATH": str(tmp_path / "none")}
    worker = start_worker("microphone", _microphone(), environment=bare)
    assert worker.read_to_end() == 78
    (end,) = (r.message for r in worker.of("pcm"))
    assert isinstance(end, End)
    assert "install the package libasound2-data" in end.why


def test_a_microphone_that_is_not_there_is_named(start_worker: StartWorker, tmp_path: Path) -> None:
    config = tmp_path / "asound.conf"
    config.write_text("</usr/share/alsa/alsa.conf>\n")
    silent = {"ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    worker = start_worker("microphone", _microphone("Yeti"), environment=silent)
    worker.read_until(lambda: bool(worker.states) and worker.states[-1].state == "lost")
    assert "there is no microphone 'Yeti'; is it plugged in? Inputs now: " in worker.states[-1].detail
    assert worker.stop() == 0


def test_inputs_are_found_by_default_index_and_name() -> None:
    built_in = MicrophoneInfo(index=3, name="HDA Intel PCH: ALC257", rate_hz=48_000, channels=2, default=True)
    headset = MicrophoneInfo(index=7, name="USB Headset 3", rate_hz=44_100, channels=1, default=False)
    inputs = [built_in, headset]
    assert find_microphone(inputs, "default") is built_in
    assert find_microphone(inputs, 7) is headset
    assert find_microphone(inputs, "3") is built_in
    assert find_microphone(inputs, "usb head") is headset
    with pytest.raises(DeviceLostError, match="Inputs now: 3 'HDA Intel PCH: ALC257', 7 'USB Headset 3'"):
        find_microphone(inputs, "Yeti")


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (44_100, 1), (48_000, 2), (8_000, 2)])
def test_every_rate_gives_the_same_tone_in_50_ms_blocks(rate_hz: int, channels: int) -> None:
    blocks = Blocks(rate_hz, channels)
    times = np.arange(2 * rate_hz) / rate_hz
    tone = np.repeat(8000 * np.sin(2 * np.pi * 440 * times), channels).astype("<i2")
    heard = []
    for data in np.array_split(tone.reshape(-1, channels), 40):
        for samples, age_ns in blocks.accept(data.tobytes()):
            heard.append(samples)
            assert samples.shape == (800,)
            assert 0 <= age_ns <= 55_000_000
    assert 38 <= len(heard) <= 40
    audio = np.concatenate(heard)[1600:-1600].astype(float)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert spectrum.argmax() * 16_000 / len(audio) == pytest.approx(440, abs=1)
    assert np.abs(audio).max() == pytest.approx(8000, rel=0.02)
