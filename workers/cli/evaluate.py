"""`emostream evaluate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from models.bundle import load_bundle
from models.bundle_manifest import MODALITIES, reads_sequences
from models.embeddings import open_space
from models.training.assembly import CorpusLoader
from models.training.corpora import corpora_in, read_manifest
from models.training.evaluate import evaluate_bundle
from models.training.metrics_file import presented, store
from models.training.scoring import BundleScores
from stream.errors import UserError
from workers.cli.common import err, out
from workers.cli.sequence_evaluation import evaluate_sequence_bundle
from workers.cli.training import (
    CacheOption,
    cache_of,
    extraction_bars,
    need,
    print_results,
    progress_bars,
    skipped_line,
    stage_line,
)

_ALL = ",".join(MODALITIES)


def evaluate(  # noqa: PLR0917 - typer takes options as positional parameters
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.", metavar="BUNDLE")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the corpora.", show_default=False)
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", help="Only this corpus; may be given several times.", show_default=False),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            help="Your own data: a CSV with columns video audio image text emotion speaker split.",
            metavar="FILE.csv",
            show_default=False,
        ),
    ] = None,
    modalities: Annotated[
        str, typer.Option("--modalities", help="Only these.", metavar="face,voice,text")
    ] = _ALL,
    zero_shot: Annotated[
        list[str] | None,
        typer.Option(
            "--zero-shot",
            help="Also train without this emotion, and score its word; may be given several times, or `all`.",
            metavar="WORD",
            show_default=False,
        ),
    ] = None,
    few_shot: Annotated[
        list[str] | None,
        typer.Option(
            "--few-shot",
            help="Also train with a fraction of this emotion's examples; likewise.",
            metavar="WORD",
            show_default=False,
        ),
    ] = None,
    fraction: Annotated[
        float, typer.Option("--fraction", help="Of the examples, for --few-shot.", min=0.0001, max=0.9)
    ] = 0.01,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            help="How the bundle was trained, for --zero-shot and --few-shot. By default the recipe of its "
            "name, if one comes with emostream.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write a report with pictures into this folder.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything, as JSON.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Store the results in the bundle, and in its card.")
    ] = False,
    cache: CacheOption = None,
) -> None:
    """Measure a bundle on test corpora, or on your own data.

    The graph runs as in the daemon, on ONNX Runtime; PyTorch is needed for --zero-shot and --few-shot alone.
    Every figure comes with its 95 % bootstrap interval. Thresholds come from the validation part, where
    examples have several labels. A file that cannot be read is named, passed over and counted.

    With --zero-shot an emotion is left out of training: each modality is fitted anew as the bundle's recipe
    says, without any example of the emotion, and its word is then told from the rest. `all` leaves out each
    in turn, which takes hours the first time; fits are kept, and go on where they were stopped.

    A manifest is a CSV with a header, one row an example. Of its columns `emotion` is needed, and one of
    `video`, `audio`, `image`, `text`; paths are relative to the CSV. Several emotions are joined by `;`, and
    any word will do. Each modality that it has is measured by itself.

    A bundle of the paper's network, or of one that it is measured against, is measured on the corpus that it
    is for, by the paper's protocols.

    [bold]Examples[/]

      emostream evaluate models/bundles/live --data ~/corpora
      emostream evaluate models/bundles/live --data ~/corpora --corpus ravdess --json
      emostream evaluate models/bundles/live --data ~/corpora --zero-shot joy --modalities voice
      emostream evaluate models/bundles/live --data ~/corpora --zero-shot all --report report
      emostream evaluate models/bundles/live --manifest mine.csv
    """
    _check(data, corpus, manifest, leaving_out=bool(zero_shot or few_shot), reporting=report is not None)
    if reads_sequences(bundle):
        need("h5py")
        with progress_bars() as bars:
            evaluate_sequence_bundle(
                bundle,
                data=data,
                cache=cache_of(cache),
                bars=bars,
                corpora=corpus or (),
                modalities=[] if modalities == _ALL else modalities.split(","),
                zero_shot=zero_shot or (),
                few_shot=few_shot or (),
                fraction=fraction,
                report=report,
                as_json=as_json,
                write=write,
            )
        return
    loaded = load_bundle(bundle)
    space = open_space(loaded.space)
    with progress_bars() as bars:
        loader = CorpusLoader(
            data or Path(),
            cache_of(cache) / "features",
            os.cpu_count() or 1,
            extraction_bars(bars),
            skipped_line(bars),
        )
        names = list(corpus or (corpora_in(data) if data and not manifest else ()))
        for part in read_manifest(manifest) if manifest else ():
            loader.add(part)
            names.append(part.name)
        wanted = _modalities(modalities)
        names = [name for name in names if loader.corpus(name).modality in wanted]
        if not names:
            raise UserError(f"nothing to measure on is of {modalities}; name others with --modalities")
        scores = BundleScores(loaded, loader, space, names)
        measured = evaluate_bundle(scores, stage_line(bars))
        if zero_shot or few_shot:
            # It imports PyTorch, which takes seconds, and is not there where nothing is trained.
            from workers.cli.leaving_out import LeavingOut  # noqa: PLC0415

            leaving = LeavingOut(
                scores, space, recipe, cache_of(cache) / "checkpoints", modalities=wanted, bars=bars
            )
            if zero_shot:
                measured["zero_shot"] = leaving.results(zero_shot)
            if few_shot:
                measured["few_shot"] = leaving.results(few_shot, fraction)
    if write:
        store(bundle, measured)
    metrics = presented(measured)
    if report is not None:
        # Matplotlib takes a second to import.
        from models.training.report import write_report  # noqa: PLC0415

        write_report(report, metrics, loaded, space)
        err.print(f"written to {report}", soft_wrap=True, markup=False)
    if as_json:
        out.print_json(data=metrics)
    else:
        print_results(loaded.version, metrics)


def _check(
    data: Path | None, corpus: object, manifest: Path | None, *, leaving_out: bool, reporting: bool
) -> None:
    """Refuse what cannot be done, before any work is done for it."""
    need("soundfile")
    if data is None and (corpus or manifest is None):
        raise UserError("name the folder of the corpora with --data, or your own data with --manifest")
    if leaving_out:
        need("torch")
        if data is None:
            raise UserError("name the folder of the corpora that the bundle was trained on with --data")
    if reporting:
        need("onnx")
        need("matplotlib", extra="plot")


def _modalities(written: str) -> list[str]:
    names = [name.strip() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in MODALITIES:
            raise UserError(f"--modalities: there is no {name!r}; choose among {', '.join(MODALITIES)}")
    return [name for name in MODALITIES if name in names]
