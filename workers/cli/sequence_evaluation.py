"""`emostream evaluate` for a bundle that scores the features of a corpus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import Progress

from models.training.corpora.sequences import SEQUENCES, SequenceName
from models.training.sequences.bundle import SequenceBundle
from models.training.sequences.evaluate import Anew, Metrics, evaluate_sequences
from models.training.sequences.protocol import PROTOCOLS
from models.training.sequences.table import paper_table
from stream.errors import UserError
from workers.cli.common import err, out
from workers.cli.emotion_results import print_emotion_results
from workers.cli.epoch_progress import EpochProgress

_OWN_NAMES: dict[str, SequenceName] = {"face": "vision", "voice": "audio"}


def evaluate_sequence_bundle(
    folder: Path,
    *,
    data: Path | None,
    cache: Path,
    bars: Progress,
    device: str = "auto",
    corpora: Sequence[str] = (),
    modalities: Sequence[str] = (),
    zero_shot: Sequence[str] = (),
    few_shot: Sequence[str] = (),
    fraction: float = 0.01,
    report: Path | None = None,
    as_json: bool = False,
    write: bool = False,
) -> None:
    """Measure a bundle on the corpus that it is for, and print, store and report what was found.

    Args:
        folder: Of the bundle.
        data: Folder of the corpora.
        cache: Folder of checkpoints, for networks that a protocol needs.
        bars: Shows how far their training is.
        device: Where they are trained.
        corpora: By name; the bundle's own if none are named.
        modalities: As the corpus or as live bundles call them; all if none are named.
        zero_shot: Emotions each of which is left out of training in turn, or `all`.
        few_shot: Emotions of each of which, in turn, training sees few examples, or `all`.
        fraction: Share of its examples that few are, 0..1.
        report: Folder for `report.md`.
        as_json: Whether to print everything, as JSON.
        write: Whether to store the results in the bundle.

    Raises:
        UserError: Something named does not exist or does not go together; see `evaluate_sequences`.
    """
    recipe = SequenceBundle(folder).manifest.recipe
    title = PROTOCOLS[recipe.corpus].title
    if data is None:
        raise UserError(f"{folder} is for {title} alone; name the folder that holds it with --data")
    others = [name for name in corpora if name != recipe.corpus]
    if others:
        raise UserError(f"{folder} is for {title} alone, not for {', '.join(others)}; leave out --corpus")
    progress = EpochProgress(bars, recipe, lambda *_: None)
    metrics = evaluate_sequences(
        folder,
        data=data,
        anew=Anew(cache, device, progress.stage, progress.epoch),
        sequences=_used(modalities, recipe.sequences),
        zero_shot=zero_shot,
        few_shot=few_shot,
        fraction=fraction,
    )
    if write:
        _store(folder / "metrics.json", metrics)
    if report is not None:
        _write_report(report / "report.md", metrics)
    if as_json:
        out.print_json(data=metrics)
    else:
        print_emotion_results(metrics)


def _used(modalities: Sequence[str], read: Sequence[SequenceName]) -> list[SequenceName]:
    """Return the sequences to use, none for all that the bundle reads."""
    named = {_OWN_NAMES.get(name, name) for name in modalities}
    unknown = named - set(SEQUENCES)
    if unknown:
        raise UserError(f"there is no modality {', '.join(sorted(unknown))}; choose among face, voice, text")
    used = [name for name in read if name in named]
    if named and not used:
        raise UserError(f"the bundle reads only {', '.join(read)}; name one of these as modality")
    return [] if len(used) == len(read) else used


def _store(path: Path, metrics: Metrics) -> None:
    path.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    err.print(f"written to {escape(str(path))}", soft_wrap=True)


def _write_report(path: Path, metrics: Metrics) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# {metrics['bundle']}\n\n{paper_table(metrics)}", encoding="utf-8")
    err.print(f"written to {escape(str(path))}", soft_wrap=True)
