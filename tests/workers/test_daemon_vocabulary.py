"""The vocabulary of a running daemon is edited, mistaken, and read again on request."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from stream import EmotionMessage
from stream.vocabulary import load_vocabulary
from tests.workers.daemon import Daemon, running_daemon


@pytest.fixture(scope="module")
def daemon(make_short_folder: Callable[[], Path], long_speech: Path) -> Iterator[Daemon]:
    """Give a daemon that listens to speech, with a vocabulary of its own in `vocabulary.yaml`."""
    folder = make_short_folder()
    write(folder, "first", "joy")
    config = f"""\
sources: [{{name: clip, file: {{path: '{long_speech}'}}}}]
vocabulary: vocabulary.yaml
transcript: {{engine: 'off'}}
"""
    with running_daemon(folder, config) as daemon:
        daemon.wait_until(lambda: bool(scored(daemon)))
        yield daemon


def write(folder: Path, name: str, *emotions: str) -> Path:
    """Write a vocabulary file in one step, as editors do."""
    draft, file = folder / "draft.yaml", folder / "vocabulary.yaml"
    draft.write_text(f"name: {name}\nemotions: [{', '.join(emotions)}]\n")
    return draft.replace(file)


def scored(daemon: Daemon) -> list[EmotionMessage]:
    return [message for message in daemon.emotions if message.emotions]


def names(message: EmotionMessage) -> list[str]:
    return [emotion.name for emotion in message.emotions]


def use(daemon: Daemon, name: str, *emotions: str) -> None:
    """Edit the vocabulary file and wait until the edit is in use."""
    write(daemon.folder, name, *emotions)
    daemon.wait_until(lambda: scored(daemon)[-1].vocabulary.startswith(f"{name}@"))


def test_an_edit_is_used_from_the_next_window_on(daemon: Daemon) -> None:
    use(daemon, "before", "joy", "anger")
    use(daemon, "after", "feeling left out", "pride", "schadenfreude")
    messages = scored(daemon)
    versions = {message.vocabulary: names(message) for message in messages}
    version = load_vocabulary(daemon.folder / "vocabulary.yaml").version
    assert versions[version] == ["feeling left out", "pride", "schadenfreude"]
    assert all(names(message) == versions[message.vocabulary] for message in messages)
    assert all(later.seq == earlier.seq + 1 for earlier, later in pairwise(daemon.emotions))
    daemon.wait_until(lambda: daemon.health[-1].vocabulary == version)
    assert daemon.health[-1].vocabulary_error is None


@pytest.mark.parametrize(
    ("mistake", "place", "complaint"),
    [
        (
            "emotions:\n  - joy\n  - {name: pride, color: '#ff0000'}\n",
            ":4: emotions[1].color = '#ff0000': ",
            "`colour`",
        ),
        ("emotions: []\n", ":2: emotions = ", "at least 1 item"),
        ("emotions: [joy,\n", ":", "not valid YAML"),
    ],
)
def test_a_bad_edit_changes_nothing_and_says_where_it_is_wrong(
    daemon: Daemon, mistake: str, place: str, complaint: str
) -> None:
    use(daemon, "good", "joy", "sadness")
    version, file = scored(daemon)[-1].vocabulary, daemon.folder / "vocabulary.yaml"
    file.write_text(f"name: bad\n{mistake}")
    daemon.wait_until(lambda: complaint in (daemon.health[-1].vocabulary_error or ""))
    error = daemon.health[-1].vocabulary_error or ""
    assert error.startswith(f"{file}{place}")
    after = len(daemon.emotions)
    daemon.wait_until(lambda: len(daemon.emotions) > after + 5)
    assert {message.vocabulary for message in daemon.emotions[after:]} == {version}
    assert daemon.health[-1].vocabulary == version
    use(daemon, "mended", "joy")
    daemon.wait_until(lambda: daemon.health[-1].vocabulary_error is None)


def test_a_hangup_signal_has_the_file_read_again(daemon: Daemon) -> None:
    use(daemon, "silent", "pride")
    file = daemon.folder / "vocabulary.yaml"
    status = file.stat()
    inference = daemon.workers()["inference"]
    inference.suspend()  # it must not see the file between these two lines
    file.write_text(file.read_text().replace("pride", "shame"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    inference.resume()
    after = len(daemon.emotions)
    daemon.wait_until(lambda: len(daemon.emotions) > after + 5)
    assert names(scored(daemon)[-1]) == ["pride"], "nothing shows that the file has changed"
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_until(lambda: names(scored(daemon)[-1]) == ["shame"])
