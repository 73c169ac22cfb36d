"""What the personal baseline does for speakers that a bundle has never heard.

    python -m models.training.baseline_study BUNDLE --data FOLDER

Each speaker's voice is heard as the daemon would hear it: first some neutral clips, from which the baseline
learns, then all other clips, which are scored with it and without. Every second neutral clip is learned from
and the others are scored; then the other way round.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from models.assets import asset_path
from models.backends import MAX_WINDOWS, Backend, open_backend
from models.baseline import PersonalBaseline
from models.baseline.excess import NEUTRAL
from models.bundle import Bundle, load_bundle
from models.cache import cache_folder
from models.embeddings import EmbeddingSpace, open_space
from models.encoding_memory import EncodingMemory
from models.extractors.speaker import SPEECH, SpeakerNormalizer
from models.extractors.voice_layout import RATE_HZ, VoiceChunk
from models.timelines import Timeline, VoiceTimeline
from models.training.assembly import CorpusLoader
from models.training.corpora import CorpusError, Split, corpora_in
from models.training.extraction import ClipExtraction
from models.training.features import Features
from models.training.metrics import recalls, unweighted_average_recall
from models.vocabulary_embedding import EmbeddedVocabulary, embed_vocabulary
from models.window_schedule import DueWindow
from models.window_scores import score_windows
from stream.config import BaselineSection
from stream.errors import UserError
from stream.messages import Float32Array, Int64Array, VoiceFeatures
from stream.vocabulary import Emotion, Vocabulary
from stream.windows import NS_PER_S, seconds_to_ns

SADNESS = "sadness"
_HOP_S = 0.2
_RESAMPLES = 2000
_DIGITS = 4


@dataclass(frozen=True)
class Scores:
    """What was scored of one corpus, clip by clip; a clip may come twice.

    Attributes:
        clips: `[n]`: which clip.
        speakers: `[n]`: who speaks.
        truth: `[n]`: the label's number.
        before: `[n, C]` probabilities without the baseline.
        after: `[n, C]` with it.
    """

    clips: Int64Array
    speakers: np.ndarray
    truth: Int64Array
    before: Float32Array
    after: Float32Array


class Study:
    """Plays the clips of one corpus to a bundle, speaker by speaker."""

    def __init__(
        self, bundle: Bundle, backend: Backend, space: EmbeddingSpace, settings: BaselineSection
    ) -> None:
        self._bundle = bundle
        self._backend = backend
        self._space = space
        self._settings = settings
        self._words = np.stack([space.phrase(word) for word in bundle.phrases])

    def run(self, loader: CorpusLoader, name: str, split: Split) -> Scores:
        """Return the scores of every speaker of one part of a corpus of voices.

        Raises:
            CorpusError: It has no neutral clips there, or not two of any speaker.
        """
        examples, table = loader.read(name, split, ClipExtraction(asset_path("silero-vad")))
        emotions = self._emotions(loader.corpus(name).concepts)
        concepts = [emotion.name for emotion in emotions.vocabulary.emotions]
        truth = np.array([concepts.index(example.concepts[0]) for example in examples])
        speakers = np.array([example.speaker for example in examples])
        found: list[tuple[int, Float32Array, Float32Array]] = []
        for speaker in np.unique(speakers):
            own = np.flatnonzero(speakers == speaker).tolist()
            neutral = [i for i in own if NEUTRAL in examples[i].concepts]
            for learned in (neutral[::2], neutral[1::2]):
                if learned and len(neutral) > 1:
                    scored = [i for i in own if i not in learned]
                    clips = [(i, table[i]) for i in (*self._enough(learned, table), *scored)]
                    found += self._play(clips, set(scored), emotions)
        if not found:
            raise CorpusError(f"{name} has no speaker with two neutral clips in its {split} part")
        rows = np.array([i for i, _, _ in found])
        return Scores(
            rows,
            speakers[rows],
            truth[rows],
            np.stack([before for _, before, _ in found]),
            np.stack([after for _, _, after in found]),
        )

    def _emotions(self, concepts: Sequence[str]) -> EmbeddedVocabulary:
        words = {concept: self._bundle.words.get(concept, (concept,))[0] for concept in concepts}
        emotions = tuple(Emotion(name=concept, words=(word,)) for concept, word in words.items())
        vocabulary = Vocabulary(Path(), "labels", "labels@0000", emotions, (1,) * len(emotions))
        return embed_vocabulary(vocabulary, self._space)

    def _enough(self, neutral: Sequence[int], table: Any) -> Iterator[int]:
        """Yield neutral clips until they hold the seconds of speech that the baseline wants."""
        heard_s = 0.0
        for i in neutral:
            if heard_s > self._settings.seconds:
                return
            yield i
            heard_s += float((table[i].speech > SPEECH).sum()) / RATE_HZ

    def _play(
        self, clips: Sequence[tuple[int, Features]], scored: set[int], emotions: EmbeddedVocabulary
    ) -> Iterator[tuple[int, Float32Array, Float32Array]]:
        """Yield the number of each scored clip, and its probabilities without the baseline and with it."""
        speech_s = sum(float((clip.speech > SPEECH).sum()) for i, clip in clips if i not in scored) / RATE_HZ
        # Where a speaker has less, all there is sets the neutral point.
        settings = self._settings.model_copy(
            update={"seconds": min(self._settings.seconds, 0.9 * speech_s), "modalities": ("voice",)}
        )
        baseline = PersonalBaseline(settings, self._bundle, self._words, hop_s=_HOP_S)
        memory, windows = EncodingMemory(), self._windows(clips)
        while batch := list(itertools.islice(windows, MAX_WINDOWS)):
            scores = score_windows(memory, self._backend, [window for _, window in batch], emotions, baseline)
            for row, (clip, _) in enumerate(batch):
                if clip is not None and clip in scored:
                    yield clip, scores.before.probability[row], scores.after.probability[row]

    def _windows(self, clips: Sequence[tuple[int, Features]]) -> Iterator[tuple[int | None, DueWindow]]:
        """Yield the windows at every hop of the clips, and with a clip's last one which clip it is."""
        parts, length_s = self._bundle.modalities, self._bundle.window_s
        lines = {name: Timeline(part, length_s=length_s, floor=0.0) for name, part in parts.items()}
        lines["voice"] = VoiceTimeline(parts["voice"], length_s=length_s, floor=0.0, speech_threshold=SPEECH)
        normalizer, hop_ns, end_ns, seq = SpeakerNormalizer(self._bundle.speaker_prior), 0, 0, 0
        hop_ns = seconds_to_ns(_HOP_S)
        for clip, features in clips:
            start_ns = end_ns + seconds_to_ns(length_s)
            bins = len(features.vectors)
            end_ns = start_ns + -(-bins * NS_PER_S // RATE_HZ // hop_ns) * hop_ns
            times_ns = end_ns - np.arange(bins)[::-1] * (NS_PER_S // RATE_HZ)
            chunk = normalizer.normalize(VoiceChunk(times_ns, features.vectors, features.speech))
            lines["voice"].add(
                VoiceFeatures(
                    source="speaker",
                    time_ns=end_ns,
                    spec=parts["voice"].spec,
                    times_ns=chunk.times_ns,
                    vectors=chunk.vectors,
                    speech=chunk.speech,
                )
            )
            for at_ns in range(start_ns + hop_ns, end_ns + 1, hop_ns):
                modalities = {name: line.window(at_ns) for name, line in lines.items()}
                yield clip if at_ns == end_ns else None, DueWindow("speaker", seq, at_ns, modalities)
                seq += 1


def summary(scores: Scores, concepts: Sequence[str]) -> dict[str, Any]:
    """Return the figures of a corpus: recall before and after, and how often neutral is taken for sadness."""
    classes = len(concepts)
    chosen = {"before": scores.before.argmax(axis=1), "after": scores.after.argmax(axis=1)}
    probability = {"before": scores.before, "after": scores.after}
    at_rest = scores.truth == concepts.index(NEUTRAL)
    found: dict[str, Any] = {
        "speakers": len(np.unique(scores.speakers)),
        "clips": len(np.unique(scores.clips)),
    }
    for when, labels in chosen.items():
        found[when] = {
            "uar": round(unweighted_average_recall(scores.truth, labels, classes), _DIGITS),
            "recall": {
                name: round(value, _DIGITS)
                for name, value in zip(concepts, recalls(scores.truth, labels, classes), strict=True)
            },
        }
        if SADNESS in concepts:
            sadness = concepts.index(SADNESS)
            sad = probability[when][at_rest, sadness]
            found[when] |= {
                "neutral_called_sadness": round(float((labels[at_rest] == sadness).mean()), _DIGITS),
                "sadness_of_neutral": round(float(sad.mean()), _DIGITS),
            }
    found["uar_gain"] = [round(value, _DIGITS) for value in _gain(scores, chosen, classes)]
    return found


def _gain(scores: Scores, chosen: dict[str, Int64Array], classes: int) -> tuple[float, float, float]:
    """Return the gain in UAR, and its 95 % interval by bootstrap over the clips of each class."""
    clips = np.unique(scores.clips)
    rows = [np.flatnonzero(scores.clips == clip) for clip in clips]
    labels = np.array([scores.truth[own[0]] for own in rows])
    right = {
        when: np.array([np.mean(c[own] == scores.truth[own]) for own in rows]) for when, c in chosen.items()
    }
    difference = right["after"] - right["before"]
    random = np.random.default_rng(0)
    per_class = [difference[labels == label] for label in range(classes) if (labels == label).any()]
    drawn = [np.mean([random.choice(own, len(own)).mean() for own in per_class]) for _ in range(_RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(np.mean([own.mean() for own in per_class])), float(low), float(high)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and print its figures; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.baseline_study", description=__doc__.splitlines()[0]
    )
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--corpus", action="append", help="only this corpus of voices; may be repeated")
    parser.add_argument("--split", choices=get_args(Split), default="test")
    parser.add_argument("--seconds", type=float, default=BaselineSection().seconds)
    parser.add_argument("--strength", type=float, default=BaselineSection().strength)
    parser.add_argument("--cache", type=Path, default=cache_folder() / "training", help="folder of features")
    given = parser.parse_args(arguments)
    try:
        bundle = load_bundle(given.bundle)
        loader = CorpusLoader(given.data, given.cache / "features")
        study = Study(
            bundle,
            open_backend(bundle),
            open_space(bundle.space),
            BaselineSection(enabled=True, seconds=given.seconds, strength=given.strength),
        )
        names = given.corpus or [n for n in corpora_in(given.data) if _is_fit(loader, n)]
        figures = {}
        for name in names:
            scores = study.run(loader, name, cast("Split", given.split))
            figures[name] = summary(scores, loader.corpus(name).concepts)
    except UserError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _is_fit(loader: CorpusLoader, name: str) -> bool:
    corpus = loader.corpus(name)
    return corpus.modality == "voice" and NEUTRAL in corpus.concepts


if __name__ == "__main__":
    main()
