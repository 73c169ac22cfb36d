"""What reads bytes of unknown origin, each with the only error it may answer with and inputs to start from."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import av
import msgspec
import numpy as np

from models.assets.manifest import AssetFile
from models.assets.sources import SourceError, unpack
from models.baseline.points import NeutralPoint, NeutralPointsError, read_points, write_points
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import BundleError, read_manifest
from models.embeddings.glove_text import converted
from models.embeddings.space import EmbeddingError
from models.media import MediaError, read_media
from models.npz_file import NpzFileError, read_npz
from models.training.corpora import CorpusError
from models.training.corpora.safe_pickle import load_arrays
from models.window_schedule import SourceWindows
from stream.bus import unpack as unpack_bus
from stream.config import Camera, Config, Microphone, Source, load_config
from stream.feature_link import unpack_linked
from stream.keys import KeyFileError, read_allowed, read_pair
from stream.messages import (
    End,
    Face,
    FaceFeatures,
    Frame,
    MessageError,
    Pcm,
    TextFeatures,
    TextUtterance,
    VoiceFeatures,
    Word,
    WorkerState,
    decode,
    encode,
)
from stream.public import PublicMessage, decode_public, encode_public
from stream.vocabulary import VocabularyError, load_vocabulary
from stream.yaml_file import YamlFileError
from tests.clips import write_clip
from tests.workers.public_messages import emotion_message, health_message, transcript_message

ROOT = Path(__file__).resolve().parents[2]
LIVE = ROOT / "models" / "bundles" / "live"
CORPUS = Path(__file__).parent / "corpus"
"""A folder a target: inputs that once did harm, or almost."""
_MAX_MEDIA_ITEMS = 50


@dataclass(frozen=True)
class Target:
    """One decoder."""

    read: Callable[[bytes], object]
    """Reads one input."""
    refuses_with: type[Exception]
    """What it may raise."""
    seeds: Callable[[], list[bytes]]
    """Sound inputs."""

    def feed(self, data: bytes) -> bool:
        """Read `data`; return whether it was taken for sound. Whatever else is raised is a fault."""
        try:
            self.read(data)
        except self.refuses_with:
            return False
        return True


@contextlib.contextmanager
def _file(data: bytes, name: str) -> Iterator[Path]:
    """Give a file that holds `data`, private to its user, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / name
        path.touch(0o600)
        path.write_bytes(data)
        yield path


def _from_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        with _file(data, name) as path:
            return read(path)

    return run


def _made(write: Callable[[Path], object], name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


# -- messages ---------------------------------------------------------------------------------------


@cache
def _live() -> Bundle:
    return load_bundle(LIVE)


def _messages() -> list[bytes]:
    parts = _live().modalities
    word = Word(text="week", start_ns=1, end_ns=2, confidence=0.5)
    face = Face(track=1, box=(0, 0, 1, 1), vector=np.ones(parts["face"].dim, np.float32))
    text = np.ones((1, parts["text"].dim), np.float32)
    return [
        encode(message)
        for message in (
            Frame(source="desk", time_ns=10**9, next_ns=2 * 10**9, image=np.zeros((2, 3, 3), np.uint8)),
            Pcm(source="desk", time_ns=10**9, samples=np.zeros(16, np.int16)),
            End(source="desk", time_ns=10**9, why="end of file"),
            FaceFeatures(
                source="desk",
                time_ns=10**9,
                spec=parts["face"].spec,
                through_ns=10**9,
                faces=[face],
                scored=1,
            ),
            VoiceFeatures(
                source="desk",
                time_ns=10**9,
                spec=parts["voice"].spec,
                times_ns=np.array([10**9]),
                vectors=np.ones((1, parts["voice"].dim), np.float32),
                speech=np.ones(1, np.float32),
            ),
            TextFeatures(
                source="desk",
                time_ns=10**9,
                spec=parts["text"].spec,
                utterances=[TextUtterance(id=1, final=True, words=[word], vectors=text)],
            ),
            WorkerState(
                source="desk",
                time_ns=10**9,
                worker="face",
                state="running",
                sent={"face.desk": 1},
                counters={"a": 1},
            ),
        )
    ]


def _read_bus(data: bytes) -> object:
    *_, body = unpack_bus([data[:17], data[17:]])
    return decode(body)


def _read_linked(data: bytes) -> object:
    topic, _, rest = data.partition(b"\n")
    return unpack_linked([topic, rest[:24], rest[24:]])


def _read_public(data: bytes) -> object:
    topic, _, body = data.partition(b"\n")
    return decode_public(topic.decode("utf-8", "replace"), body)


def _public() -> list[bytes]:
    messages: dict[bytes, PublicMessage] = {
        b"emotion.desk": emotion_message(1),
        b"transcript.desk": transcript_message("a few words", seq=1),
        b"health": health_message(1),
    }
    return [
        topic + b"\n" + body
        for topic, message in messages.items()
        for body in (encode_public(message, "json"), encode_public(message, "msgpack"))
    ]


def _read_features(data: bytes) -> object:
    """Put one to eight messages on the time lines of a source, and cut the windows that are due."""
    config = Config(sources=(Source(name="desk", camera=Camera(device=0), microphone=Microphone()),))
    windows = SourceWindows(config.sources[0], config, _live())
    for body in msgspec.msgpack.decode(data, type=list[bytes])[:8]:
        message = decode(body)
        for topic in ("face", "voice", "text"):
            with contextlib.suppress(MessageError):
                windows.add(message, topic)
        taken = list(itertools.islice(windows.take_due(message.time_ns + 10**9), 3))
        assert all(np.isfinite(part.bins.values).all() for due in taken for part in due.modalities.values())
    return windows.wait_s(0)


# -- files ------------------------------------------------------------------------------------------


def _read_manifest(path: Path) -> object:
    return read_manifest(path.parent)


def _points(path: Path) -> None:
    point = NeutralPoint(np.zeros(len(_live().phrases), np.float32), 8.0)
    write_points(path, _live(), "desk", {"face": point})


def _npz(path: Path) -> None:
    np.savez_compressed(path, allow_pickle=False, a=np.arange(4, dtype=np.float32), b=np.eye(2))


def _read_glove(path: Path) -> object:
    with mock.patch.dict(os.environ, {"EMOSTREAM_CACHE": str(path.parent)}):
        return converted(path, dim=3)


def _read_media(path: Path) -> object:
    return list(itertools.islice(read_media(path), _MAX_MEDIA_ITEMS))


def _clip(name: str, *, images: bool) -> bytes:
    samples = (np.arange(8000) % 100 * 200).astype(np.int16)
    pictures = [np.full((32, 32, 3), 40 * k, np.uint8) for k in range(3)] if images else []
    times = [40 * k for k in range(len(pictures))]
    return _made(
        lambda path: write_clip(path, samples=samples, images=pictures, times_ms=times, size=(64, 48)), name
    )


def _read_archive(path: Path) -> None:
    files = [AssetFile(path="a/model.bin"), AssetFile(path="b.txt")]
    unpack(path, "root/", files, path.parent / "out", lambda *_: None)


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("root/a/model.bin", bytes(100))
        archive.writestr("root/b.txt", "b")
    return content.getvalue()


def _shipped(*names: str) -> Callable[[], list[bytes]]:
    return lambda: [(ROOT / name).read_bytes() for name in names]


def _read_keys(path: Path) -> object:
    with contextlib.suppress(KeyFileError):
        return read_pair(path)
    return read_allowed(path)


def _keys() -> list[bytes]:
    public = b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    return [b"laptop " + public + b"\n", b'{"public": "' + public + b'", "secret": "' + public + b'"}']


_SOURCES = b"sources: [{name: desk, camera: {device: 0}}]\n"

TARGETS = {
    "message": Target(decode, MessageError, _messages),
    "bus": Target(_read_bus, MessageError, lambda: [bytes(17) + body for body in _messages()]),
    "link": Target(
        _read_linked, MessageError, lambda: [b"face.desk\n" + bytes(24) + body for body in _messages()]
    ),
    "public": Target(_read_public, MessageError, _public),
    "features": Target(
        _read_features,
        (MessageError, msgspec.MsgspecError),  # type: ignore[arg-type]  # the list around them is the target's own
        lambda: [msgspec.msgpack.encode(_messages())],
    ),
    "config": Target(
        _from_file(load_config, "emostream.yaml"),
        YamlFileError,
        lambda: [_SOURCES, *_shipped("configs/emostream.yaml")()],
    ),
    "vocabulary": Target(
        _from_file(load_vocabulary, "words.yaml"),
        VocabularyError,
        _shipped("configs/vocabularies/ekman.yaml", "configs/vocabularies/meeting.yaml"),
    ),
    "manifest": Target(
        _from_file(_read_manifest, "model.yaml"), BundleError, _shipped("models/bundles/live/model.yaml")
    ),
    "points": Target(
        _from_file(lambda path: read_points(path, _live()), "neutral.yaml"),
        NeutralPointsError,
        lambda: [_made(_points, "neutral.yaml")],
    ),
    "arrays": Target(_from_file(read_npz, "a.npz"), NpzFileError, lambda: [_made(_npz, "a.npz")]),
    "glove": Target(
        _from_file(_read_glove, "glove.txt"), EmbeddingError, lambda: [b"joy 1 2 3\nnew york 4 5 6\n"]
    ),
    "sound": Target(_from_file(_read_media, "a.wav"), MediaError, lambda: [_clip("a.wav", images=False)]),
    "film": Target(_from_file(_read_media, "a.mp4"), MediaError, lambda: [_clip("a.mp4", images=True)]),
    "pickle": Target(
        _from_file(load_arrays, "a.pkl"),
        CorpusError,
        lambda: [pickle.dumps({"text": np.ones((2, 3), np.float32)}, protocol=2)],
    ),
    "archive": Target(_from_file(_read_archive, "a.zip"), SourceError, lambda: [_archive()]),
    "keys": Target(_from_file(_read_keys, "keys"), KeyFileError, _keys),
}

av.logging.set_level(None)
