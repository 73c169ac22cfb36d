"""The machine: Python, libraries, limits; and what the daemon's sockets need."""

from __future__ import annotations

import ctypes.util
import fcntl
import os
import platform
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from models.cache import CacheError, writing_cache
from stream.config import Config
from stream.keys import KeyFileError
from stream.run_folder import RunFolderError, make_private
from stream.topics import TOPICS, ipc_endpoint
from workers.admission import check_keys
from workers.doctor.findings import Finding, Status
from workers.extras import MissingExtraError, require_extra
from workers.table import worker_processes

_OLDEST_PYTHON = (3, 10)
_MACHINES = ("x86_64", "aarch64")
_LEAST_FREE_BYTES = 1_500_000_000
_LEAST_DISK_BYTES = 500_000_000
_FILES_PER_PROCESS = 256


def examine_system() -> Iterator[Finding]:
    """Yield what concerns every configuration."""
    yield _python()
    yield _portaudio()
    yield _processors()
    yield _memory()
    yield _open_files()
    yield _cache()


def examine_runtime(config: Config) -> Iterator[Finding]:
    """Yield what the daemon's sockets need."""
    running = _runs(config)
    yield _run_folder(config)
    yield _endpoint(config, running=running)
    if config.stream.curve or config.features.endpoint or any(source.remote for source in config.sources):
        yield _keys(config)
    yield from _outlets(config, running=running)


def _python() -> Finding:
    what = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding("system", "Python", Status.FAIL, what, "install Python 3.10 or later")
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return Finding(
            "system", "Python", Status.WARN, what, "emostream is made for Linux on x86-64 and aarch64"
        )
    return Finding("system", "Python", Status.OK, what)


def _portaudio() -> Finding:
    library = ctypes.util.find_library("portaudio")
    if library is None:
        return Finding(
            "system", "PortAudio", Status.FAIL, "libportaudio is not installed", "apt install libportaudio2"
        )
    try:
        # An extension module that was built against another library fails only when it is loaded.
        import pyaudio  # noqa: F401, PLC0415
    except ImportError as error:
        return Finding(
            "system", "PortAudio", Status.FAIL, str(error), "pip install --force-reinstall PyAudio"
        )
    return Finding("system", "PortAudio", Status.OK, library)


def _processors() -> Finding:
    count = len(os.sched_getaffinity(0))
    if count < 2:
        remedy = "give it two cores, or raise `window.hop_s` and turn `transcript.engine` off"
        return Finding("system", "CPU", Status.WARN, f"{count} core; one source takes about 1.6", remedy)
    load = os.getloadavg()[0]
    if load > count:
        remedy = "latency suffers while other programs keep all cores busy"
        return Finding("system", "CPU", Status.WARN, f"{count} cores, load {load:.1f}", remedy)
    return Finding("system", "CPU", Status.OK, f"{count} cores, load {load:.1f}")


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    what = f"{free / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return Finding(
            "system", "memory", Status.WARN, what, "free some; a source with words takes about 1.2 GB"
        )
    return Finding("system", "memory", Status.OK, what)


def _open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES_PER_PROCESS:
        return Finding("system", "open files", Status.WARN, f"limit {soft}", "ulimit -n 1024")
    return Finding("system", "open files", Status.OK, f"limit {soft}")


def _cache() -> Finding:
    try:
        with writing_cache() as folder:
            probe = folder / f".doctor-{os.getpid()}"
            probe.touch()
            probe.unlink()
    except CacheError as error:
        return Finding(
            "system",
            "cache folder",
            Status.WARN,
            str(error),
            "needed for `emostream assets fetch` and `demo`",
        )
    free = psutil.disk_usage(str(folder)).free
    if free < _LEAST_DISK_BYTES:
        return Finding(
            "system", "cache folder", Status.WARN, f"{folder}: {free / 1e9:.1f} GB free", "make room"
        )
    return Finding("system", "cache folder", Status.OK, f"{folder}, {free / 1e9:.0f} GB free")


def _runs(config: Config) -> bool:
    """Return whether a daemon of this name runs: it holds the lock of its run folder."""
    try:
        with (config.run_folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _run_folder(config: Config) -> Finding:
    folder = config.run_folder
    try:
        make_private(folder)
    except RunFolderError as error:
        remedy = "set XDG_RUNTIME_DIR to a folder that only you can write to"
        return Finding("daemon", "run folder", Status.FAIL, str(error), remedy)
    publishers = [process.id for process in worker_processes(config)] + [
        source.name for source in config.sources
    ]
    try:
        for publisher in publishers:
            ipc_endpoint(folder, max(TOPICS, key=len), publisher)
    except ValueError as error:
        return Finding(
            "daemon", "run folder", Status.FAIL, str(error), "set XDG_RUNTIME_DIR to a shorter folder"
        )
    return Finding("daemon", "run folder", Status.OK, str(folder))


def _endpoint(config: Config, *, running: bool) -> Finding:
    endpoint = config.stream.endpoint
    if running:
        return Finding("daemon", "endpoint", Status.OK, f"{endpoint}: emostream `{config.name}` is running")
    if not _is_taken(endpoint):
        return Finding("daemon", "endpoint", Status.OK, f"{endpoint} is free")
    remedy = "stop the program that uses it, or change `stream.endpoint`"
    return Finding("daemon", "endpoint", Status.FAIL, f"{endpoint} is in use", remedy)


def _keys(config: Config) -> Finding:
    try:
        check_keys(config)
    except KeyFileError as error:
        what, _, remedy = str(error).partition("; ")
        return Finding("daemon", "keys", Status.FAIL, what, remedy)
    return Finding("daemon", "keys", Status.OK, str(config.keys_folder))


def _outlets(config: Config, *, running: bool) -> Iterator[Finding]:
    """Yield whether the outlets have their libraries, and the gateway its port."""
    for process in worker_processes(config):
        if not process.row.outlet:
            continue
        name = process.row.name
        try:
            require_extra(name)
        except MissingExtraError as error:
            yield Finding("daemon", name, Status.FAIL, str(error), f"pip install 'emostream[{name}]'")
        else:
            yield Finding("daemon", name, Status.OK, "its libraries are there")
    gateway = config.gateway
    if gateway.enabled and not running and _is_taken(gateway.address.replace("http", "tcp", 1)):
        detail = f"port {gateway.port} is in use"
        yield Finding("daemon", "gateway", Status.FAIL, detail, "change `gateway.port`")


def _is_taken(endpoint: str) -> bool:
    if endpoint.startswith("ipc://"):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(Path(endpoint.removeprefix("ipc://")))) == 0
    address = urlsplit(endpoint)
    host, port = (address.hostname or "127.0.0.1").replace("*", "0.0.0.0"), address.port or 0
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
        except socket.gaierror:  # the name of a network interface, which ZeroMQ knows
            return False
        except OSError:
            return True
    return False
