"""What is learned from, chosen on and measured on, for each corpus, with and without an unseen emotion.

As in the code that the authors of Dai et al. 2020 published with the paper (arXiv 2009.09629). What is
measured of IEMOCAP are accuracies, of CMU-MOSEI weighted accuracies, of both F1 and the area under the ROC
curve, an emotion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.training.corpora import CorpusError, Split, iemocap, mosei
from models.training.corpora.iemocap import load_iemocap, load_iemocap_low_resource
from models.training.corpora.mosei import load_mosei
from models.training.corpora.sequences import SequenceCorpus, SequenceName
from models.training.sequences.recipe import Unseen
from models.training.sequences.selection import few_with_and_without, with_emotion, with_few, without

FEATURES: Mapping[SequenceName, str] = {"text": "GloVe 840B", "audio": "COVAREP", "vision": "Facet"}
"""What each sequence holds, in both corpora."""


@dataclass(frozen=True)
class Protocol:
    """How one corpus is used.

    Attributes:
        folder: Where it lies in the folder of all corpora.
        title: Its name in tables.
        load: Reads a part of it.
        accuracy: Which accuracy is reported.
        tuned_thresholds: Whether an emotion is predicted from the threshold with the best F1 on the
            validation part on, else from a probability of a half. The authors set those of IEMOCAP by hand.
        unseen: The emotions that may be unseen.
        further: Reads a part of the further examples that unseen emotions come from; without them, their
            examples are taken away from the corpus itself.
    """

    folder: str
    title: str
    load: Callable[[Path, Split], SequenceCorpus]
    accuracy: Literal["accuracy", "weighted_accuracy"]
    tuned_thresholds: bool
    unseen: tuple[str, ...]
    further: Callable[[Path, Split], SequenceCorpus] | None = None


PROTOCOLS: Mapping[str, Protocol] = {
    "iemocap": Protocol(
        folder="iemocap",
        title="IEMOCAP",
        load=load_iemocap,
        accuracy="accuracy",
        tuned_thresholds=True,
        unseen=tuple(name for name in iemocap.LOW_RESOURCE_EMOTIONS if name not in iemocap.EMOTIONS),
        further=load_iemocap_low_resource,
    ),
    "mosei": Protocol(
        folder="mosei",
        title="CMU-MOSEI",
        load=load_mosei,
        accuracy="weighted_accuracy",
        tuned_thresholds=False,
        unseen=mosei.EMOTIONS,
    ),
}


class CorpusParts:
    """The parts of one corpus under one protocol.

    Args:
        corpus: One of `PROTOCOLS`.
        data: Folder of all corpora.
        unseen: The emotion that is not, or hardly, learned from.
        seed: Of the draw of its few examples.

    Raises:
        CorpusError: That emotion cannot be unseen in this corpus.
    """

    def __init__(self, corpus: str, data: Path, unseen: Unseen | None, seed: int) -> None:
        self.protocol = PROTOCOLS[corpus]
        self.unseen = unseen
        self._folder = data / self.protocol.folder
        self._seed = seed
        if unseen and unseen.emotion not in self.protocol.unseen:
            raise CorpusError(
                f"{unseen.emotion!r} cannot be the unseen emotion of {self.protocol.title}; "
                f"choose among {', '.join(self.protocol.unseen)}"
            )

    def learning(self, split: Literal["train", "validation"]) -> SequenceCorpus:
        """Return the part to learn from, or to choose the epoch on.

        Where few examples of the unseen emotion are learned from, the validation part has all of its own, as
        in the authors' code.

        Raises:
            CorpusError: A file is missing or malformed.
        """
        unseen = self.unseen
        if unseen is None:
            return self.protocol.load(self._folder, split)
        if not unseen.fraction or unseen.fine_tuning:
            part = self.protocol.load(self._folder, split)
            return part if self.protocol.further else without(part, unseen.emotion)
        whole = self.whole(split)
        return with_few(whole, unseen.emotion, unseen.fraction, self._seed) if split == "train" else whole

    def tuning(self) -> SequenceCorpus | None:
        """Return few examples of the unseen emotion and as many without it, if they are learned afterwards.

        Raises:
            CorpusError: A file is missing or malformed.
        """
        unseen = self.unseen
        if unseen is None or unseen.fine_tuning is None:
            return None
        return few_with_and_without(self.whole("train"), unseen.emotion, unseen.fraction, self._seed)

    def whole(self, split: Split) -> SequenceCorpus:
        """Return a part with every example of every emotion, the unseen included.

        Raises:
            CorpusError: A file is missing or malformed.
        """
        part = self.protocol.load(self._folder, split)
        if self.unseen and self.protocol.further:
            return with_emotion(part, self.protocol.further(self._folder, split), self.unseen.emotion)
        return part
