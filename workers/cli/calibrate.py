"""`emostream calibrate`."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from models.baseline import NeutralPoint, points_file, write_points
from models.bundle import Bundle
from models.cache import writing_cache
from stream.config import Config, Source, load_config
from stream.errors import UserError
from workers.calibration import Calibration
from workers.cli.common import ConfigOption, SourceOption, err, find_config, interrupt_on_signals, out
from workers.cli.worker_log import logging_to, show_complaints
from workers.run_lock import is_running
from workers.supervisor import Supervisor

_STANDING_OUT = 3
_LINE_PERIOD_S = 1.0
_LONGEST_WAIT_S = 10.0
"""How long one modality is waited for when the other is learned and nothing comes."""


def calibrate(
    config: ConfigOption = None,
    source: SourceOption = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=300, help="Seconds of evidence to learn from.")
    ] = 12.0,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Give up after so many seconds.")
    ] = 120.0,
) -> None:
    """Learn what your face and voice are like at rest.

    Look relaxed and say a few sentences in your normal voice, until both bars are full. What is learned takes
    the place of what the daemon would learn by itself from this source's first seconds. It is a few numbers,
    kept in the file `baseline.points` of the configuration; no picture, sound or word is kept.

    A running daemon is listened to, and uses the result from its next window on; where none runs, the source
    is opened for the while. The baseline itself is switched on by `baseline.enabled`.

    Exit status: 0, or 1 when nothing could be learned.

    [bold]Examples[/]

      emostream calibrate
      emostream calibrate --source desk --seconds 20
    """
    interrupt_on_signals()
    path = find_config(config)
    loaded = load_config(path)
    chosen = _choose(loaded, source)
    settings = loaded.baseline.model_copy(update={"enabled": True, "seconds": seconds})
    with writing_cache() as cache:
        log = cache / "calibrate.log"
        log.write_bytes(b"")
    with _listening(loaded, chosen, log) as (running, supervisor):
        calibration = Calibration(running, running.source(chosen.name), settings)
        try:
            _prompt(calibration.modalities)
            why = _learn(calibration, supervisor, seconds, timeout)
        finally:
            calibration.close()
    learned = calibration.learned
    if not learned:
        err.print(f"[bold red]error:[/] nothing was learned: {why}", soft_wrap=True)
        if supervisor is not None:
            show_complaints(log)
        raise typer.Exit(1)
    file = points_file(loaded.baseline)
    write_points(file, calibration.bundle, chosen.name, learned)
    for modality in calibration.modalities:
        out.print(_told(modality, learned.get(modality), calibration.bundle, why), soft_wrap=True)
    out.print(f"kept for {chosen.name} in {file}", soft_wrap=True)
    if not loaded.baseline.enabled:
        out.print(f"not in use yet: set `baseline.enabled: true` in {path}", soft_wrap=True)


def _choose(config: Config, name: str | None) -> Source:
    names = [source.name for source in config.sources]
    if name is None and len(names) > 1:
        raise UserError(f"there are several sources; choose one with --source: {', '.join(names)}")
    if name is not None and name not in names:
        raise UserError(f"there is no source {name!r}; choose one of {', '.join(names)}")
    return config.source(name or names[0])


@contextmanager
def _listening(config: Config, source: Source, log: Path) -> Iterator[tuple[Config, Supervisor | None]]:
    """Give the configuration of a daemon that watches `source`, and its supervisor if it is run here."""
    if is_running(config):
        yield config, None
        return
    own = config.model_copy(
        update={
            "name": f"calibrate-{os.getpid()}",
            "sources": (source,),
            "pace": "realtime",
            "transcript": config.transcript.model_copy(update={"engine": "off"}),
            "baseline": config.baseline.model_copy(update={"enabled": False}),
        }
    )
    endpoint = f"ipc://{own.run_folder / 'public'}"
    own = own.published_at(endpoint)
    with log.open("ab") as log_file, logging_to(log):
        supervisor = Supervisor(own, log_file=log_file)
        try:
            supervisor.start()
            yield own, supervisor
        finally:
            supervisor.stop()
            shutil.rmtree(own.run_folder, ignore_errors=True)


def _prompt(modalities: tuple[str, ...]) -> None:
    asked = {"face": "look relaxed", "voice": "say a few sentences in your normal voice"}
    wanted = " and ".join(asked[name] for name in modalities)
    out.print(f"[bold]{wanted[:1].upper()}{wanted[1:]}[/], until it is done.", soft_wrap=True)


def _learn(calibration: Calibration, supervisor: Supervisor | None, seconds: float, timeout_s: float) -> str:
    """Show how far it is until everything is learned; return why it ended otherwise."""
    started_s = progress_s = shown_s = time.monotonic()
    done: dict[str, float] = {}
    with _bars() as bars:
        tasks = {name: bars.add_task(name, total=seconds, told="") for name in calibration.modalities}
        while len(calibration.learned) < len(calibration.modalities):
            if calibration.ended or (supervisor is not None and not supervisor.step(0)):
                return "the source has ended"
            now_s = time.monotonic()
            if now_s - started_s > timeout_s:
                return f"not enough evidence within {timeout_s:g} s"
            if calibration.learned and now_s - progress_s > _LONGEST_WAIT_S:
                return f"no evidence for {_LONGEST_WAIT_S:g} s"
            calibration.step()
            standing = {name: _standing(calibration, name, seconds) for name in calibration.modalities}
            if done != (done := {name: done_s for name, (done_s, _) in standing.items()}):
                progress_s = now_s
            for name, (done_s, text) in standing.items():
                bars.update(tasks[name], completed=done_s, told=text)
            if not err.is_terminal and now_s - shown_s > _LINE_PERIOD_S:
                shown_s = now_s
                err.print("   ".join(f"{name}: {text}" for name, (_, text) in standing.items()))
    return ""


def _bars() -> Progress:
    columns = (TextColumn("{task.description:<6}"), BarColumn(), TextColumn("{task.fields[told]}"))
    return Progress(*columns, console=err, disable=not err.is_terminal)


def _standing(calibration: Calibration, modality: str, seconds: float) -> tuple[float, str]:
    """Return how many seconds of a modality were learned from, and what to say of it."""
    if modality in calibration.learned:
        return seconds, "done"
    if calibration.newest is None:
        return 0.0, "waiting for the first window"
    state = (calibration.newest.baseline or {}).get(modality)
    left_s = seconds if state is None or state.seconds_left is None else state.seconds_left
    why = calibration.newest.evidence[modality].why
    return seconds - left_s, f"{math.ceil(left_s)} s left" + (f", {why}" if why else "")


def _told(modality: str, point: NeutralPoint | None, bundle: Bundle, why: str) -> str:
    """Return what was learned of a modality in a line: the words that it is unusually near to."""
    if point is None:
        return f"{modality}: not learned, {why}"
    differences = dict(
        zip(bundle.phrases, (point.cosines - bundle.neutral[modality].cosines).tolist(), strict=True)
    )
    differences = {words[0]: differences[words[0]] for words in bundle.words.values()}
    strongest = sorted(differences, key=lambda word: -abs(differences[word]))[:_STANDING_OUT]
    text = ", ".join(f"{word} {-differences[word]:+.2f}" for word in strongest)
    return f"{modality}: {point.seconds:.0f} s learned from; distances differ most from others' for {text}"
