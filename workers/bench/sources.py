"""How many sources the inference worker can serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.bundle_manifest import MODALITIES
from models.demo_clip import demo_clip
from workers.bench.load import Load, put_under_load
from workers.bench.recorded import recorded
from workers.bench.tables import out, print_machine, table
from workers.bench.timing import p50_p99, percentile
from workers.cli.common import file_config

_COUNTS = (1, 2, 4, 8, 16, 32, 48, 64)


def sources(
    counts: Annotated[
        list[int] | None, typer.Argument(help="How many at once, one run each; by default 1, 2, 4 … 64.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long each run is measured.")] = 15.0,
    threads: Annotated[int, typer.Option(help="CPU threads of ONNX Runtime.")] = 1,
    file: Annotated[Path | None, typer.Option(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """Find how many sources the inference worker can serve.

    Records what the extractors make of the demo clip, once. Then replays it as 1, 2, 4 … sources at once,
    each at another place of the clip, over the bus into the real inference worker, until the p99 of its
    latency passes the hop. Latency is from when a window had ended and all its evidence was sent, to when it
    was scored; beside it stands when a subscriber had that score.

      python -m workers.bench sources
      python -m workers.bench sources 32 --seconds 60
    """
    clip = demo_clip() if file is None else file
    config = file_config(clip, inference={"threads": threads, "backend": "onnxruntime"})
    print_machine()
    recording = recorded(file, config)
    found = table(
        f"{config.window.hop_s:g} s hop, {threads} thread(s), {seconds:g} s each",
        "sources",
        "evidence sent to score",
        "evidence sent to subscriber",
        "window's end to score",
        "windows/s",
        "a batch",
        "missed",
        "cores",
        "MB",
        *(f"{name} encoded" for name in MODALITIES),
    )
    for count in counts or _COUNTS:
        load = put_under_load(recording, config, count, seconds=seconds, warm_up_s=7.0)
        found.add_row(*_row(load))
        out.print(f"{count} sources: {p50_p99(load.latency_ms)}")
        if percentile(load.latency_ms, 99) > 1000 * config.window.hop_s and counts is None:
            break
    out.print()
    out.print(found)


def _row(load: Load) -> list[str]:
    return [
        str(load.sources),
        p50_p99(load.latency_ms),
        p50_p99(load.to_subscriber_ms),
        p50_p99(load.since_end_ms),
        f"{load.windows / load.seconds:.0f}",
        f"{load.counts['windows_scored'] / max(load.counts['batches'], 1):.1f}",
        str(load.missed + load.dropped),
        f"{load.cores:.2f}",
        f"{load.rss_mb[1]:.0f}",
        *(_share(load, name) for name in MODALITIES),
    ]


def _share(load: Load, modality: str) -> str:
    return f"{load.counts[f'{modality}_encoded'] / max(load.counts['windows_scored'], 1):.0%}"
