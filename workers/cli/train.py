"""`emostream train`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from models.training.device import DEVICES
from models.training.recipe import Recipe
from models.training.recipes import load_any_recipe
from models.training.sequences.recipe import SequenceRecipe
from workers.cli.common import out as stdout
from workers.cli.emotion_results import print_emotion_results
from workers.cli.epoch_progress import EpochProgress
from workers.cli.training import (
    CacheOption,
    cache_of,
    extraction_bars,
    need,
    print_results,
    progress_bars,
    skipped_line,
)


def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe.", metavar="RECIPE.yaml")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the corpora, instead of the recipe's.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder of the bundle. By default models/bundles/NAME here.", show_default=False
        ),
    ] = None,
    cache: CacheOption = None,
    device: Annotated[
        str,
        typer.Option(
            "--device", help="Where to train; `auto` takes a GPU if there is one.", metavar="|".join(DEVICES)
        ),
    ] = "auto",
) -> None:
    """Train a bundle from corpora.

    A recipe with `branches` is of a bundle that runs live: each modality is fitted alone, then probabilities
    and fusion are calibrated. One with a `network` is of the paper's network, or of one that it is measured
    against, on the features that come with IEMOCAP or CMU-MOSEI. Both stop early on the validation part; the
    graph is written and checked against PyTorch, and the bundle is measured on the test parts.

    Stopped at any time, it goes on where it was when started again. The bundle's folder is replaced at the
    very end. TensorBoard shows every epoch from the event files whose folder is printed.

    Needs PyTorch, which comes with emostream's extra `train`.

    [bold]Examples[/]

      emostream train configs/training/live.yaml --data ~/corpora
      emostream train configs/training/live.yaml --data ~/corpora --out ~/bundles/mine
      emostream train configs/training/paper-mosei.yaml --data ~/corpora --device cuda
    """
    need("torch", "onnx", "h5py", "soundfile", "tensorboard")
    # PyTorch takes seconds to import, and is not there where nothing is trained.
    from models.training.events import EventLog  # noqa: PLC0415

    chosen = load_any_recipe(recipe)
    place = _Place(
        data or chosen.data, out or Path("models") / "bundles" / chosen.name, cache_of(cache), device
    )
    with progress_bars() as bars, EventLog(place.cache / "tensorboard", chosen.name) as events:
        bars.print(f"tensorboard --logdir {escape(str(events.folder.parent))}", soft_wrap=True)
        progress = EpochProgress(bars, chosen, events.epoch)
        if isinstance(chosen, SequenceRecipe):
            _train_sequences(chosen, place, progress)
        else:
            _train_live(chosen, place, bars, progress)
    metrics = json.loads((place.out / "metrics.json").read_text(encoding="utf-8"))
    if isinstance(chosen, SequenceRecipe):
        print_emotion_results(metrics)
    else:
        print_results(chosen.version, metrics)
    stdout.print(f"written to {escape(str(place.out))}", soft_wrap=True)


@dataclass(frozen=True)
class _Place:
    """Where a bundle comes from and goes to, and where it is trained."""

    data: Path
    out: Path
    cache: Path
    device: str


def _train_live(recipe: Recipe, place: _Place, bars: Progress, progress: EpochProgress) -> None:
    from models.training.train import Reports, train_bundle  # noqa: PLC0415

    train_bundle(
        recipe,
        data=place.data,
        out=place.out,
        cache=place.cache,
        reports=Reports(progress.stage, extraction_bars(bars), progress.epoch, skipped_line(bars)),
        processes=os.cpu_count() or 1,
        device=place.device,
    )


def _train_sequences(recipe: SequenceRecipe, place: _Place, progress: EpochProgress) -> None:
    from models.training.sequences.train import train_sequences  # noqa: PLC0415

    train_sequences(
        recipe,
        data=place.data,
        out=place.out,
        cache=place.cache,
        device=place.device,
        stage=progress.stage,
        epoch=progress.epoch,
    )
