"""The corpora by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from models.training.corpora.base import Corpus, CorpusError
from models.training.corpora.crema_d import CremaD
from models.training.corpora.fer2013 import Fer2013
from models.training.corpora.goemotions import GoEmotions
from models.training.corpora.meld import Meld, MeldClips
from models.training.corpora.nemo import Nemo
from models.training.corpora.ravdess import Ravdess
from models.training.corpora.xed import Xed

CORPORA: Mapping[str, tuple[str, Callable[[Path], Corpus]]] = {
    "crema_d": ("crema_d", CremaD),
    "fer2013": ("fer2013.zip", Fer2013),
    "goemotions": ("goemotions", GoEmotions),
    "meld": ("meld", Meld),
    "meld-face": ("meld/output_repeated_splits_test", lambda clips: MeldClips(clips.parent, "face")),
    "meld-voice": ("meld/output_repeated_splits_test", lambda clips: MeldClips(clips.parent, "voice")),
    "nemo": ("nemo", Nemo),
    "ravdess": ("ravdess", Ravdess),
    "xed": ("xed", Xed),
}
"""Where each lies in the folder that holds them all, and how it opens given that place.

MELD's words come without its clips; where the clips of its test part lie, they are corpora of their own.
"""


def open_corpus(name: str, data: Path) -> Corpus:
    """Open the corpus `name` in the folder `data`.

    Raises:
        CorpusError: There is no such corpus, or its files are not there.
    """
    if name not in CORPORA:
        raise CorpusError(f"there is no corpus {name!r}; choose among {', '.join(sorted(CORPORA))}")
    place, opened = CORPORA[name]
    return opened(data / place)


def corpora_in(data: Path) -> list[str]:
    """Return the names of the corpora that lie in the folder `data`, sorted.

    Raises:
        CorpusError: There is none.
    """
    found = [name for name, (place, _) in sorted(CORPORA.items()) if (data / place).exists()]
    if not found:
        places = ", ".join(place for place, _ in CORPORA.values() if "/" not in place)
        raise CorpusError(f"{data} holds no corpus; put one there as one of {places}")
    return found
