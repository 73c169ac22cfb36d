"""`emostream vocabulary`: check the words that are scored."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.embeddings import open_space
from models.vocabulary_embedding import EmbeddedVocabulary, embed_vocabulary
from stream.config import config_folder, vocabulary_path
from stream.messages import Float32Array
from stream.vocabulary import VocabularyError, load_vocabulary
from workers.cli.common import err, out

NEAR_DUPLICATE = 0.9
"""Cosine of two emotions above which no evidence will tell them apart."""

app = typer.Typer(no_args_is_help=True, help="Check the words that are scored.")


class Space(str, Enum):
    """The embedding spaces."""

    MINILM = "minilm-l6"
    GLOVE_6B = "glove-6b-50d"
    GLOVE_840B = "glove-840b-300d"


@app.command()
def check(
    vocabularies: Annotated[
        list[str],
        typer.Argument(help="Files, or names of those that come with emostream.", metavar="FILE_OR_NAME"),
    ],
    space: Annotated[
        Space, typer.Option("--space", "-s", help="Embedding space of the bundle it is for.")
    ] = Space.MINILM,
) -> None:
    """Embed the words of a vocabulary, and show which emotions lie close together.

    An emotion is any word, several words, or a phrase; what is scored is the distance to the mean of their
    embeddings. Two emotions whose embeddings nearly coincide get nearly the same scores, so these are pointed
    out. A word that the space does not know is an error that names its line and the nearest known words.

    Exit status: 0, or 1 when a vocabulary cannot be used.

    [bold]Examples[/]

      emostream vocabulary check ekman
      emostream vocabulary check my-words.yaml
      emostream vocabulary check my-words.yaml --space glove-6b-50d
    """
    embeddings = open_space(space.value)
    failed = 0
    for name in vocabularies:
        try:
            vocabulary = load_vocabulary(vocabulary_path(name, Path.cwd()))
            embedded = embed_vocabulary(vocabulary, embeddings)
        except VocabularyError as error:
            failed += 1
            err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
        else:
            out.print(_report(embedded, space.value))
    if failed:
        raise typer.Exit(1)


@app.command("list")
def list_vocabularies() -> None:
    """List the vocabularies that come with emostream."""
    for path in sorted((config_folder() / "vocabularies").glob("*.yaml")):
        vocabulary = load_vocabulary(path)
        out.print(Text.assemble((vocabulary.version, "bold"), "  ", (str(path), "dim")), soft_wrap=True)
        out.print(Padding(", ".join(emotion.name for emotion in vocabulary.emotions), (0, 0, 1, 2)))


def _report(embedded: EmbeddedVocabulary, space: str) -> Group:
    vocabulary, vectors = embedded.vocabulary, embedded.vectors
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    table = Table(
        "emotion",
        "embedded as",
        "nearest other",
        "cosine",
        box=None,
        header_style="dim",
        padding=(0, 3, 0, 0),
    )
    for row, emotion in enumerate(vocabulary.emotions):
        other = int(cosines[row].argmax())
        cosine = float(cosines[row, other])
        near = "yellow" if cosine > NEAR_DUPLICATE else ""
        nearest = vocabulary.emotions[other].name if len(vocabulary.emotions) > 1 else "–"
        table.add_row(
            Text(emotion.name, emotion.colour or ""),
            Text(", ".join(emotion.phrases)),
            Text(nearest, near),
            Text(f"{cosine:.2f}" if len(vocabulary.emotions) > 1 else "–", near),
        )
    title = Text.assemble((vocabulary.version, "bold"), f"  {len(vocabulary.emotions)} emotions in {space}")
    return Group(title, table, *_warnings(embedded, cosines), "")


def _warnings(embedded: EmbeddedVocabulary, cosines: Float32Array) -> list[Text]:
    vocabulary = embedded.vocabulary
    pairs = np.argwhere(np.triu(cosines, 1) > NEAR_DUPLICATE)
    return [
        Text.assemble(
            ("warning: ", "bold yellow"),
            f"{vocabulary.path}:{vocabulary.lines[second]}: {vocabulary.emotions[second].name!r} and "
            f"{vocabulary.emotions[first].name!r} (line {vocabulary.lines[first]}) nearly coincide; their "
            "scores will hardly differ. Keep one, or give one of them other words",
        )
        for first, second in pairs
    ]
