"""Editing the vocabulary of the running daemon: checked first, tried out as a draft, saved when asked."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from models.bundle import Bundle
from models.embeddings import EmbeddingSpace, UnknownWordError
from models.opening import open_bundle, open_bundle_space
from models.vocabulary_embedding import phrase_vector
from stream.config import Config, config_folder
from stream.errors import UserError
from stream.live_vocabulary import draft_file, live_vocabulary_file
from stream.vocabulary import MAX_EMOTIONS, Emotion, Phrase, Vocabulary, VocabularyError, load_vocabulary
from stream.yaml_file import Section

OWN_VOCABULARIES = Path(".config/emostream/vocabularies")
"""Below the home folder: where changed vocabularies go that came with emostream."""


class VocabularyChange(Section):
    """What the emotions are to be."""

    emotions: tuple[Emotion, ...] = Field(min_length=1, max_length=MAX_EMOTIONS)
    """All of them, in the order of the messages."""
    save: bool = False
    """Whether to write them to the vocabulary's file, beyond trying them out."""


class WordQuestion(Section):
    """A word or phrase that somebody thinks of adding."""

    phrase: Phrase


@dataclass(frozen=True)
class WordProblem:
    """A word that the model's embedding space does not know."""

    emotion: str
    message: str
    suggestions: list[str] = field(default_factory=list)
    """Known words that are spelt like it."""


class UnknownWordsError(UserError):
    """Words of a change that cannot be scored."""

    def __init__(self, problems: list[WordProblem]) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = problems


class VocabularyEditor:
    """Reads and changes the words that are scored; used from several threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()

    @property
    def target(self) -> Path:
        """Where changes are saved: the file that the configuration names, or a copy of one of emostream's."""
        file = Path(self._config.vocabulary)
        if file.resolve().parent == (config_folder() / "vocabularies").resolve():
            return Path.home() / OWN_VOCABULARIES / file.name
        return file

    def describe(self) -> dict[str, Any]:
        """Return the vocabulary in use, and where it would be saved.

        Raises:
            UserError: the file is being edited, and has mistakes.
        """
        file = live_vocabulary_file(self._config)
        vocabulary = load_vocabulary(file)
        return {
            "name": vocabulary.name,
            "version": vocabulary.version,
            "editable": self._config.gateway.edit_vocabulary,
            "saved": self._is_saved(file, vocabulary),
            "file": str(self.target),
            "used_at_start": self._config.vocabulary,
            "emotions": [_described(emotion, self._trained) for emotion in vocabulary.emotions],
        }

    def examine(self, phrase: str) -> dict[str, Any]:
        """Return what is known of a word or phrase, and to which emotions in use it lies close.

        Raises:
            UserError: the model's embedding space cannot be opened, or the vocabulary has mistakes.
        """
        try:
            vector = phrase_vector(phrase, self._space)
        except UnknownWordError as error:
            return {"phrase": phrase, "known": False, "message": str(error), "suggestions": error.nearest}
        cosines = {}
        for emotion in load_vocabulary(live_vocabulary_file(self._config)).emotions:
            mean = np.mean([phrase_vector(each, self._space) for each in emotion.phrases], axis=0)
            cosines[emotion.name] = float(vector @ mean / np.linalg.norm(mean))
        nearest = sorted(cosines, key=lambda name: -cosines[name])[:3]
        return {
            "phrase": phrase,
            "known": True,
            "trained": phrase.lower() in self._trained,
            "nearest": [{"name": name, "cosine": round(cosines[name], 3)} for name in nearest],
        }

    def change(self, change: VocabularyChange) -> None:
        """Have the daemon score other words from its next window on.

        Raises:
            UnknownWordsError: a word is not known; nothing is changed.
            UserError: the words are no vocabulary, or the file cannot be written; nothing is changed.
        """
        with self._lock:
            self._check_words(change.emotions)
            current, draft = live_vocabulary_file(self._config), draft_file(self._config)
            # The text of the file goes on, with its comments, so that saving changes no more than the words.
            text = _edited(current, load_vocabulary(current), change.emotions)
            if not change.save:
                _write(draft, text)
                return
            _write(self.target, text)
            if self.target == Path(self._config.vocabulary):
                draft.unlink(missing_ok=True)
            else:
                _write(draft, text)

    def _is_saved(self, file: Path, vocabulary: Vocabulary) -> bool:
        if file != draft_file(self._config):
            return True
        try:
            return load_vocabulary(self.target).version == vocabulary.version
        except VocabularyError:
            return False

    def _check_words(self, emotions: tuple[Emotion, ...]) -> None:
        problems = []
        for emotion in emotions:
            for phrase in emotion.phrases:
                try:
                    phrase_vector(phrase, self._space)
                except UnknownWordError as error:
                    problems.append(WordProblem(emotion.name, str(error), error.nearest))
        if problems:
            raise UnknownWordsError(problems)

    # Opened by the first who edits: it takes memory, and most viewers never do.
    @cached_property
    def _space(self) -> EmbeddingSpace:
        return open_bundle_space(self._bundle)

    @cached_property
    def _bundle(self) -> Bundle:
        return open_bundle(self._config)

    @cached_property
    def _trained(self) -> frozenset[str]:
        return frozenset(phrase.lower() for phrase in self._bundle.phrases)


def _described(emotion: Emotion, trained: frozenset[str]) -> dict[str, Any]:
    known = any(phrase.lower() in trained for phrase in emotion.phrases)
    return {**emotion.model_dump(mode="json"), "trained": known}


def _edited(file: Path, vocabulary: Vocabulary, emotions: tuple[Emotion, ...]) -> str:
    """Return the text of `file` with other emotions; those that stay the same keep their lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 110
    tree = yaml.load(file.read_text("utf-8"))
    entries = tree["emotions"]
    before = list(zip(vocabulary.emotions, list(entries), strict=True))
    kept = [emotion for emotion, _ in before if emotion in emotions]
    for index in reversed(range(len(before))):
        if before[index][0] not in emotions:
            del entries[index]
    if kept == list(emotions[: len(kept)]):
        entries.extend(_entry(emotion) for emotion in emotions[len(kept) :])
    else:
        known = {emotion.name: entry for emotion, entry in before if emotion in emotions}
        entries[:] = [known.get(emotion.name) or _entry(emotion) for emotion in emotions]
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _entry(emotion: Emotion) -> CommentedMap | str:
    fields = emotion.model_dump(mode="json", exclude_defaults=True)
    if list(fields) == ["name"]:
        return emotion.name
    entry = CommentedMap(fields)
    entry.fa.set_flow_style()
    return entry


def _write(path: Path, text: str) -> None:
    """Replace the file in one step.

    Raises:
        VocabularyError: the text is no vocabulary.
        UserError: the file cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, encoding="utf-8")
        load_vocabulary(scratch)
        scratch.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)
