"""Reading media files: what they hold, when it is, in what order, and what is said of bad ones."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st

from models.media import MAX_PIXELS, AudioChunk, MediaError, VideoFrame, probe, read_audio, read_media
from stream.messages import Float32Array, Int16Array, Uint8Array

TICK = Fraction(1, 1000)


def steady(count: int, fps: int = 25) -> list[float]:
    return [i / fps for i in range(count)]


def write(
    path: Path,
    *,
    times_s: Sequence[float] = (),
    size: tuple[int, int] = (64, 64),
    audio: Sequence[tuple[float, Float32Array]] = (),
    rate_hz: int = 16_000,
    rotation: int = 0,
    codec: str = "mpeg4",
    audio_codec: str = "pcm_s16le",
) -> Path:
    """Write a file with one picture at each of `times_s`, from blue to red, and runs of audio.

    Each run is its start in seconds and its samples, `[channels, n]` in -1..1.
    """
    with av.open(str(path), "w") as container:
        video: Any = None
        sound: Any = None
        layout = "mono" if audio and len(audio[0][1]) == 1 else "stereo"
        # Every stream must be there before the first packet.
        if times_s:
            video = container.add_stream(codec, rate=25)
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            video.codec_context.time_base = TICK
            video.set_display_rotation(rotation)
        if audio:
            sound = container.add_stream(audio_codec, rate=rate_hz, layout=layout)
        for i, time_s in enumerate(times_s):
            pixels = np.full((size[1], size[0], 3), (200 - i, 60, 40 + i), np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, "bgr24")
            picture.pts, picture.time_base = round(time_s / TICK), TICK
            container.mux(video.encode(picture))
        if video:
            container.mux(video.encode())
        for start_s, samples in audio:
            for first in range(0, samples.shape[1], 1000):
                piece = (samples[:, first : first + 1000] * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(piece.T.reshape(1, -1), "s16", layout)
                frame.sample_rate = rate_hz
                frame.pts, frame.time_base = round(start_s * rate_hz) + first, Fraction(1, rate_hz)
                container.mux(sound.encode(frame))
        if sound:
            container.mux(sound.encode())
    return path


def sine(seconds: float, *, rate_hz: int = 16_000, hz: float = 440, channels: int = 1) -> Float32Array:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.tile(0.5 * np.sin(2 * np.pi * hz * time), (channels, 1)).astype(np.float32)


def frames_of(path: Path, max_width: int | None = 640) -> list[VideoFrame]:
    return [item for item in read_media(path, max_width=max_width) if isinstance(item, VideoFrame)]


def sound_of(path: Path) -> Int16Array:
    return np.concatenate([item.samples for item in read_media(path) if isinstance(item, AudioChunk)])


def loud(samples: Int16Array, start_s: float, end_s: float) -> bool:
    part = samples[round(start_s * 16_000) : round(end_s * 16_000)].astype(np.float64)
    return bool(np.sqrt(np.mean(part**2)) > 3000)


# -- what a file holds ------------------------------------------------------------------------------


def test_probe_tells_what_there_is(tmp_path: Path) -> None:
    both = probe(write(tmp_path / "both.mkv", times_s=steady(25), audio=[(0, sine(1))]))
    assert (both.has_video, both.has_audio, both.width, both.height) == (True, True, 64, 64)
    assert both.duration_s == pytest.approx(1, abs=0.05)
    assert both.fps == pytest.approx(25, rel=0.05)
    silent = probe(write(tmp_path / "silent.mp4", times_s=steady(5)))
    assert (silent.has_video, silent.has_audio) == (True, False)
    blind = probe(write(tmp_path / "blind.wav", audio=[(0, sine(1))]))
    assert (blind.has_video, blind.has_audio, blind.fps, blind.width) == (False, True, None, None)


def test_a_real_clip_gives_all_its_frames_and_audio_in_order_of_time(talking_clip: Path) -> None:
    items = list(read_media(talking_clip))
    times = [item.pts_s if isinstance(item, VideoFrame) else item.end_s for item in items]
    assert times == sorted(times)
    assert sum(isinstance(item, VideoFrame) for item in items) == 200
    assert sum(isinstance(item, AudioChunk) for item in items) == 160


# -- video ------------------------------------------------------------------------------------------


def test_each_frame_knows_when_the_next_is_due(tmp_path: Path) -> None:
    times = [0, 0.04, 0.05, 0.3, 1.0, 1.001]
    frames = frames_of(write(tmp_path / "variable.mkv", times_s=times))
    assert [frame.pts_s for frame in frames] == pytest.approx(times)
    assert [frame.next_pts_s for frame in frames[:-1]] == [frame.pts_s for frame in frames[1:]]
    assert frames[-1].next_pts_s > frames[-1].pts_s


def test_frames_are_bgr_and_in_order(tmp_path: Path) -> None:
    frames = frames_of(write(tmp_path / "colours.mkv", times_s=steady(100), codec="ffv1"))
    assert len(frames) == 100
    for i, frame in enumerate(frames):
        assert frame.image.mean(axis=(0, 1)) == pytest.approx([200 - i, 60, 40 + i], abs=4)
        assert frame.image.dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "max_width", "shape"),
    [
        ((64, 64), 640, (64, 64, 3)),
        ((3840, 2160), 640, (360, 640, 3)),
        ((3840, 2160), None, (2160, 3840, 3)),
        ((720, 1280), 640, (1138, 640, 3)),
    ],
)
def test_wide_pictures_are_reduced_and_keep_their_shape(
    tmp_path: Path, size: tuple[int, int], max_width: int | None, shape: tuple[int, int, int]
) -> None:
    path = write(tmp_path / "size.mp4", times_s=steady(2), size=size)
    assert [frame.image.shape for frame in frames_of(path, max_width)] == [shape, shape]


@pytest.mark.parametrize(
    ("rotation", "shape"), [(90, (128, 64, 3)), (-90, (128, 64, 3)), (180, (64, 128, 3))]
)
def test_a_picture_filmed_on_its_side_comes_upright(
    tmp_path: Path, rotation: int, shape: tuple[int, int, int]
) -> None:
    path = write(tmp_path / "turned.mp4", times_s=steady(2), size=(128, 64), rotation=rotation)
    assert frames_of(path)[0].image.shape == shape


def test_rotation_goes_the_way_the_file_says(asset: Callable[[str], Path], tmp_path: Path) -> None:
    plain = frames_of(asset("carphone"))[0].image
    turned = tmp_path / "turned.mp4"
    with av.open(str(asset("carphone"))) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    expected: Uint8Array = np.asarray(cv2.rotate(plain, cv2.ROTATE_90_COUNTERCLOCKWISE), np.uint8)
    assert np.array_equal(frames_of(turned)[0].image, expected)


# -- audio ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["flac", "libopus", "pcm_s16le"])
@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (16_000, 1), (48_000, 2)])
def test_any_rate_and_layout_becomes_mono_16_khz(
    tmp_path: Path, codec: str, rate_hz: int, channels: int
) -> None:
    name = {"flac": "a.flac", "libopus": "a.opus", "pcm_s16le": "a.wav"}[codec]
    wave = sine(1, rate_hz=rate_hz, channels=channels)
    samples = read_audio(write(tmp_path / name, audio=[(0, wave)], rate_hz=rate_hz, audio_codec=codec))
    assert samples.dtype == np.int16
    assert len(samples) == pytest.approx(16_000, abs=800)
    middle = samples[4000:12_000].astype(np.float64)
    assert np.abs(np.fft.rfft(middle)).argmax() * 2 == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 * 32767 / np.sqrt(2), rel=0.03)


def test_16_khz_mono_comes_through_unchanged(tmp_path: Path) -> None:
    wave = sine(0.5)
    samples = read_audio(write(tmp_path / "plain.wav", audio=[(0, wave)]))
    assert np.array_equal(samples, (wave[0] * 32767).astype(np.int16))


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 5000))
def test_audio_comes_in_whole_chunks_on_an_exact_grid(
    tmp_path_factory: pytest.TempPathFactory, count: int
) -> None:
    path = tmp_path_factory.mktemp("grid") / "short.wav"
    write(path, audio=[(0, np.full((1, count), 0.5, np.float32))])
    chunks = [item for item in read_media(path) if isinstance(item, AudioChunk)]
    assert [chunk.end_s for chunk in chunks] == [(k + 1) * 0.05 for k in range(-(-count // 800))]
    assert all(chunk.samples.shape == (800,) for chunk in chunks)
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert np.all(samples[:count] == 16383)
    assert np.all(samples[count:] == 0)


def test_gaps_become_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "gap.mkv", audio=[(0, sine(1)), (2, sine(1))])
    samples = sound_of(path)
    assert len(samples) == 48_000
    assert loud(samples, 0, 1)
    assert not samples[16_000:32_000].any()
    assert loud(samples, 2, 3)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_audio_that_starts_after_the_video_keeps_its_place(tmp_path: Path, rate_hz: int) -> None:
    wave = sine(1, rate_hz=rate_hz)
    path = write(tmp_path / "late.mkv", times_s=steady(50), audio=[(0.75, wave)], rate_hz=rate_hz)
    samples = sound_of(path)
    assert not samples[: round(0.74 * 16_000)].any()
    assert loud(samples, 0.75, 1.75)


def test_timestamps_rounded_by_the_container_make_no_gaps(tmp_path: Path) -> None:
    path = write(tmp_path / "rounded.mkv", audio=[(0, np.full((1, 44_100), 0.5, np.float32))], rate_hz=44_100)
    assert np.all(np.abs(sound_of(path)[100:15_900] - 16383) < 20)


def test_read_audio_gives_the_sound_track_of_a_film(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", times_s=steady(25), audio=[(0, sine(1))])
    assert np.array_equal(read_audio(path), sound_of(path))


def test_read_audio_of_a_silent_film(tmp_path: Path) -> None:
    path = write(tmp_path / "silent.mp4", times_s=steady(5))
    with pytest.raises(MediaError, match=r"silent\.mp4 has no audio; choose"):
        read_audio(path)


def test_cover_art_is_not_video(tmp_path: Path) -> None:
    _, picture = cv2.imencode(".png", np.zeros((32, 32, 3), np.uint8))
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        art = container.add_stream("png", rate=1)
        art.width, art.height, art.pix_fmt = 32, 32, "rgb24"
        art.disposition = Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray((sine(1) * 32767).astype(np.int16), "s16p", "mono")
        frame.sample_rate = 16_000
        container.mux(sound.encode(frame))
        packet = av.Packet(picture.tobytes())
        packet.stream, packet.pts, packet.dts, packet.time_base = art, 0, 0, Fraction(1)
        container.mux(packet)
        container.mux(sound.encode())
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert (probe(path).has_video, probe(path).has_audio) == (False, True)


# -- files that are no good -------------------------------------------------------------------------


def test_a_missing_file_a_folder_and_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for name, message in [
        ("missing.mp4", r"missing\.mp4 does not exist; check the path"),
        (".", r"is a folder; name a media file in it"),
        ("empty.mp4", r"empty\.mp4 is empty \(0 bytes\); record or download it again"),
    ]:
        with pytest.raises(MediaError, match=message):
            read_media(tmp_path / name)


@pytest.mark.parametrize("name", ["notes.mp4", "notes.txt", "notes.wav"])
def test_a_text_file_is_not_media(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Dear diary, today nothing happened.\n" * 50)
    with pytest.raises(MediaError, match=rf"{name} is (not media|a text file)"):
        probe(path)


def test_subtitles_alone_are_neither_video_nor_audio(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    with pytest.raises(MediaError, match=r"words\.srt holds neither video nor audio"):
        probe(path)


def test_a_playlist_does_not_reach_the_network(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError, match=r"list\.m3u8 is not media"):
        list(read_media(path))


def test_damage_is_skipped_counted_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "damaged.mkv", times_s=steady(100), audio=[(0, sine(4))], audio_codec="flac")
    content = bytearray(path.read_bytes())
    for place in np.random.default_rng(0).integers(len(content) // 2, len(content) - 100, 200):
        content[place] ^= 0x55
    path.write_bytes(content)
    reader = read_media(path)
    with caplog.at_level(logging.WARNING):
        items = list(reader)
    assert len(items) > 60
    assert reader.damaged > 0
    assert reader.position_s > 1
    assert f"damaged.mkv ends after {reader.position_s:.1f} s of" in caplog.text
    assert f"{reader.damaged} damaged packets were skipped" in caplog.text


def test_a_file_cut_short_gives_what_it_has_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "cut.mkv", times_s=steady(100), audio=[(0, sine(4))])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with caplog.at_level(logging.WARNING):
        items = list(read_media(path))
    assert len(items) > 20
    assert "cut.mkv ends after" in caplog.text


def test_a_file_whose_every_packet_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "ruined.avi", times_s=steady(5))
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for place, size in packets:
        assert place is not None
        content[place + 8 : place + 8 + size] = bytes(size)  # after the chunk's own header
    path.write_bytes(content)
    with pytest.raises(
        MediaError, match=r"nothing in .*ruined\.avi could be decoded \(\d+ damaged packets\)"
    ):
        list(read_media(path))


def test_a_picture_larger_than_any_camera_gives_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    width, height = 8192, MAX_PIXELS // 8192 + 1
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width // 8 + 1) * height))  # one bit a pixel
    path = tmp_path / "vast.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    with pytest.raises(MediaError, match=r"nothing in .* could be decoded"):
        list(read_media(path))
