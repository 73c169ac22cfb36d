"""Emotion messages as flat rows, as tables take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from stream.public import EmotionMessage
from stream.windows import NS_PER_S, seconds_to_ns

Value = str | float | bool | None


def rows(messages: Iterable[EmotionMessage], *, seconds: float | None = None) -> Iterator[dict[str, Value]]:
    """Yield one flat row a message, for `pandas.DataFrame` and the like.

    Columns are `wall_time`, `time_s` (on the capture clock), `source`, for each emotion its `NAME.distance`,
    `NAME.probability`, `NAME.smoothed` and `NAME.face`, `NAME.voice`, `NAME.text` (distances), and for each
    modality `MODALITY.used` and `MODALITY.coverage`. What a message does not have is left out.

    Args:
        messages: as `subscribe` gives them.
        seconds: stop once so much time of the stream has passed; `None` goes on for as long as they come.
    """
    first_ns: int | None = None

    def early(message: EmotionMessage) -> bool:
        nonlocal first_ns
        first_ns = message.time_ns if first_ns is None else first_ns
        return seconds is None or message.time_ns < first_ns + seconds_to_ns(seconds)

    for message in takewhile(early, messages):
        yield _row(message)


def _row(message: EmotionMessage) -> dict[str, Value]:
    row: dict[str, Value] = {
        "wall_time": message.wall_time,
        "time_s": message.time_ns / NS_PER_S,
        "source": message.source,
    }
    for score in message.emotions:
        row[f"{score.name}.distance"] = score.distance
        row[f"{score.name}.probability"] = score.probability
        row[f"{score.name}.smoothed"] = score.smoothed
        row |= {f"{score.name}.{modality}": distance for modality, distance in score.by_modality.items()}
    for modality, evidence in message.evidence.items():
        row[f"{modality}.used"] = evidence.used
        row[f"{modality}.coverage"] = evidence.coverage
    return row
