"""Tiny corpora in the layouts of the real ones, written from real faces and real speech."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import soundfile
import torch
from ruamel.yaml import YAML

from models.media import AudioChunk, read_media
from stream.messages import SAMPLE_RATE_HZ, Int16Array, Uint8Array
from tests.models.training.sequence_files import write_glove, write_iemocap, write_mosei
from tests.models.training.sequence_training import COUNTS, run, train

# These networks are too small for threads, which only wait for each other where two tests run at a time.
torch.set_num_threads(1)

_LIVE = Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml"
_CLIP_S = 1.5
_FACES = {"su": "surprise", "hao": "happy", "anc": "angry", "di": "disgust"}
_COMMENTS = {"17": "what a lovely day", "2": "this makes me so mad", "25": "I miss her", "27": "the bus stops here", "0,18": "you are great, I love it"}  # fmt: skip
LABELS = [
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
]


@pytest.fixture(scope="session")
def corpora(asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a handful of stills, clips and comments, every split of every corpus present."""
    data = tmp_path_factory.mktemp("corpora")
    speech = np.concatenate(
        [item.samples for item in read_media(asset("two-cities")) if isinstance(item, AudioChunk)]
    )
    write_fer2013(data, asset("expression-stills"))
    write_ravdess(data, speech)
    write_nemo(data, speech)
    write_goemotions(data)
    write_crema_d(data, speech)
    write_meld(data, asset("expression-stills") / "0-f1-su-ph.jpg", speech)
    write_xed(data)
    return data


def write_fer2013(data: Path, stills: Path) -> None:
    index = io.StringIO()
    rows = csv.writer(index)
    rows.writerow(["path", "label", "split"])
    found = itertools.product(("train", "validation", "test"), sorted(stills.glob("*.jpg")))
    with zipfile.ZipFile(data / "fer2013.zip", "w") as archive:
        for i, (split, path) in enumerate(found):
            grey = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)[i : 420 + i, 40:460]
            small = cv2.resize(grey, (96, 96), interpolation=cv2.INTER_AREA)
            archive.writestr(f"{split}/{i}.png", png(np.asarray(small, np.uint8)))
            rows.writerow([f"{split}/{i}.png", _FACES[path.stem.split("-")[2]], split])
        archive.writestr("train/grey.png", png(np.full((48, 48), 90, np.uint8)))
        rows.writerow(["train/grey.png", "neutral", "train"])
        archive.writestr("index.csv", index.getvalue())


def png(image: Uint8Array) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def clips(speech: Int16Array) -> itertools.cycle[Int16Array]:
    length = round(_CLIP_S * SAMPLE_RATE_HZ)
    return itertools.cycle([speech[i : i + length] for i in range(0, len(speech) - length, length)])


def write_ravdess(data: Path, speech: Int16Array) -> None:
    (data / "ravdess").mkdir()
    samples = clips(speech)
    for actor, emotion in itertools.product((1, 2, 15, 17), (1, 3, 5)):
        path = data / "ravdess" / f"03-01-{emotion:02d}-01-01-01-{actor:02d}.flac"
        soundfile.write(path, next(samples), SAMPLE_RATE_HZ)


def write_nemo(data: Path, speech: Int16Array) -> None:
    (data / "nemo").mkdir()
    samples = clips(speech[SAMPLE_RATE_HZ:])
    rows = ["file_id\temotion\tspeaker_id\tgender"]
    for speaker, emotion in itertools.product(("EB0", "TP0", "WR0"), ("anger", "happiness", "neutral")):
        soundfile.write(
            data / "nemo" / f"{speaker}_{emotion}.opus",
            next(samples),
            SAMPLE_RATE_HZ,
            format="OGG",
            subtype="OPUS",
        )
        gender = "female" if speaker == "EB0" else "male"
        rows.append(f"{speaker}_{emotion}.wav\t{emotion}\t{speaker}\t{gender}")
    (data / "nemo" / "data.tsv").write_text("\n".join(rows) + "\n")


def write_goemotions(data: Path) -> None:
    folder = data / "goemotions"
    folder.mkdir()
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    for split in ("train", "dev", "test"):
        rows = [
            f"{text} ({split})\t{labels}\t{split}{i}" for i, (labels, text) in enumerate(_COMMENTS.items())
        ]
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n")


def write_crema_d(data: Path, speech: Int16Array) -> None:
    folder = data / "crema_d" / "AudioWAV"
    folder.mkdir(parents=True)
    samples = clips(speech)
    for actor, emotion in itertools.product((1001, 1075, 1091), ("ANG", "HAP")):
        soundfile.write(folder / f"{actor}_DFA_{emotion}_XX.wav", next(samples), SAMPLE_RATE_HZ)


def write_meld(data: Path, still: Path, speech: Int16Array) -> None:
    (data / "meld").mkdir()
    image = np.asarray(cv2.resize(np.asarray(cv2.imread(str(still))), (320, 320)), np.uint8)
    samples = clips(speech)
    folders = ("train_splits", "dev_splits_complete", "output_repeated_splits_test")
    for split, folder in zip(("train", "dev", "test"), folders, strict=True):
        rows = [
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime",
            f'1,"Oh my God, he’s lost it ({split}).",Phoebe,sadness,negative,0,0,4,7,"00:20:57,256","00:21:00,049"',
            f'2,What ({split})?,Monica,surprise,negative,0,1,4,7,"00:21:01,927","00:21:03,261"',
        ]
        (data / "meld" / f"{split}_sent_emo.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        (data / "meld" / folder).mkdir()
        for utterance in range(2):
            write_video(data / "meld" / folder / f"dia0_utt{utterance}.mp4", image, next(samples))


def write_video(path: Path, image: Uint8Array, samples: Int16Array, rate_hz: int = 10) -> None:
    """Write a video that shows `image` while `samples` are heard."""
    with av.open(str(path), "w") as file:
        video: Any = file.add_stream("libx264", rate=rate_hz)
        video.height, video.width, video.pix_fmt = *image.shape[:2], "yuv420p"
        audio: Any = file.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        for _ in range(len(samples) * rate_hz // SAMPLE_RATE_HZ):
            file.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(video.encode())
        sound = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        sound.sample_rate = SAMPLE_RATE_HZ
        file.mux(audio.encode(sound))
        file.mux(audio.encode())


def write_xed(data: Path) -> None:
    (data / "xed").mkdir()
    annotated = [f"Line {i} is lovely .\t{5 + i % 2}, {1 + i % 4}" for i in range(30)]
    neutral = [f"9\tHe went home at {i} .\t\t" for i in range(10)]
    write_xed_files(data / "xed", annotated, neutral)


def write_xed_files(folder: Path, annotated: list[str], neutral: list[str]) -> None:
    (folder / "en-annotated.tsv").write_bytes("".join(f"{line}\r\n" for line in annotated).encode())
    (folder / "neu_en.txt").write_text("".join(f"{line}\n" for line in neutral), encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder with both corpora, and a cache into which a small GloVe 840B was brought by hand."""
    folder = tmp_path_factory.mktemp("place")
    write_mosei(folder / "corpora" / "mosei", COUNTS)
    write_iemocap(folder / "corpora" / "iemocap", COUNTS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOSTREAM_CACHE", str(folder / "cache"))
        assert run("assets", "fetch", "glove-840b-300d", "--from", write_glove(folder)) == 0
        yield folder
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def paper(place: Path) -> Path:
    """Give the bundle of the paper's network on CMU-MOSEI."""
    return train(place, "paper-mosei")


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the live recipe cut down to narrow branches and one epoch."""
    content = YAML(typ="safe", pure=True).load(_LIVE)
    for branch in content["branches"].values():
        branch |= {"width": 16, "epochs": 1, "batch": 4}
    content |= {"name": "tiny", "version": "tiny@3"}
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return path


@pytest.fixture(scope="session")
def trained(
    corpora: Path, recipe: Path, asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Give a bundle trained from the tiny corpora, and the cache it left."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
    folder = tmp_path_factory.mktemp("trained")
    bundle, cache = folder / "tiny", folder / "cache"
    assert run("train", recipe, "--data", corpora, "--out", bundle, "--cache", cache) == 0
    return bundle, cache
