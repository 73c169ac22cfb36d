"""Voice features: log-mel spectrum, loudness, pitch and voicing of 50 ms bins, with speech probability."""

from __future__ import annotations

import math
from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np

from models.extractors.vad import StreamingVad
from models.extractors.voice_layout import MELS, RATE_HZ, SPEC, VoiceChunk
from stream.messages import SAMPLE_RATE_HZ, Float32Array, Int16Array

_BIN = SAMPLE_RATE_HZ // RATE_HZ
_BIN_FRAMES = 100 // RATE_HZ  # analysis frames a bin, at their 10 ms shift
_NS_PER_SAMPLE = 1_000_000_000 // SAMPLE_RATE_HZ
_MEL_RANGE_HZ = (60.0, 7600.0)
# Digital silence would otherwise stand 20 log units below the quietest real room.
_FLOOR_LOG_MEL = 5.0
_FLOOR_DBFS = -80.0

_PITCH_RANGE_HZ = (60.0, 500.0)
_PITCH_CONTEXT = 4800  # samples a pitch estimate looks back over, 0.3 s
_VOICED = 0.5  # cross-correlation from which the pitch of a frame counts
_PITCH_ORIGIN_HZ = 150.0


class VoiceExtractor:
    """Streams 16 kHz audio into voice vectors, 20 a second.

    A vector covers one 50 ms bin, counted from the first sample, and knows nothing of later audio: at most
    0.3 s of earlier audio beside the bin itself. How the audio was cut into calls makes no difference to the
    vectors. Memory is bounded however long the stream runs.
    """

    spec = SPEC

    def __init__(self, vad: Path) -> None:
        """Load the voice activity network from the file `vad`."""
        self._vad = StreamingVad(vad)
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a gap in the audio: the next sample begins a bin."""
        self._vad.reset()
        self._speech = 0.0
        self._rest: Int16Array = np.zeros(0, np.int16)
        self._mels = _MelFrames()
        self._pitch = _Pitch()

    def extract(self, samples: Int16Array, time_ns: int) -> VoiceChunk:
        """Return the vectors of the bins these samples complete; there may be none.

        Args:
            samples: `[n]` int16 at 16 kHz, directly following those of the previous call.
            time_ns: Capture time of the end of the last sample.
        """
        audio = np.concatenate([self._rest, samples])
        count = len(audio) // _BIN
        self._rest = audio[count * _BIN :].copy()
        ends = time_ns - (len(audio) - _BIN * np.arange(1, count + 1, dtype=np.int64)) * _NS_PER_SAMPLE
        vectors = np.empty((count, SPEC.dim), np.float32)
        speech = np.empty(count, np.float32)
        for i, block in enumerate(audio[: count * _BIN].reshape(count, _BIN)):
            vectors[i] = self._vector(block)
            for probability in self._vad.accept(block):
                self._speech = probability
            speech[i] = self._speech
        return VoiceChunk(times_ns=ends, vectors=vectors, speech=speech)

    def _vector(self, block: Int16Array) -> Float32Array:
        audio = block.astype(np.float32)
        mels = self._mels.accept(audio)
        power = float(np.mean(np.square(audio / 32768)))
        energy = 10 * math.log10(max(power, 10 ** (_FLOOR_DBFS / 10)))
        return np.concatenate([mels.mean(axis=0), mels.std(axis=0), [energy, *self._pitch.accept(audio)]])


class _MelFrames:
    """Log-mel frames of 25 ms every 10 ms, each handed out with the bin it ends in."""

    def __init__(self) -> None:
        options = knf.FbankOptions()
        options.frame_opts.samp_freq = SAMPLE_RATE_HZ
        options.frame_opts.dither = 0.0
        options.mel_opts.num_bins = MELS
        options.mel_opts.low_freq, options.mel_opts.high_freq = _MEL_RANGE_HZ
        self._fbank = knf.OnlineFbank(options)
        self._done = 0

    def accept(self, audio: Float32Array) -> Float32Array:
        """Return the `[frames, 64]` that end in this bin: three in the first bin, five in later ones."""
        self._fbank.accept_waveform(SAMPLE_RATE_HZ, audio)
        ready = self._fbank.num_frames_ready
        frames: Float32Array = np.stack([self._fbank.get_frame(i) for i in range(self._done, ready)])
        self._fbank.pop(ready - self._done)
        self._done = ready
        return np.maximum(frames, _FLOOR_LOG_MEL)


class _Pitch:
    """Kaldi's pitch tracker (Ghahremani et al. 2014), run over the last 0.3 s for every bin.

    Its streaming form is not used: it revises what it has said, and keeps every frame for ever.
    """

    def __init__(self) -> None:
        self._options = knf.PitchExtractionOptions()
        self._options.samp_freq = SAMPLE_RATE_HZ
        self._options.min_f0, self._options.max_f0 = _PITCH_RANGE_HZ
        self._outputs = knf.ProcessPitchOptions()
        self._outputs.add_pov_feature = True
        self._outputs.add_raw_log_pitch = True
        self._outputs.add_normalized_log_pitch = False
        self._outputs.add_delta_pitch = False
        self._heard: Float32Array = np.zeros(_PITCH_CONTEXT, np.float32)
        self._octaves = 0.0

    def accept(self, audio: Float32Array) -> tuple[float, float]:
        """Return the bin's pitch, in octaves above 150 Hz, and its voicing, 0..1."""
        self._heard = np.concatenate([self._heard[len(audio) :], audio])
        frames = knf.compute_and_process_kaldi_pitch(self._options, self._outputs, self._heard)
        warped, log_hz = frames[-_BIN_FRAMES:].astype(np.float64).T
        # Kaldi's feature is 2 ((1.0001 - c)^0.15 - 1) of the cross-correlation c; this is its inverse.
        correlation = np.clip(1.0001 - np.maximum(warped / 2 + 1, 0) ** (1 / 0.15), 0, 1)
        voiced = correlation >= _VOICED
        if voiced.any():
            self._octaves = float(np.mean(log_hz[voiced]) - np.log(_PITCH_ORIGIN_HZ)) / np.log(2)
        return self._octaves, float(correlation.mean())
