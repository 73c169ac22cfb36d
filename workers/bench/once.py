"""What is saved where no work is done twice."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from models.backends import Arrays, EncoderInput
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.demo_clip import demo_clip
from models.encoding_memory import EncodingMemory
from models.opening import open_bundle, open_bundle_space, open_emotions
from models.window_schedule import DueWindow, SourceWindows
from stream.config import Camera, Config, Microphone, Source
from stream.messages import Float32Array
from workers.bench.recorded import recorded
from workers.bench.recording import Recording
from workers.bench.tables import out, print_machine, table
from workers.cli.common import file_config


def once(
    sources: Annotated[int, typer.Option(help="How many are scored together.")] = 8,
    file: Annotated[Path | None, typer.Option(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """Measure what is saved where no work is done twice.

    Cuts the windows of some sources out of what the extractors make of the demo clip, each source at another
    place of it, and runs the model on them in several ways, in this process: each source by itself; all in
    one batch; with the emotion words mapped only when they change; with a modality encoded only when it
    counts and has new evidence; and with no frame, bin of audio or word looked at twice by itself. The time
    is CPU time of the model alone, for a window.

      python -m workers.bench once
    """
    print_machine()
    clip = demo_clip() if file is None else file
    config = file_config(clip)
    bundle = open_bundle(config)
    batches = due_windows(recorded(file, config), config, sources)
    emotions = open_emotions(Path(config.vocabulary), open_bundle_space(bundle)).vectors
    cpu = OnnxRuntimeCpu(bundle)
    windows = sum(map(len, batches))
    found = table(
        f"{windows} windows of {sources} sources",
        "work done",
        "ms a window",
        "batches",
        "words mapped",
        *(f"{name} encoded" for name in MODALITIES),
    )
    alone = [[window] for batch in batches for window in batch]
    for name, given, backend in (
        ("everything, each source by itself", alone, _Everything(cpu)),
        ("everything, in one batch", batches, _Everything(cpu)),
        ("words mapped when they change", batches, _MappedOnce(cpu)),
        ("encoded when there is new evidence", batches, _WindowsWhole(bundle)),
        ("and each of its steps once", batches, cpu),
    ):
        memory = EncodingMemory()
        started = time.process_time()
        for batch in given:
            memory.run(backend, batch, emotions)
        taken_ms = (time.process_time() - started) * 1000 / windows
        mapped = memory.counts["vocabularies_mapped"] or memory.counts["batches"]
        if isinstance(backend, _MappedOnce):
            mapped = 1
        found.add_row(
            name,
            f"{taken_ms:.2f}",
            str(memory.counts["batches"]),
            str(mapped),
            *(f"{memory.counts[f'{each}_encoded'] / windows:.0%}" for each in MODALITIES),
        )
    out.print(found)


def due_windows(recording: Recording, config: Config, sources: int) -> list[list[DueWindow]]:
    """Return, hop by hop, the windows of all sources, each beginning at another place of the recording."""
    bundle = open_bundle(config)
    hops: list[list[DueWindow]] = []
    for number in range(sources):
        source = Source(name=f"s{number}", camera=Camera(device=0), microphone=Microphone())
        line = SourceWindows(source, config, bundle)
        first = number * len(recording.messages) // sources
        start_ns = -recording.messages[first][1].time_ns
        order = [(index, 0) for index in range(first, len(recording.messages))]
        order += [(index, 1) for index in range(first)]
        taken = 0
        for index, round_ in order:
            begin_ns = start_ns + round_ * recording.length_ns
            line.add(recording.shifted(index, source.name, begin_ns, round_), recording.messages[index][0])
            for window in line.take_due(None):
                if taken == len(hops):
                    hops.append([])
                hops[taken].append(window)
                taken += 1
    return hops


class _Everything:
    """The backend without its stages: everything is computed, every time."""

    stages = None
    max_emotions = None

    def __init__(self, cpu: OnnxRuntimeCpu) -> None:
        self._cpu = cpu
        self.name = cpu.name

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs."""
        return self._cpu.run(inputs)

    def close(self) -> None:
        """Nothing is held."""


class _MappedOnce(_Everything):
    """The same, but for the words, which are mapped once."""

    def __init__(self, cpu: OnnxRuntimeCpu) -> None:
        super().__init__(cpu)
        self._words: Arrays | None = None

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs."""
        if self._words is None:
            self._words = self._cpu.map_words(inputs["emotions"])
        return self._cpu.fuse(self._cpu.encode_all(inputs), self._words, inputs["present"])


class _WindowsWhole(OnnxRuntimeCpu):
    """The backend with its stages, but that a window is encoded from its beginning, or not at all."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self._whole = OnnxRuntimeCpu(bundle)

    def steps(self, rows: Mapping[str, Float32Array]) -> Arrays:
        """Return nothing of use; what is computed anew is computed below."""
        return {name: np.empty((len(values), 0), np.float32) for name, values in rows.items()}

    def encode(self, evidence: Mapping[str, Sequence[EncoderInput]]) -> Arrays:
        """Return vectors, by modality."""
        inputs = {name: np.stack([each.values for each in given]) for name, given in evidence.items()}
        inputs |= {
            f"{name}_mask": np.stack([each.mask for each in given]) for name, given in evidence.items()
        }
        return self._whole.encode_all(inputs)
