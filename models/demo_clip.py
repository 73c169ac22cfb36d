"""The demo clip: the demo video, which is silent, with real speech."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from models.assets import asset_path
from models.cache import cache_folder, writing_cache

_RECIPE = "1"  # part of the file's name: a clip made another way is made anew
_AUDIO_HZ = 16_000


def demo_clip() -> Path:
    """Return the demo clip, as long as its video; made on first use and kept in the cache.

    Raises:
        models.assets.AssetError: its video or its speech has not been fetched.
        models.cache.CacheError: the cache cannot be written.
    """
    video, speech = asset_path("demo-face"), asset_path("two-cities")
    identity = f"{_RECIPE} {video.name} {video.stat().st_size} {speech.name} {speech.stat().st_size}"
    clip = cache_folder() / "demo" / f"demo-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.mkv"
    if not clip.is_file():
        with writing_cache():
            clip.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=clip.parent) as scratch:
                mux(video, speech, Path(scratch) / clip.name)
                (Path(scratch) / clip.name).rename(clip)
    return clip


def mux(video: Path, speech: Path, clip: Path) -> None:
    """Write the video stream of `video`, untouched, with `speech` as a lossless mono track to `clip`.

    The speech ends with the video.
    """
    with av.open(str(video)) as source, av.open(str(speech)) as audio, av.open(str(clip), "w") as out:
        pictures = source.streams.video[0]
        copied = out.add_stream_from_template(pictures)
        track = out.add_stream("flac", rate=_AUDIO_HZ)
        track.layout = "mono"
        packets: list[Packet[Any]] = [p for p in source.demux(pictures) if p.dts is not None]
        end_s = max(_time_s(p) + float((p.duration or 0) * p.time_base) for p in packets)
        for packet in packets:
            packet.stream = copied
        packets += _encode(audio, track, end_s)
        for packet in sorted(packets, key=_time_s):
            out.mux(packet)


def _encode(audio: InputContainer, track: AudioStream, end_s: float) -> list[Packet[Any]]:
    packets: list[Packet[Any]] = []
    resampler = AudioResampler(format="s16", layout="mono", rate=_AUDIO_HZ)
    for frame in audio.decode(audio=0):
        if frame.time is not None and frame.time >= end_s:
            break
        for resampled in resampler.resample(frame):
            packets += track.encode(resampled)
    return packets + track.encode(None)


def _time_s(packet: Packet[Any]) -> float:
    assert packet.dts is not None  # the demuxer's closing packet has none, and was left out
    return float(packet.dts * packet.time_base)
