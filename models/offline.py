"""Scores a media file in one process, without sockets: what the daemon does at `pace: lossless`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from models.backends import open_backend
from models.bundle import Bundle
from models.media_messages import MediaMessages
from models.opening import open_baseline, open_bundle, open_bundle_space, open_emotions
from models.scorer import Scorer
from models.stages import Stage
from models.stages.face import open_face_stage
from models.stages.text import open_text_stage
from models.stages.transcript import open_transcript_stage
from models.stages.voice import open_voice_stage
from stream.config import Config, MediaFile, Source
from stream.messages import AnyMessage
from stream.public import EmotionMessage
from stream.windows import NS_PER_S, seconds_to_ns


def score_media(
    path: Path,
    config: Config,
    *,
    hindsight: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Iterator[EmotionMessage]:
    """Yield the scores of every window of a media file; times are media times, from 0.

    Args:
        path: video, audio, or both.
        config: its `sources`, `pace` and `stream` play no part.
        hindsight: let a word count from when it was said, not from when it was known.
        progress: called with the share of the file that has been through the extractors, 0..1.

    Raises:
        UserError: the file breaks off (after the scores of what came before), or something else is missing.
    """
    source = Source(name="file", file=MediaFile(path=path))
    config = config.model_copy(update={"sources": (source,)})
    media = MediaMessages(path, source.name)
    bundle = open_bundle(config)
    space = open_bundle_space(bundle)
    emotions = open_emotions(Path(config.vocabulary), space)
    backend = open_backend(bundle, config.inference.backend, threads=config.inference.threads)
    baseline = open_baseline(config, bundle, space)
    scorer = Scorer(config, bundle, backend, emotions, baseline=baseline, hindsight=hindsight)
    duration_ns = (media.info.duration_s or 0.0) * NS_PER_S
    with contextlib.ExitStack() as opened:
        paths = open_paths(config, bundle, media, opened)
        for topic, message in media.read(seconds_to_ns):
            for feature_topic, feature in features_of(paths[topic], message):
                scorer.add(feature, feature_topic)
            if progress is not None and duration_ns:
                progress(min(1.0, message.time_ns / duration_ns))
            if not hindsight:
                yield from scorer.score(None)
    yield from scorer.score(None)
    if media.error is not None:
        raise media.error


FeaturePath = tuple[str, list[Stage]]
"""A feature topic, and the stages that lead to it."""


def open_paths(
    config: Config, bundle: Bundle, media: MediaMessages, opened: contextlib.ExitStack
) -> dict[str, list[FeaturePath]]:
    """Return, by media topic, the paths to features; a stream that the file lacks needs no stages."""
    audio = media.info.has_audio
    seen: list[FeaturePath] = [("face", [])]
    if media.info.has_video:
        seen[0][1].append(opened.enter_context(contextlib.closing(open_face_stage(config, bundle))))
    heard: list[FeaturePath] = [("voice", [open_voice_stage(bundle)] if audio else [])]
    if config.transcript.engine != "off":
        transcript: list[Stage] = [open_transcript_stage(config)[0], open_text_stage(bundle)] if audio else []
        heard.append(("text", transcript))
    return {"frame": seen, "pcm": heard}


def features_of(paths: list[FeaturePath], message: AnyMessage) -> Iterator[tuple[str, AnyMessage]]:
    """Yield (feature topic, message) of all that follows from one media message."""
    for topic, stages in paths:
        messages = [message]
        for stage in stages:
            messages = [made for each in messages for made in stage.accept(each, 0)]
        yield from ((topic, made) for made in messages)
