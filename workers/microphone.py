"""Publishes what a microphone hears: 16 kHz mono, in blocks of 50 ms."""

from __future__ import annotations

import contextlib
import queue
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import av
import numpy as np
import pyaudio

from stream.clock import now_ns
from stream.config import Microphone
from stream.messages import SAMPLE_RATE_HZ, Int16Array, Pcm
from stream.windows import NS_PER_S
from workers.capture import Capture, DeviceLostError
from workers.devices import MicrophoneInfo, microphones_of, open_portaudio
from workers.pcm_clock import BLOCK_NS, PcmClock
from workers.runtime import Worker

_BLOCK = SAMPLE_RATE_HZ * BLOCK_NS // NS_PER_S
_WAIT_S = 0.25


def main(worker: Worker) -> None:
    """Publish the microphone of `worker.source` until told to stop; one that is lost is opened again."""
    assert worker.source.microphone is not None
    worker.wait_for_readers()
    Capture(worker, "pcm", MicrophoneDevice(worker.source.name, worker.source.microphone)).run()


class MicrophoneDevice:
    """A PortAudio input, read by callback, which reports lost audio without losing more."""

    def __init__(self, source: str, microphone: Microphone) -> None:
        self.stall_timeout_s = microphone.stall_timeout_s
        self.name = f"microphone {microphone.device}"
        self._source = source
        self._device = microphone.device
        self._audio: pyaudio.PyAudio | None = None
        self._stream: Any = None
        self._delivered: queue.SimpleQueue[tuple[int, bytes, bool]] = queue.SimpleQueue()
        self._ready: deque[Pcm] = deque()
        self._overflows = 0

    def open(self) -> None:
        """Look for the device anew and start listening."""
        self._audio = open_portaudio()
        info = find_microphone(microphones_of(self._audio), self._device)
        rate_hz, channels, self._stream = self._start(self._audio, info)
        self._blocks = Blocks(rate_hz, channels)
        self._clock = PcmClock()

    def read(self) -> Pcm | None:
        """Return the next block, `None` where none has come for a quarter of a second."""
        while not self._ready:
            try:
                delivered_ns, data, overflowed = self._delivered.get(timeout=_WAIT_S)
            except queue.Empty:
                self._check()
                return None
            self._overflows += overflowed
            for samples, age_ns in self._blocks.accept(data):
                time_ns = self._clock.stamp(delivered_ns - age_ns, gap=overflowed)
                overflowed = False
                self._overflows += self._clock.found_gap
                if time_ns is not None:
                    pcm = Pcm(
                        source=self._source, time_ns=time_ns, samples=samples, overflows=self._overflows
                    )
                    self._ready.append(pcm)
        return self._ready.popleft()

    def close(self) -> None:
        """Let go of PortAudio as a whole: only a new start of it sees devices that were plugged in since."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
        if self._audio is not None:
            self._audio.terminate()
        self._audio = self._stream = None
        self._delivered = queue.SimpleQueue()
        self._ready.clear()

    def _start(self, audio: pyaudio.PyAudio, info: MicrophoneInfo) -> tuple[int, int, Any]:
        """Open the device at our rate, or else at its own, which is then resampled."""
        delivered = self._delivered

        def hear(data: bytes, _frames: int, _times: object, status: int) -> tuple[None, int]:
            delivered.put((now_ns(), data, bool(status & pyaudio.paInputOverflow)))
            return None, pyaudio.paContinue

        reason: Exception | None = None
        for rate_hz, channels in _formats(info):
            try:
                stream = audio.open(
                    rate=rate_hz,
                    channels=channels,
                    format=pyaudio.paInt16,
                    input=True,
                    input_device_index=info.index,
                    frames_per_buffer=rate_hz // 20,
                    stream_callback=hear,
                )
            except (OSError, ValueError) as error:
                reason = error
            else:
                return rate_hz, channels, stream
        raise DeviceLostError(
            f"cannot open the microphone {info.name!r}: {_text(reason)}; is another program using it?"
        )

    def _check(self) -> None:
        try:
            active = self._stream.is_active()
        except OSError as error:
            raise DeviceLostError(f"{self.name} is gone: {_text(error)}; is it plugged in?") from error
        if not active:
            raise DeviceLostError(f"{self.name} has stopped; is it plugged in, and the sound server running?")


class Blocks:
    """Cuts what a device delivers into blocks of 50 ms at 16 kHz mono, resampled where need be."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._layout = "mono" if channels == 1 else "stereo"
        self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ, frame_size=_BLOCK)
        self._channels = channels
        self._taken = 0
        self._given = 0

    def accept(self, data: bytes) -> Iterator[tuple[Int16Array, int]]:
        """Take what was delivered, interleaved int16, and yield the blocks it completes.

        Each is `[800]` int16 and comes with the nanoseconds from its end to the end of `data`.
        """
        samples = np.frombuffer(data, np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = self._rate_hz
        self._taken += len(samples) // self._channels
        for piece in self._resampler.resample(frame):
            self._given += 1
            age_ns = self._taken * NS_PER_S // self._rate_hz - self._given * BLOCK_NS
            yield cast("Int16Array", piece.to_ndarray().ravel()), age_ns


def find_microphone(inputs: list[MicrophoneInfo], device: int | str) -> MicrophoneInfo:
    """Return the input that the configuration means: `default`, an index, or part of a name.

    Raises:
        DeviceLostError: There is none such now.
    """
    wanted = str(device).strip()
    for info in inputs:
        if info.default if wanted == "default" else wanted == str(info.index):
            return info
    for info in inputs:
        if wanted != "default" and wanted.lower() in info.name.lower():
            return info
    there = ", ".join(f"{info.index} {info.name!r}" for info in inputs) or "none"
    raise DeviceLostError(f"there is no microphone {wanted!r}; is it plugged in? Inputs now: {there}")


def _formats(info: MicrophoneInfo) -> list[tuple[int, int]]:
    """Return the rates and channel counts to try, best first."""
    return [(SAMPLE_RATE_HZ, 1), (info.rate_hz, 1), (info.rate_hz, min(info.channels, 2))]


def _text(error: Exception | None) -> str:
    return str(error.args[-1]) if error is not None and error.args else str(error)
