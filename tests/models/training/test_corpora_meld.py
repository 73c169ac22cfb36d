"""MELD is read from its published tables and clips."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.training.corpora import CorpusError, open_corpus
from models.training.extraction import ClipExtraction, FaceExtraction


def test_utterances_keep_their_official_split_speaker_and_emotion(corpora: Path) -> None:
    corpus = open_corpus("meld", corpora)
    first = {example.split: example for example in reversed(corpus.examples())}
    assert {split: example.key for split, example in first.items()} == {
        "train": "train/dia0_utt0",
        "validation": "validation/dia0_utt0",
        "test": "test/dia0_utt0",
    }
    assert (first["test"].speaker, first["test"].concepts) == ("Phoebe", ("sadness",))
    assert corpus.content("test/dia0_utt0").decode() == "Oh my God, he’s lost it (test)."


def test_clips_give_voice_and_face(corpora: Path, asset: Callable[[str], Path]) -> None:
    voice, face = open_corpus("meld-voice", corpora), open_corpus("meld-face", corpora)
    assert voice.examples() == face.examples() == open_corpus("meld", corpora).examples()
    with ClipExtraction(asset("silero-vad")).open() as extract:
        heard = extract(voice.content("validation/dia0_utt1"))
    with FaceExtraction(asset("face_landmarker")).open() as extract:
        seen = extract(face.content("validation/dia0_utt1"))
    assert len(heard.vectors) == pytest.approx(30, abs=2)
    assert heard.speech.max() > 0.5
    assert len(seen.vectors) == 15
    assert seen.speech.all()


def test_a_clip_that_is_not_there_is_named(corpora: Path, tmp_path: Path) -> None:
    shutil.copytree(corpora / "meld", tmp_path / "meld")
    gone = tmp_path / "meld" / "dev_splits_complete" / "dia0_utt1.mp4"
    gone.unlink()
    with pytest.raises(CorpusError, match=str(gone)):
        open_corpus("meld-voice", tmp_path).content("validation/dia0_utt1")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Dialogue_ID,Utterance_ID,Speaker,Utterance,Emotion\n0,0,Joey,Hey,smug\n", ":2: Emotion: 'smug' is none of anger, "),
        ("Dialogue_ID,Utterance_ID,Speaker,Utterance\n0,0,Joey,Hey\n", ":2: not a row of MELD's table: KeyError"),
        ("Dialogue_ID,Utterance_ID,Speaker,Utterance,Emotion\n0,0,Joey,Hey\n", ":2: not a row of MELD's table"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    folder = tmp_path / "meld"
    folder.mkdir()
    for name in ("train", "dev", "test"):
        (folder / f"{name}_sent_emo.csv").write_text(row)
    with pytest.raises(CorpusError) as error:
        open_corpus("meld", tmp_path)
    assert str(error.value).startswith(f"{folder / 'train_sent_emo.csv'}{said}")
