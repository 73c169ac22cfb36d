"""Feature streams as the extractors make them of a clip, to be replayed any number of times."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.bundle import Bundle
from models.media_messages import MediaMessages
from models.offline import features_of, open_paths
from stream.config import Config
from stream.messages import AnyMessage, End, FaceFeatures, TextFeatures, TextUtterance, VoiceFeatures
from stream.windows import NS_PER_S, seconds_to_ns

FEATURE_TOPICS = ("face", "voice", "text")
_TRACKS = 1000
"""More than there are faces in a clip: a face that comes again in the next round is another."""


@dataclass(frozen=True)
class Recording:
    """Messages by topic, in order of time, which begins at 0."""

    messages: Sequence[tuple[str, AnyMessage]]
    length_ns: int

    def shifted(
        self, index: int, source: str, start_ns: int, round_: int
    ) -> FaceFeatures | VoiceFeatures | TextFeatures:
        """Return one message as that of another source and time.

        Args:
            index: Which of `messages`.
            source: Whose it becomes.
            start_ns: When the recording begins.
            round_: How often it has been played before, which sets words and faces apart.
        """
        message = self.messages[index][1]
        moved = {"source": source, "time_ns": message.time_ns + start_ns}
        if isinstance(message, FaceFeatures):
            return msgspec.structs.replace(
                message,
                **moved,
                through_ns=message.through_ns + start_ns,
                faces=[
                    msgspec.structs.replace(face, track=face.track + round_ * _TRACKS)
                    for face in message.faces
                ],
                scored=None if message.scored is None else message.scored + round_ * _TRACKS,
            )
        if isinstance(message, VoiceFeatures):
            return msgspec.structs.replace(message, **moved, times_ns=message.times_ns + start_ns)
        assert isinstance(message, TextFeatures)
        return msgspec.structs.replace(
            message,
            **moved,
            utterances=[_moved(each, start_ns, round_ * _TRACKS) for each in message.utterances],
        )


def record(clip: Path, config: Config, bundle: Bundle) -> Recording:
    """Run a clip through the extractors, as fast as they can.

    What was said is not kept: each word is a dot, with its vector and its times.

    Raises:
        UserError: The clip cannot be read, or a model is missing.
    """
    media = MediaMessages(clip, "clip")
    found: list[tuple[str, AnyMessage]] = []
    with contextlib.ExitStack() as opened:
        paths = open_paths(config, bundle, media, opened)
        for topic, message in media.read(seconds_to_ns):
            for feature_topic, feature in features_of(paths[topic], message):
                if not isinstance(feature, End):
                    found.append((feature_topic, _unsaid(feature)))
    found.sort(key=lambda item: item[1].time_ns)
    # Whole seconds, so that windows fall the same way in every round.
    length_ns = -(-found[-1][1].time_ns // NS_PER_S) * NS_PER_S
    return Recording(found, length_ns)


def _unsaid(message: AnyMessage) -> AnyMessage:
    if not isinstance(message, TextFeatures):
        return message
    return msgspec.structs.replace(
        message,
        utterances=[
            msgspec.structs.replace(
                each, words=[msgspec.structs.replace(word, text=".") for word in each.words]
            )
            for each in message.utterances
        ],
    )


def _moved(utterance: TextUtterance, by_ns: int, ids: int) -> TextUtterance:
    return msgspec.structs.replace(
        utterance,
        id=utterance.id + ids,
        words=[
            msgspec.structs.replace(word, start_ns=word.start_ns + by_ns, end_ns=word.end_ns + by_ns)
            for word in utterance.words
        ],
    )
