"""Camera and sound server unplugged together and plugged in again, over and over."""

from __future__ import annotations

import time
from functools import partial

from tests.chaos.figures import Figure, spread
from tests.chaos.scene import Scene, contradictions, is_there, scene

_TIMES = 20
_GOOD_S = 6.0
"""So long a device works before it is unplugged; after less the next attempt to open it would wait longer."""
_BACK_S = {"face": 6.0, "voice": 6.0}
_WORKERS = ("camera-desk", "microphone-desk")


def unplugged() -> list[Figure]:
    """Unplug both twenty times; they are back once a score rests on what was captured since."""
    with scene(minutes=15) as running:
        before = {name: process.pid for name, process in running.daemon.workers().items()}
        files = _open_files(running)
        began_ns = time.monotonic_ns()
        back_s: dict[str, list[float]] = {modality: [] for modality in _BACK_S}
        for _ in range(_TIMES):
            running.watch(_GOOD_S)
            running.camera.kill()
            running.microphone.kill()
            for modality in _BACK_S:
                running.daemon.wait_until(partial(_is_gone, running, modality))
            running.camera.start()
            running.microphone.start()
            running.microphone.play(running.speech)
            plugged_s = time.monotonic()
            waiting = set(_BACK_S)
            while waiting:
                running.watch(0.05)
                for modality in [m for m in waiting if is_there(running.daemon.emotions[-1], m)]:
                    back_s[modality].append(time.monotonic() - plugged_s)
                    waiting.discard(modality)
        after = {name: process.pid for name, process in running.daemon.workers().items()}
        wrong = contradictions(running.since(began_ns))
        grown = {name: count - files[name] for name, count in _open_files(running).items()}
    return [
        *(
            Figure(
                f"{m}: back after it was plugged in", spread(v), f"≤ {_BACK_S[m]:g} s", max(v) <= _BACK_S[m]
            )
            for m, v in back_s.items()
        ),
        Figure(
            "workers with another process",
            str(sum(after.get(n) != before[n] for n in before)),
            "0",
            after == before,
        ),
        Figure("files left open", str(grown), "0", not any(count > 0 for count in grown.values())),
        Figure("messages that contradict their evidence, or skip a window", str(len(wrong)), "0", not wrong),
    ]


def _is_gone(running: Scene, modality: str) -> bool:
    return not is_there(running.daemon.emotions[-1], modality)


def _open_files(running: Scene) -> dict[str, int]:
    workers = running.daemon.workers()
    return {name: workers[name].num_fds() for name in _WORKERS}
