"""Runs the real daemon, every worker a process, and collects what a subscriber hears."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from stream import EmotionMessage, HealthMessage, NoMessageError, TranscriptMessage, subscribe

_COMMAND = (sys.executable, "-m", "workers.cli.main")


@dataclass
class Daemon:
    """A daemon that runs, or has run."""

    folder: Path
    process: subprocess.Popen[bytes]
    endpoint: str
    emotions: list[EmotionMessage] = field(default_factory=list)
    transcripts: list[TranscriptMessage] = field(default_factory=list)
    health: list[HealthMessage] = field(default_factory=list)
    missed: int = 0
    pids: set[int] = field(default_factory=set)
    """Of every worker that was ever seen."""
    internet: set[str] = field(default_factory=set)
    """Sockets of any internet protocol that a worker had when it was looked at, once a second."""
    written: set[Path] = field(default_factory=set)
    """Files that a worker had open for writing then."""

    @property
    def run_folder(self) -> Path:
        """Where its sockets lie."""
        return self.folder / "emostream" / "emostream"

    @property
    def log(self) -> str:
        """What the workers logged."""
        return (self.folder / "log").read_text()

    def wait(self, timeout_s: float = 400) -> int:
        """Wait for the daemon to end by itself; return its exit status."""
        return self.process.wait(timeout_s)

    def stop(self) -> int:
        """Ask the daemon to stop; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 240) -> None:
        """Wait until `condition` holds; fail with the log where it does not come to that."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            ended = self.process.poll() is not None
            assert not ended and time.monotonic() < deadline, f"ended: {ended}\n{self.log}"
            time.sleep(0.05)

    def workers(self) -> dict[str, psutil.Process]:
        """Return the running workers by name, such as `face-clip`."""
        found = self._titled("emostream: ")
        self.pids |= {child.pid for child in found.values()}
        return found

    def model_keepers(self) -> dict[str, psutil.Process]:
        """Return the processes that workers are forked from, by the worker's name."""
        return self._titled("emostream models: ")

    def _titled(self, prefix: str) -> dict[str, psutil.Process]:
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    line = " ".join(child.cmdline())
                    if line.startswith(prefix):
                        found[line.removeprefix(prefix).strip()] = child
        return found

    def heard_words(self) -> set[str]:
        """Return every word that was published, in lower case without punctuation."""
        return {w.text.lower().strip(".,!?") for t in self.transcripts for w in t.words}


def own_environment(folder: Path) -> dict[str, str]:
    """Return what tells the processes of a daemon that keeps its sockets in `folder` from all others."""
    # Without the second, the processes' new names would be written over their environment.
    return {"XDG_RUNTIME_DIR": str(folder), "SPT_NOENV": "1"}


def processes_left(folder: Path) -> list[psutil.Process]:
    """Return every process on this machine that runs in `own_environment(folder)`."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            mine = process.environ().get("XDG_RUNTIME_DIR") == str(folder)
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
    return left


@contextlib.contextmanager
def running_daemon(
    folder: Path, config: str, *, environment: dict[str, str] | None = None, under: Sequence[str] = ()
) -> Iterator[Daemon]:
    """Run `emostream run` on `config` in `folder`, listening from before the first score until it ends.

    `under` is a command that becomes the one that it is given.
    """
    endpoint = f"ipc://{folder}/public"
    (folder / "emostream.yaml").write_text(
        f"{config}\nstream: {{endpoint: '{endpoint}', publish_transcript: true}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*under, *_COMMAND, "run", "--config", str(folder / "emostream.yaml")],
            env={**os.environ, **own_environment(folder), **(environment or {})},
            stderr=log,
            stdout=log,
        )
    daemon = Daemon(folder, process, endpoint)
    listener = threading.Thread(target=_listen, args=(daemon,))
    listener.start()
    try:
        yield daemon
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        listener.join()


def play(folder: Path, clip: Path, config: str = "") -> Daemon:
    """Play a clip through a daemon with the rest of its configuration in `config`; return it at its end.

    Temporary files, if there are any, lie in its folder as well.
    """
    (folder / "tmp").mkdir()
    sources = f"sources: [{{name: clip, file: {{path: '{clip}'}}}}]\n"
    with running_daemon(folder, sources + config, environment={"TMPDIR": str(folder / "tmp")}) as daemon:
        assert daemon.wait() == 0, daemon.log
    return daemon


def _listen(daemon: Daemon) -> None:
    kinds = (EmotionMessage, TranscriptMessage, HealthMessage)
    with subscribe(*kinds, endpoint=daemon.endpoint, timeout_s=0.3) as stream:
        ended = False
        while not ended:
            ended = daemon.process.poll() is not None
            with contextlib.suppress(NoMessageError):
                while True:
                    message = next(stream)
                    if isinstance(message, EmotionMessage):
                        daemon.emotions.append(message)
                    elif isinstance(message, TranscriptMessage):
                        daemon.transcripts.append(message)
                    else:
                        daemon.health.append(message)
                        _look_at_workers(daemon, message)
            daemon.missed = stream.missed


def _look_at_workers(daemon: Daemon, message: HealthMessage) -> None:
    """Note what the workers have open that could carry something away."""
    for worker in message.workers:
        if worker.pid:
            daemon.pids.add(worker.pid)
            with contextlib.suppress(OSError, psutil.Error):
                sockets, files = open_ends(worker.pid)
                daemon.internet |= {f"{worker.worker}: {each}" for each in sockets}
                daemon.written |= files


def open_ends(pid: int) -> tuple[set[str], set[Path]]:
    """Return the internet sockets of a process, each as the kernel lists it, and the files it may write to."""
    process = Path("/proc") / str(pid)
    inodes, files = set(), set()
    for link in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
            elif target.startswith("/") and not target.startswith(("/dev/", "/memfd:")):
                flags = int((process / "fdinfo" / link.name).read_text().split("flags:")[1].split()[0], 8)
                if flags & (os.O_WRONLY | os.O_RDWR):
                    files.add(Path(target))
    sockets = {
        f"{protocol} {line.strip()}"
        for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
        for line in (process / "net" / protocol).read_text().splitlines()[1:]
        if line.split()[9] in inodes
    }
    return sockets, files
