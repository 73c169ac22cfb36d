"""How fast the networks are in ONNX Runtime, beside PyTorch."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from models.backends import encoder_inputs, open_backend
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.backends.parity import repeated
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.onnx_session import open_session
from models.opening import open_named_bundle
from models.training.sequences.recipe import Weights
from stream.config import config_folder
from stream.messages import Float32Array
from workers.bench.tables import out, print_machine, table
from workers.bench.timing import median, percentile, time_ms

_BATCHES = (1, 8, 64)
_THREADS = (1, 2)
_STEPS = (20, 50)
_WEIGHTS: tuple[Weights, ...] = ("float32", "int8")
_NEW_STEPS = {"face": 1, "voice": 2, "text": 4}
"""In a hop of 0.1 s; words when one comes, with those of its utterance that now read otherwise."""
_COLUMNS = ("network", "batch", "threads", "ONNX Runtime", "p99", "PyTorch", "compiled", "times PyTorch")

Inputs = Mapping[str, Float32Array]


def model(
    bundle: Annotated[str, typer.Argument(help="Name or folder of a bundle.")] = "live",
    *,
    runs: Annotated[int, typer.Option(help="Runs at batch 1; larger batches have fewer.")] = 100,
    batch: Annotated[list[int] | None, typer.Option(help="Windows in a batch; by default 1, 8, 64.")] = None,
    threads: Annotated[list[int] | None, typer.Option(help="CPU threads; by default 1 and 2.")] = None,
    compiled: Annotated[
        bool, typer.Option("--compiled/--no-compiled", help="Also `torch.compile`: minutes to compile.")
    ] = False,
    cpu_time: Annotated[
        bool,
        typer.Option("--cpu-time", help="Processor time instead: spoiled less where others compute too."),
    ] = False,
) -> None:
    """Time the networks in ONNX Runtime, beside PyTorch.

    The bundle's network, and the paper's in its sizes (300/200/100, two bidirectional layers) over 20 and 50
    steps with weights of 32 and of 8 bits, by batch and threads, medians in milliseconds. PyTorch comes with
    `make setup`; without it, the bundle alone is timed. Then the bundle stage by stage, which is what is
    spared when a modality has nothing new.

      python -m workers.bench model --compiled
    """
    clock = time.process_time_ns if cpu_time else time.perf_counter_ns
    timed = _Timed(runs, clock, compiled)
    print_machine()
    opened = open_named_bundle(bundle)
    cases = [(many, count) for count in threads or _THREADS for many in batch or _BATCHES]
    found = table(f"one batch, milliseconds of {'processor ' * cpu_time}time", *_COLUMNS)
    for case in _cases_of_bundle(opened, cases):
        found.add_row(*_row(case, timed))
    if _has_torch():
        with tempfile.TemporaryDirectory() as folder:
            for steps, weights in itertools.product(_STEPS, _WEIGHTS):
                for case in _cases_of_paper(steps, weights, cases, Path(folder)):
                    found.add_row(*_row(case, timed))
    out.print(found)
    out.print()
    out.print(stages(opened, cases, timed))


@dataclass(frozen=True)
class _Timed:
    """How calls are timed."""

    runs: int
    """At batch 1."""
    clock: Callable[[], int]
    compiled: bool

    def ms(self, call: Callable[[], object], batch: int) -> list[float]:
        """Return the milliseconds of each of some calls."""
        return time_ms(call, runs=max(3, self.runs // batch), clock=self.clock)


def stages(bundle: Bundle, cases: Sequence[tuple[int, int]], timed: _Timed) -> Table:
    """Return a table of what each stage of a bundle takes."""
    heads = [f"batch {batch}, {threads} thread(s)" for batch, threads in cases]
    found = table(f"{bundle.version} stage by stage, median milliseconds of a batch", "stage", *heads)
    cells: dict[str, list[str]] = {}
    for batch, threads in cases:
        backend = OnnxRuntimeCpu(bundle, threads=threads)
        inputs = repeated(bundle.check_arrays()[0], batch)
        rows = {name: np.concatenate(inputs[name]) for name in _NEW_STEPS}
        steps = backend.steps(rows)
        evidence = {name: encoder_inputs(inputs, steps, name) for name in MODALITIES}
        encodings = backend.encode(evidence)
        words = backend.map_words(inputs["emotions"])
        calls: dict[str, Callable[[], object]] = {}
        for name, count in _NEW_STEPS.items():
            calls[f"steps of {name}, all"] = _calling(backend.steps, {name: rows[name]})
            calls[f"steps of {name}, new ones"] = _calling(backend.steps, {name: rows[name][: count * batch]})
            calls[f"encode {name}"] = _calling(backend.encode, {name: evidence[name]})
        calls["map the words"] = _calling(backend.map_words, inputs["emotions"])
        calls["compare and fuse"] = _calling(backend.fuse, encodings, words, inputs["present"])
        for name, call in calls.items():
            cells.setdefault(name, []).append(f"{median(timed.ms(call, batch)):.2f}")
    for name, row in cells.items():
        found.add_row(name, *row)
    return found


def _calling(function: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: function(*given)


@dataclass(frozen=True)
class _Case:
    """One row: a network on one batch."""

    name: str
    inputs: Inputs
    batch: int
    threads: int
    call: Callable[[], object]
    """Runs it in ONNX Runtime."""
    network: Any
    """The same as a module of PyTorch, which takes the inputs in their order; `None` where there is none."""


def _cases_of_bundle(bundle: Bundle, cases: Sequence[tuple[int, int]]) -> Iterator[_Case]:
    recipe = config_folder() / "training" / f"{bundle.name}.yaml"
    network: Any = None
    if _has_torch() and recipe.is_file():
        from models.training.eager import live_network  # noqa: PLC0415
        from models.training.recipe import load_recipe  # noqa: PLC0415

        network = live_network(bundle, load_recipe(recipe))
    for batch, threads in cases:
        stored = repeated(bundle.check_arrays()[0], batch)
        inputs = {name: stored[name] for name in bundle.input_shapes()}
        backend = open_backend(bundle, threads=threads)
        yield _Case(bundle.version, inputs, batch, threads, _calling(backend.run, inputs), network)


def _cases_of_paper(
    steps: int, weights: Weights, cases: Sequence[tuple[int, int]], folder: Path
) -> Iterator[_Case]:
    from models.training.eager import export_paper, paper_inputs, paper_network  # noqa: PLC0415

    network, path = paper_network(), folder / "paper.onnx"
    export_paper(network, steps, path, weights)
    name = f"paper's, {steps} steps" + ", 8 bits" * (weights == "int8")
    for batch, threads in cases:
        inputs = paper_inputs(batch, steps)
        session = open_session(path, threads=threads)
        call = _calling(session.run, None, inputs)
        yield _Case(name, inputs, batch, threads, call, network)


def _row(case: _Case, timed: _Timed) -> list[str]:
    taken = timed.ms(case.call, case.batch)
    ours = median(taken)
    row = [case.name, str(case.batch), str(case.threads), f"{ours:.2f}", f"{percentile(taken, 99):.2f}"]
    if case.network is None:
        return [*row, "–", "–", "–"]
    from models.training.eager import eager  # noqa: PLC0415

    theirs = median(timed.ms(eager(case.network, case.inputs, threads=case.threads), case.batch))
    also = "–"
    if timed.compiled:
        call = eager(case.network, case.inputs, threads=case.threads, compiled=True)
        also = f"{median(timed.ms(call, case.batch)):.2f}"
    return [*row, f"{theirs:.2f}", also, f"{theirs / ours:.1f}"]


def _has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None
