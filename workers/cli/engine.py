"""`emostream engine`: build, list, check and clean up TensorRT engines, and measure what is best here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from models.backends import BackendError, open_backend
from models.backends.candidates import find_candidates, tensorrt_candidate
from models.backends.choice import ask, decide, verdicts_folder
from models.backends.tensorrt.engine_store import (
    EngineRecord,
    engines_folder,
    list_engines,
    read_engine,
    remove_engine,
)
from models.backends.tensorrt.engine_use import why_unused
from models.bundle import Bundle
from models.opening import open_bundle, open_named_bundle, shipped_bundles
from stream.config import load_config
from workers.cli.common import ConfigOption, err, find_config, out
from workers.cli.engine_report import (
    ProgressBar,
    engine_line,
    engine_state,
    engine_table,
    megabytes,
    verdict_table,
)

app = typer.Typer(
    no_args_is_help=True,
    help="TensorRT engines: the model, built for one GPU.\n\n"
    "They lie in the cache folder (EMOSTREAM_CACHE, or your user's cache), and answer only after they have "
    "agreed with ONNX Runtime on the inputs that come with the model. A daemon builds what it needs "
    "by itself, while it serves on the CPU; these commands do so beforehand.",
)

BundleArgument = Annotated[
    str | None,
    typer.Argument(
        help="Name or folder of a bundle; by default the one of the configuration.", metavar="[BUNDLE]"
    ),
]


@app.command()
def build(
    bundle: BundleArgument = None,
    card: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="Build for another card, given by its compute capability, such as sm89; TensorRT-RTX only.",
            metavar="CARD",
        ),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Build also what is there already.")] = False,
    config: ConfigOption = None,
) -> None:
    """Build the engine of a bundle for the GPU of this machine, and compare it with ONNX Runtime.

    In fp16 if that agrees to 5e-3, else in fp32, which must agree to 1e-4. With --for no GPU is needed, and
    both are built: which of them answers is found out on that card.

    Exit status: 0, or 2 when there is no engine that may answer.

    [bold]Examples[/]

      emostream engine build
      emostream engine build live --for sm89
    """
    chosen = _bundle(bundle, config)
    tensorrt_candidate()
    # TensorRT is large, and not everywhere.
    from models.backends.tensorrt.engines import build_for, prepare_engine  # noqa: PLC0415

    with ProgressBar(err) as bar:
        if card is not None:
            records = build_for(chosen, card.lower(), bar.update)
        else:
            records = [prepare_engine(chosen, open_backend(chosen), bar.update, anew=anew)]
    for record in records:
        out.print(engine_line(record), soft_wrap=True)


@app.command("list")
def list_all() -> None:
    """Show every engine: of which bundle, for what, how large, and whether it may answer.

    [bold]Examples[/]

      emostream engine list
    """
    engines = [(path.parent.name, record) for path, record in list_engines()]
    if engines:
        out.print(engine_table(engines))
    out.print(f"{len(engines)} in {engines_folder()}", soft_wrap=True)


@app.command()
def check(bundle: BundleArgument = None, config: ConfigOption = None) -> None:
    """Hash every engine of a bundle again; compare those for the GPU here with ONNX Runtime again.

    Exit status: 0, or 1 when an engine is damaged or does not agree.

    [bold]Examples[/]

      emostream engine check
    """
    chosen = _bundle(bundle, config)
    bad = 0
    for path, record in list_engines():
        if record is not None and record.key.model_sha256 != chosen.sha256:
            continue
        sound, what = _check(chosen, record)
        bad += not sound
        mark = Text("ok  ", "green") if sound else Text("bad ", "bold red")
        out.print(Text.assemble(mark, f"{path.name} {what}"), soft_wrap=True)
    if bad:
        raise typer.Exit(1)


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Also what could still be used.")] = False,
) -> None:
    """Remove engines that nothing here uses: damaged, refused, of another TensorRT, or of a model of before.

    With --all every engine goes, what TensorRT remembers of timing, and the verdicts of `engine measure`.

    [bold]Examples[/]

      emostream engine clean
    """
    freed = 0
    bundles = shipped_bundles()
    for path, record in list_engines():
        why = "all are to go" if everything else why_unused(record, bundles)
        if why:
            out.print(f"removed {path.name}: {why}", soft_wrap=True)
            freed += remove_engine(path)
    if everything:
        for file in (*engines_folder().rglob("*"), *verdicts_folder().glob("*.json")):
            if file.is_file():
                freed += file.stat().st_size
                file.unlink()
    out.print(f"{megabytes(freed)} freed")


@app.command()
def measure(config: ConfigOption = None) -> None:
    """Time everything that the model can run on here, and keep the verdict for `backend: auto`.

    Each candidate runs the batch that the configured sources make, 200 times, with pauses as a daemon has
    them; the smallest p99 wins. TensorRT takes part once its engine is built by `emostream engine build`.

    [bold]Examples[/]

      emostream engine measure
      emostream engine measure --config door.yaml
    """
    settings = load_config(find_config(config))
    bundle = open_bundle(settings)
    candidates = find_candidates("auto")
    question = ask(bundle, candidates, sources=len(settings.sources), threads=settings.inference.threads)
    with ProgressBar(err) as bar:
        verdict = decide(question, bundle, candidates, bar.update)
    out.print(verdict_table(verdict))
    out.print(f"`backend: auto` takes {verdict.chosen}", soft_wrap=True)


def _bundle(given: str | None, config: Path | None) -> Bundle:
    return open_bundle(load_config(find_config(config))) if given is None else open_named_bundle(given)


def _check(bundle: Bundle, record: EngineRecord | None) -> tuple[bool, str]:
    """Return whether an engine is sound, and what was found."""
    if record is None:
        return False, "has no record; run `emostream engine clean`"
    if read_engine(record) is None:
        return False, "is damaged; run `emostream engine build --anew`"
    try:
        tensorrt_candidate()
        from models.backends.tensorrt.engines import check_engine, fits_here  # noqa: PLC0415

        if not fits_here(bundle, record.key):
            return True, f"is sound, but not for the GPU and TensorRT here; {engine_state(record)}"
        difference = check_engine(bundle, record, open_backend(bundle))
    except BackendError as error:
        return False, str(error)
    return True, f"agrees with ONNX Runtime to {difference:.0e}"
