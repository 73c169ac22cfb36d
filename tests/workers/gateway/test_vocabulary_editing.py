"""Words tried out and saved over HTTP; that the daemon scores them is tested in `tests/live/test_page.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.config import config_folder
from stream.live_vocabulary import draft_file, live_vocabulary_file
from stream.vocabulary import load_vocabulary

OWN = """\
# my words
name: mine
emotions:
  - joy          # the good one
  - {name: bored, words: [bored, uninterested], threshold: 0.5, colour: "#a1887f"}
  - anger
"""


@pytest.fixture
def words(open_client, asset):
    """Give a client of a gateway whose vocabulary is a file of the user's own."""
    asset("minilm-l6")
    return open_client(vocabulary=OWN)


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [emotion["name"] for emotion in answer.json()["emotions"]]


def put(client, *emotions, save=False):
    content = {"emotions": [{"name": e} if isinstance(e, str) else e for e in emotions], "save": save}
    return client.put("/api/vocabulary", json=content)


def test_the_words_in_use_are_told(words):
    answer = words.get("/api/vocabulary").json()
    assert answer["version"].startswith("mine@")
    assert answer["saved"]
    assert answer["emotions"][1] == {
        "name": "bored", "words": ["bored", "uninterested"], "threshold": 0.5, "colour": "#a1887f", "trained": False,
    }  # fmt: skip


def test_a_word_is_tried_out_and_the_file_stays_as_it_is(words):
    config = words.gateway.config
    bored = words.get("/api/vocabulary").json()["emotions"][1] | {}
    del bored["trained"]
    answer = put(words, "joy", bored, "anger", "left out")
    assert names(answer) == ["joy", "bored", "anger", "left out"]
    assert not answer.json()["saved"]
    assert Path(config.vocabulary).read_text() == OWN
    live = load_vocabulary(live_vocabulary_file(config))
    assert (live.path, live.version) == (draft_file(config), answer.json()["version"])


def test_saving_changes_no_more_than_the_words(words):
    bored = {k: v for k, v in words.get("/api/vocabulary").json()["emotions"][1].items() if k != "trained"}
    answer = put(words, "joy", bored, "left out", save=True)
    assert answer.json()["saved"]
    text = Path(words.gateway.config.vocabulary).read_text()
    assert text == OWN.replace("  - anger\n", "  - left out\n")
    assert live_vocabulary_file(words.gateway.config) == Path(words.gateway.config.vocabulary)


def test_an_edit_of_the_file_wins_over_words_tried_out_before(words):
    put(words, "joy", "left out")
    Path(words.gateway.config.vocabulary).write_text("name: mine\nemotions: [pride]\n")
    assert names(words.get("/api/vocabulary")) == ["pride"]


def test_words_that_come_with_emostream_are_saved_as_a_copy(open_client, asset, monkeypatch, tmp_path):
    asset("minilm-l6")
    monkeypatch.setattr("workers.gateway.vocabulary.OWN_VOCABULARIES", tmp_path / "own")
    shipped = config_folder() / "vocabularies" / "ekman.yaml"
    client = open_client(shipped=shipped)
    before = shipped.read_bytes()
    answer = put(client, "joy", "left out", save=True)
    copy = tmp_path / "own" / "ekman.yaml"
    assert answer.json()["file"] == str(copy)
    assert answer.json()["saved"]
    assert [emotion.name for emotion in load_vocabulary(copy).emotions] == ["joy", "left out"]
    assert shipped.read_bytes() == before


@pytest.mark.parametrize(
    ("emotions", "complaint"),
    [
        ([], "at least 1"),
        (["joy", "joy"], "named twice: joy"),
        ([{"name": "joy", "colour": "red"}], "colour"),
        ([{"name": "joy", "weight": 1}], "weight"),
        (["!?"], "is not a word"),
    ],
)
def test_what_cannot_be_scored_is_refused_and_changes_nothing(words, emotions, complaint):
    answer = put(words, *emotions)
    assert answer.status_code in (409, 422)
    assert complaint in answer.json()["error"]
    assert names(words.get("/api/vocabulary")) == ["joy", "bored", "anger"]


def test_unknown_words_are_refused_with_suggestions(words, monkeypatch):
    from models.embeddings import UnknownWordError

    def unknown(phrase, space):
        raise UnknownWordError(phrase, ["happiness", "happily"], "glove-6b-50d")

    monkeypatch.setattr("workers.gateway.vocabulary.phrase_vector", unknown)
    answer = put(words, "hapiness")
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["emotion"], problem["suggestions"]) == ("hapiness", ["happiness", "happily"])
    word = words.get("/api/word", params={"phrase": "hapiness"}).json()
    assert (word["known"], word["suggestions"]) == (False, ["happiness", "happily"])


def test_a_word_is_examined_before_it_is_added(words):
    word = words.get("/api/word", params={"phrase": "boredom"}).json()
    assert word["known"]
    assert word["nearest"][0]["name"] == "bored"
    assert words.get("/api/word", params={"phrase": "sadness"}).json()["trained"]
    assert words.get("/api/word", params={"phrase": ""}).status_code == 422


def test_a_body_that_is_none_is_refused(words):
    headers = {"content-type": "application/json"}
    assert words.put("/api/vocabulary", content=b"{", headers=headers).status_code == 422
    assert words.put("/api/vocabulary", content=b"x" * (1 << 18), headers=headers).status_code == 413
    assert words.put("/api/vocabulary", content=b"{}").status_code == 415


def test_editing_can_be_forbidden(open_client, asset):
    client = open_client(edit_vocabulary=False)
    assert put(client, "joy").status_code == 403
    assert not client.get("/api/vocabulary").json()["editable"]
