"""A machine that runs short: of disk, of shared memory, of file descriptors; or whose clock is set."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from models.assets import asset_path
from models.cache import cache_folder
from tests.chaos.figures import Figure
from tests.chaos.scene import contradictions, scene
from tests.workers.daemon import own_environment

_WATCH_S = 10.0
_STEP_S = 3600


def shortages() -> Iterator[Figure]:
    """Run the daemon short of one thing after the other."""
    yield goes_on("shared memory of 16 MB", _in_mounts("mount -t tmpfs -o size=16m tmpfs /dev/shm"))
    yield goes_on("256 file descriptors", ("prlimit", "--nofile=256"))
    yield goes_on("a cache that cannot be written", _in_mounts(_read_only(cache_folder())))
    yield from _full_disks()
    yield _stepped_clock()


def _in_mounts(commands: str) -> tuple[str, ...]:
    """Return a command that runs another one after `commands`, which change mounts for it alone."""
    script = f'{commands} && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")


def _read_only(folder: Path) -> str:
    return f"mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}'"


def goes_on(what: str, under: Sequence[str], *, words: bool = False) -> Figure:
    """Run the daemon by way of `under`, and see that all its scores come."""
    with scene(minutes=3, under=under, words=words) as running:
        began_ns = time.monotonic_ns()
        running.watch(_WATCH_S)
        messages = running.since(began_ns)
        wrong = contradictions(messages)
        restarts = sum(worker.restarts for worker in running.daemon.health[-1].workers)
    whole = len(messages) >= 0.95 * _WATCH_S * 10
    measured = f"{len(messages)} scores in {_WATCH_S:g} s, {len(wrong)} wrong, {restarts} restarts"
    return Figure(what, measured, "all scores, no restart", whole and not wrong and not restarts)


def _full_disks() -> Iterator[Figure]:
    """Play a recording where there is no room for sockets, and where there is none for temporary files."""
    for what, variable in (("sockets", "XDG_RUNTIME_DIR"), ("temporary files", "TMPDIR")):
        with tempfile.TemporaryDirectory(prefix="emo-", dir="/tmp") as name:
            folder = Path(name)
            full = folder / "full"
            full.mkdir()
            config = folder / "emostream.yaml"
            config.write_text(
                f"sources: {{name: clip, file: {{path: '{asset_path('two-cities')}'}}}}\npace: lossless\n"
                f"stream: {{endpoint: 'ipc://{folder}/public'}}\n"
            )
            fill = f"mount -t tmpfs -o size=4k tmpfs '{full}' && head -c 4096 /dev/zero >'{full}/filler'"
            command = [sys.executable, "-m", "workers.cli.main", "run", "--config", str(config)]
            done = subprocess.run(
                [*_in_mounts(fill), "env", *_settings(folder, variable, full), *command],
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
            )
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        refused = done.returncode == 2 and len(errors) == 1 and str(full) in errors[0]
        met = "Traceback" not in done.stderr and (refused or done.returncode == 0)
        measured = "one error, which names the place" if refused else f"status {done.returncode}"
        yield Figure(f"a full disk for {what}", measured, "scores go on, or one clear error", met)


def _settings(folder: Path, variable: str, full: Path) -> list[str]:
    return [f"{name}={value}" for name, value in (own_environment(folder) | {variable: str(full)}).items()]


def _stepped_clock() -> Figure:
    """Set the wall clock of the running daemon forward by an hour, and back again."""
    what = "the wall clock set forward by an hour and back"
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None or shutil.which("faketime") is None:
        return Figure(what, "not done: faketime is not installed (package faketime)", "", met=False)
    with tempfile.NamedTemporaryFile("w", prefix="emo-clock-") as clock:
        _set(Path(clock.name), 0)
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": clock.name,
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with scene(minutes=3, environment=environment) as running:
            began_ns = time.monotonic_ns()
            for offset_s in (_STEP_S, 0):
                running.watch(_WATCH_S / 2)
                _set(Path(clock.name), offset_s)
            running.watch(_WATCH_S / 2)
            messages = running.since(began_ns)
            wrong = contradictions(messages)
    walls = [datetime.fromisoformat(message.wall_time.replace("Z", "+00:00")) for message in messages]
    steps = [(b - a).total_seconds() for a, b in itertools.pairwise(walls)]
    stepped = [round(step / 60) for step in steps if abs(step) > 60]
    whole = len(messages) >= 0.95 * 1.5 * _WATCH_S * 10
    measured = f"{len(messages)} scores in {1.5 * _WATCH_S:g} s, {len(wrong)} wrong, `wall_time` stepped by {stepped} min"
    return Figure(what, measured, "all scores", whole and not wrong and stepped == [60, -60])


def _set(clock: Path, offset_s: int) -> None:
    with contextlib.suppress(OSError):
        clock.write_text(f"+{offset_s}s\n")
