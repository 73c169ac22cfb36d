"""Curves of scores over time: a picture with matplotlib, or a page to explore with plotly."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from stream.errors import UserError
from stream.public import EmotionMessage
from workers.plot.curves import Curves

_PICTURES = (".png", ".svg", ".pdf")
_PAGES = (".html",)


def check_plot(path: Path) -> None:
    """Refuse a plot that cannot be drawn, before any work is done for it.

    Raises:
        UserError: the ending of `path` is unknown, its folder is missing, or the library is not installed.
    """
    if path.suffix not in _PICTURES + _PAGES:
        raise UserError(f"{path}: a plot ends in {', '.join((*_PICTURES, *_PAGES))}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.absolute().parent}")
    library = "plotly" if path.suffix in _PAGES else "matplotlib"
    if importlib.util.find_spec(library) is None:
        raise UserError(f"{path} needs {library}: pip install 'emostream[plot]'")


def write_plot(path: Path, title: str, messages: Sequence[EmotionMessage]) -> None:
    """Draw the scores of one source.

    Args:
        path: what to write; its ending says what it becomes.
        title: stands above the curves.
        messages: at least one, in order of time.

    Raises:
        UserError: see `check_plot`; or the file cannot be written.
    """
    check_plot(path)
    curves = Curves.of(messages)
    try:
        # Each library takes seconds to import, and only one is needed.
        if path.suffix in _PAGES:
            from workers.plot.page import write_page  # noqa: PLC0415

            write_page(path, title, curves)
        else:
            from workers.plot.picture import write_picture  # noqa: PLC0415

            write_picture(path, title, curves)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
