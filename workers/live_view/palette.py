"""The colour of each emotion: that of its vocabulary file, else one of a fixed row."""

from __future__ import annotations

import colorsys
from pathlib import Path

from stream.config import config_folder
from stream.vocabulary import VocabularyError, load_vocabulary

_FIXED = (
    "#f2c14e", "#5b8def", "#e5534b", "#57ab5a", "#a78bfa",
    "#f0883e", "#39c5cf", "#ff8fab", "#b0a160", "#9aa4b2",
)  # fmt: skip
_GOLDEN_RATIO = 0.618034


class Palette:
    """Colours for the emotions of any vocabulary."""

    def __init__(self, vocabulary: Path | None = None) -> None:
        """Take colours from the file `vocabulary`, and from those that come with emostream."""
        self._files: dict[str, dict[str, str]] = {}
        self._given = _colours_in(vocabulary) if vocabulary else {}

    def colour(self, vocabulary: str, name: str, index: int) -> str:
        """Return the colour, `#rrggbb`, of the emotion `name`, the `index`-th of `vocabulary`."""
        stem = vocabulary.partition("@")[0]
        if stem not in self._files:
            self._files[stem] = self._given or _colours_in(config_folder() / "vocabularies" / f"{stem}.yaml")
        return self._files[stem].get(name) or _fixed(index)


def _colours_in(path: Path) -> dict[str, str]:
    # A colour is an ornament: a file that cannot be read is reported by those who need it.
    try:
        emotions = load_vocabulary(path).emotions
    except VocabularyError:
        return {}
    return {emotion.name: emotion.colour for emotion in emotions if emotion.colour}


def _fixed(index: int) -> str:
    if index < len(_FIXED):
        return _FIXED[index]
    red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN_RATIO % 1, 0.65, 0.6)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
