"""Cameras, microphones and files: which there are, and whether those of the configuration open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from models.media import MediaError, probe
from stream.config import Camera, Config, Microphone, Source
from workers.camera import without_secrets
from workers.capture import DeviceLostError
from workers.devices import MicrophoneInfo, list_cameras, list_microphones
from workers.doctor.findings import Finding, Status
from workers.microphone import find_microphone

_CONNECT_S = 3.0
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def examine_devices() -> Iterator[Finding]:
    """Yield which devices there are."""
    cameras = list_cameras()
    what = ", ".join(f"{camera.path} ({camera.name})" for camera in cameras) or "none"
    yield Finding("devices", "cameras here", Status.OK, what)
    microphones = list_microphones()
    what = ", ".join(f"{m.index}: {m.name}{' (default)' if m.default else ''}" for m in microphones) or "none"
    yield Finding("devices", "microphones here", Status.OK, what)


def examine_sources(config: Config) -> Iterator[Finding]:
    """Yield whether what each source names can be opened."""
    microphones = list_microphones() if any(source.microphone for source in config.sources) else []
    for source in config.sources:
        if source.camera is not None:
            yield _camera(source, source.camera)
        if source.microphone is not None:
            yield _microphone(source, source.microphone, microphones)
        if source.file is not None:
            yield _file(source, source.file.path)


def _camera(source: Source, camera: Camera) -> Finding:
    name = f"camera of {source.name}"
    device = str(camera.device)
    if "://" in device:
        return _address(name, device)
    path = Path(f"/dev/video{device}" if device.isdigit() else device)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except FileNotFoundError:
        remedy = "plug it in, or change `camera.device`; on a virtual machine pass the device through"
        return Finding("devices", name, Status.FAIL, f"{path} does not exist", remedy)
    except PermissionError:
        remedy = 'sudo usermod -aG video "$USER", then log in again'
        return Finding("devices", name, Status.FAIL, f"{path}: no permission", remedy)
    except OSError as error:
        return Finding("devices", name, Status.FAIL, f"{path}: {error.strerror}", "plug it in again")
    return Finding("devices", name, Status.OK, f"{path} opens")


def _address(name: str, device: str) -> Finding:
    address, shown = urlsplit(device), without_secrets(device)
    try:
        port = address.port or _PORTS.get(address.scheme, 80)
        with socket.create_connection((address.hostname or "", port), _CONNECT_S):
            pass
    except (OSError, ValueError) as error:
        remedy = "switch it on, or mend the address, user and password in `camera.device`"
        return Finding("devices", name, Status.FAIL, f"{shown} does not answer: {error}", remedy)
    return Finding("devices", name, Status.OK, f"{shown} answers")


def _microphone(source: Source, microphone: Microphone, inputs: list[MicrophoneInfo]) -> Finding:
    name = f"microphone of {source.name}"
    try:
        info = find_microphone(inputs, microphone.device)
    except DeviceLostError as error:
        remedy = (
            "plug it in, start the sound server, or change `microphone.device` to one of those listed above"
        )
        return Finding("devices", name, Status.FAIL, str(error), remedy)
    return Finding("devices", name, Status.OK, f"{info.index}: {info.name}, {info.rate_hz} Hz")


def _file(source: Source, path: Path) -> Finding:
    name = f"file of {source.name}"
    try:
        info = probe(path)
    except MediaError as error:
        return Finding("devices", name, Status.FAIL, str(error), "change `file.path`")
    parts = [f"{info.width}×{info.height}"] * info.has_video + ["audio"] * info.has_audio
    length = f", {info.duration_s:.0f} s" if info.duration_s else ""
    return Finding("devices", name, Status.OK, f"{path.name}: {', '.join(parts)}{length}")
