"""Every message that crosses a process boundary, as a typed struct.

Conventions: every `_ns` is `time.monotonic_ns()` of the capturing host, or `start + pts` on the clock of
a media file. `time_ns` is when the newest content of the message was captured. Arrays travel as raw
little-endian bytes with their shape and type; a float array with a NaN or an infinity is refused on
arrival.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Float32Array: TypeAlias = npt.NDArray[np.float32]
Int16Array: TypeAlias = npt.NDArray[np.int16]
Int64Array: TypeAlias = npt.NDArray[np.int64]
Uint8Array: TypeAlias = npt.NDArray[np.uint8]

SAMPLE_RATE_HZ = 16_000
"""Sample rate of all audio on the bus: mono, signed 16 bit."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "u1": np.dtype("u1"),
    "i2": np.dtype("<i2"),
    "i8": np.dtype("<i8"),
    "f4": np.dtype("<f4"),
}


Nanoseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 61), le=1 << 61)]
"""A time, in a range in which sums of two cannot overflow 64 bits."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=100)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=10_000)]
_Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Coordinate: TypeAlias = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
_Finite: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
_MAX_FACES = 64
_MAX_UTTERANCES = 256
_MAX_WORDS = 1024
_MAX_NAMES = 1024
_MAX_SIDE = 16_384


class MessageError(ValueError):
    """Bytes that are not a valid message of the type expected."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, eq=False, forbid_unknown_fields=True):
    """What all messages of the media and feature planes share."""

    source: Name
    time_ns: Nanoseconds


# -- media plane ------------------------------------------------------------------------------------


class Frame(Message, frozen=True, kw_only=True, tag=True):
    """One camera frame."""

    image: np.ndarray
    """`[height, width, 3]` uint8, BGR."""
    next_ns: Nanoseconds
    """When the next frame is due; no other frame was captured in between."""

    def __post_init__(self) -> None:
        _check_array("image", self.image, "u1", (None, None, 3))
        if not all(0 < side <= _MAX_SIDE for side in self.image.shape):
            raise ValueError(f"image of {self.image.shape[1]}x{self.image.shape[0]} pixels")


class Pcm(Message, frozen=True, kw_only=True, tag=True):
    """A run of consecutive samples; `time_ns` is the capture time of the end of the last one."""

    samples: np.ndarray
    """`[n]` int16 at `SAMPLE_RATE_HZ`."""
    overflows: Count = 0
    """How many times the device has lost samples since the worker opened it."""

    def __post_init__(self) -> None:
        _check_array("samples", self.samples, "i2", (None,))


class End(Message, frozen=True, kw_only=True, tag=True):
    """Nothing more will come on this topic from this source; passed on by every worker that reads it."""

    why: Text


# -- feature plane ----------------------------------------------------------------------------------


class Face(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One face in one frame."""

    track: Count
    """Stable for as long as the same face stays in view; never used again after."""
    box: tuple[_Coordinate, _Coordinate, _Coordinate, _Coordinate]
    """Left, top, width, height as fractions of the frame; may reach past its edges."""
    vector: np.ndarray
    """`[D]` float32, in the layout of the feature spec."""

    def __post_init__(self) -> None:
        _check_array("vector", self.vector, "f4", (None,))


class FaceFeatures(Message, frozen=True, kw_only=True, tag=True):
    """Every face found in one frame, none where there is none."""

    spec: Name
    through_ns: Nanoseconds
    """No further frame is due before this time."""
    faces: Annotated[list[Face], msgspec.Meta(max_length=_MAX_FACES)]
    scored: Count | None = None
    """The track that is scored, one of `faces`; `None` where no face is."""
    dropped: Count = 0
    """Frames captured since the previous message that were never looked at."""


class VoiceFeatures(Message, frozen=True, kw_only=True, tag=True):
    """The voice feature vectors completed since the previous message, oldest first; may be none."""

    spec: Name
    times_ns: np.ndarray
    """`[n]` int64: the end of each vector's support."""
    vectors: np.ndarray
    """`[n, D]` float32, normalised per speaker."""
    speech: np.ndarray
    """`[n]` float32 in 0..1: probability that somebody speaks."""
    dropped: Count = 0
    """Audio messages lost since the previous message."""

    def __post_init__(self) -> None:
        count = len(self.times_ns) if self.times_ns.ndim else 0
        _check_array("times_ns", self.times_ns, "i8", (count,))
        _check_array("vectors", self.vectors, "f4", (count, None))
        _check_array("speech", self.speech, "f4", (count,))


class Word(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One recognised word. Personal data: never logged."""

    text: Annotated[str, msgspec.Meta(max_length=1000)]
    start_ns: Nanoseconds
    end_ns: Nanoseconds
    confidence: _Share
    """0..1."""


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one utterance as known now; replaces what was said of the same `id` before."""

    id: Count
    final: bool
    words: Annotated[list[Word], msgspec.Meta(max_length=_MAX_WORDS)]


class Words(Message, frozen=True, kw_only=True, tag=True):
    """What the transcriber knows after hearing everything up to `time_ns`; usually nothing new."""

    utterances: Annotated[list[Utterance], msgspec.Meta(max_length=_MAX_UTTERANCES)]
    dropped: Count = 0
    """Audio messages lost since the previous message."""


class TextUtterance(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One utterance with a vector a word; replaces what was said of the same `id` before."""

    id: Count
    final: bool
    words: Annotated[list[Word], msgspec.Meta(max_length=_MAX_WORDS)]
    vectors: np.ndarray
    """`[len(words), E]` float32; an all-zero row is a word the embedding space does not know."""

    def __post_init__(self) -> None:
        _check_array("vectors", self.vectors, "f4", (len(self.words), None))


class TextFeatures(Message, frozen=True, kw_only=True, tag=True):
    """`Words`, each word with its vector."""

    spec: Name
    utterances: Annotated[list[TextUtterance], msgspec.Meta(max_length=_MAX_UTTERANCES)]
    dropped: Count = 0


class ReadCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one topic of one source at one reader, since the reader started."""

    received: Count = 0
    dropped: Count = 0
    """Lost on the way, or skipped for a newer one."""
    malformed: Count = 0
    """Refused: not a message of this topic."""


State: TypeAlias = Literal["loading", "ready", "running", "lost", "ended", "failed", "restarting"]
"""What a worker is doing; `lost`: its device is gone, and it is trying to open it again."""


class WorkerState(Message, frozen=True, kw_only=True, tag=True):
    """What a worker says of itself once a second; `source` is empty for one that serves all sources."""

    worker: Name
    state: State
    detail: Text = ""
    pid: Count = 0
    sent: Annotated[dict[Name, Count], msgspec.Meta(max_length=_MAX_NAMES)] = {}
    """Messages published since the worker started, by `topic.source`."""
    reads: Annotated[dict[Name, ReadCounts], msgspec.Meta(max_length=_MAX_NAMES)] = {}
    """By `topic.source`."""
    counters: Annotated[dict[Name, Count], msgspec.Meta(max_length=_MAX_NAMES)] = {}
    """What else it counts, by name."""
    cpu_s: _Finite = 0.0
    rss_bytes: Count = 0


AnyMessage: TypeAlias = Frame | Pcm | End | FaceFeatures | VoiceFeatures | Words | TextFeatures | WorkerState


def _check_array(name: str, array: Any, code: str, shape: tuple[int | None, ...]) -> None:
    """Refuse an array of another type, or of another shape; `None` stands for any length."""
    if array.dtype != _DTYPES[code] or array.ndim != len(shape):
        raise ValueError(f"{name} is an array of {array.dtype} with {array.ndim} dimensions")
    if any(wanted is not None and wanted != found for wanted, found in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has the shape {array.shape}")


def _encode_array(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"cannot encode {type(value).__name__}")
    code = value.dtype.str.lstrip("<|")
    if code not in _DTYPES:
        raise MessageError(f"arrays of {value.dtype} do not travel; use one of {', '.join(_DTYPES)}")
    return [code, list(value.shape), np.ascontiguousarray(value).reshape(-1).view(np.uint8).data]


def _decode_array(kind: type, value: Any) -> object:
    if kind is not np.ndarray:
        raise NotImplementedError(f"cannot decode {kind.__name__}")
    code, shape, data = value
    dtype = _DTYPES.get(code)
    if dtype is None or not isinstance(data, bytes) or not isinstance(shape, list) or len(shape) > 3:
        raise ValueError("malformed array")
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"array of shape {shape} does not fit its {len(data)} bytes")
    array = np.frombuffer(data, dtype).reshape(shape)
    if dtype.kind == "f" and np.count_nonzero(np.isfinite(array)) < array.size:
        raise ValueError("array holds a NaN or an infinity")
    return array


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_array)
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage, dec_hook=_decode_array)


def encode(message: AnyMessage) -> bytes:
    """Return the wire form of `message`: MessagePack, tagged with its type's name."""
    return _encoder.encode(message)


def decode(data: bytes | memoryview) -> AnyMessage:
    """Return the message that `data` holds.

    Raises:
        MessageError: `data` is not one, or an array in it is malformed or not finite.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MessageError(str(error)) from error
