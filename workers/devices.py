"""What cameras and microphones this machine has, and PortAudio without its noise."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyaudio

from stream.errors import UserError

_SYSFS_CAMERAS = Path("/sys/class/video4linux")


class SoundError(UserError):
    """The sound system of this machine cannot be used; the text says what to install."""


@dataclass(frozen=True)
class CameraInfo:
    """One video device; a camera may have several, of which the first gives the picture."""

    path: Path
    name: str


@dataclass(frozen=True)
class MicrophoneInfo:
    """One PortAudio input."""

    index: int
    name: str
    rate_hz: int
    """The rate it prefers."""
    channels: int
    default: bool


def list_cameras() -> list[CameraInfo]:
    """Return the V4L2 devices, by number."""
    entries = sorted(_SYSFS_CAMERAS.glob("video*"), key=lambda entry: (len(entry.name), entry.name))
    return [CameraInfo(Path("/dev") / entry.name, _camera_name(entry)) for entry in entries]


def list_microphones() -> list[MicrophoneInfo]:
    """Return the inputs that PortAudio sees now; none without a sound card or sound server.

    Raises:
        SoundError: As `open_portaudio`.
    """
    audio = open_portaudio()
    try:
        return microphones_of(audio)
    finally:
        audio.terminate()


def microphones_of(audio: pyaudio.PyAudio) -> list[MicrophoneInfo]:
    """Return the inputs known to `audio`: those that were there when it was made."""
    try:
        default = audio.get_default_input_device_info()["index"]
    except OSError:
        default = None
    infos = [audio.get_device_info_by_index(i) for i in range(audio.get_device_count())]
    return [
        MicrophoneInfo(
            index=int(info["index"]),
            name=str(info["name"]),
            rate_hz=round(float(info["defaultSampleRate"])),
            channels=int(info["maxInputChannels"]),
            default=info["index"] == default,
        )
        for info in infos
        if int(info["maxInputChannels"]) > 0
    ]


def open_portaudio() -> pyaudio.PyAudio:
    """Start PortAudio, which looks for devices only now; without the complaints of ALSA and JACK.

    Raises:
        SoundError: ALSA is not set up on this machine.
    """
    _prepare_alsa()
    with _no_stderr():
        return pyaudio.PyAudio()


def _camera_name(entry: Path) -> str:
    try:
        return (entry / "name").read_text().strip()
    except OSError:
        return "unknown"


_AlsaErrorHandler = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
# ALSA keeps the pointer, so this must live as long as the process.
_ignore_alsa_error = _AlsaErrorHandler(lambda *_: None)


def _prepare_alsa() -> None:
    """Keep ALSA from writing to standard error about every device that its configuration names in vain."""
    try:
        alsa = ctypes.CDLL("libasound.so.2")
    except OSError:
        return  # a PortAudio built without it
    alsa.snd_lib_error_set_handler(_ignore_alsa_error)
    # PortAudio aborts the whole process where ALSA knows no kind of device at all.
    devices = ctypes.c_void_p()
    known = alsa.snd_config_update() >= 0 and (
        alsa.snd_config_search(ctypes.c_void_p.in_dll(alsa, "snd_config"), b"pcm", ctypes.byref(devices)) >= 0
    )
    if not known:
        raise SoundError("ALSA is not set up on this machine; install the package libasound2-data")


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Drop what libraries write to standard error; JACK's has no other switch that works for all versions."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
