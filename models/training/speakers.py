"""Clips of speech as the live voice worker would see them: normalised per speaker as they are heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.extractors.speaker import SPEECH, SpeakerNormalizer, SpeakerPrior
from models.extractors.voice_layout import RATE_HZ, VoiceChunk
from models.training.corpora import Example
from models.training.datasets import Windows
from models.training.features import Features, FeatureTable
from stream.messages import Int64Array
from stream.windows import NS_PER_S, assemble

_LEAST_STD = 1e-3


def speaker_prior(clips: Sequence[Features], weight_s: float) -> SpeakerPrior:
    """Return what to expect of an unknown speaker: the statistics of the speech in `clips`."""
    speech = np.concatenate([clip.vectors[clip.speech > SPEECH] for clip in clips])
    return SpeakerPrior(
        mean=speech.mean(axis=0), std=np.maximum(speech.std(axis=0), _LEAST_STD), weight_s=weight_s
    )


def clip_windows(
    examples: Sequence[Example],
    clips: FeatureTable,
    prior: SpeakerPrior,
    *,
    steps: int,
    rate_hz: float,
    random: np.random.Generator,
) -> Windows:
    """Return each clip's window, as the daemon would assemble it at the clip's end.

    Each speaker's clips are heard one after the other by one `SpeakerNormalizer`, which starts from the
    prior; no clip is normalised with what comes after it.

    Args:
        examples: `[n]`, telling who speaks.
        clips: Their features, not normalised.
        prior: Where normalisation starts.
        steps: Bins in a window.
        rate_hz: Bins a second.
        random: Draws the order in which a speaker's clips are heard.
    """
    values = np.zeros((len(examples), steps, len(prior.mean)), np.float32)
    masks = np.zeros((len(examples), steps), np.float32)
    for speaker in sorted({example.speaker for example in examples}):
        heard = [i for i, example in enumerate(examples) if example.speaker == speaker]
        random.shuffle(heard)
        normalizer = SpeakerNormalizer(prior)
        for i in heard:
            chunk = normalizer.normalize(_chunk(clips[i]))
            speech = chunk.speech > SPEECH
            window = assemble(
                chunk.times_ns[speech],
                chunk.vectors[speech],
                end_ns=int(chunk.times_ns[-1]) if len(chunk.times_ns) else 0,
                steps=steps,
                rate_hz=rate_hz,
            )
            values[i], masks[i] = window.values, window.mask
    return values, masks


def _chunk(clip: Features) -> VoiceChunk:
    times: Int64Array = np.arange(1, len(clip.vectors) + 1, dtype=np.int64) * (NS_PER_S // RATE_HZ)
    return VoiceChunk(times_ns=times, vectors=clip.vectors, speech=clip.speech)
