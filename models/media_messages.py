"""A media file as messages of the bus, in order of time; the media worker and the offline scorer share it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from pathlib import Path

from models.media import MAX_WIDTH, AudioChunk, MediaError, MediaReader, VideoFrame, probe
from stream.messages import AnyMessage, End, Frame, Pcm


class MediaMessages:
    """The frames and the audio of one file, and the end of each."""

    def __init__(self, path: Path, source: str) -> None:
        """Open the file.

        Raises:
            MediaError: it cannot be read as media.
        """
        self.info = probe(path)
        self.error: MediaError | None = None
        """Why the file broke off, once it has; all that came before was handed out."""
        self._source = source
        self._readers: dict[str, MediaReader] = {}
        if self.info.has_video:
            self._readers["frame"] = MediaReader(path, MAX_WIDTH, kinds=("video",))
        if self.info.has_audio:
            self._readers["pcm"] = MediaReader(path, None, kinds=("audio",))

    @property
    def damaged(self) -> int:
        """Packets and pictures that could not be decoded so far."""
        return sum(reader.damaged for reader in self._readers.values())

    def read(self, at: Callable[[float], int]) -> Iterator[tuple[str, AnyMessage]]:
        """Yield (topic, message) in order of time; each topic closes with an `End`, even without a stream.

        Args:
            at: places a media time in seconds on the capture clock.
        """
        for topic, kind in (("frame", "video"), ("pcm", "audio")):
            if topic not in self._readers:
                yield topic, End(source=self._source, time_ns=at(0.0), why=f"no {kind} stream")
        streams = [self._stream(topic, reader, at) for topic, reader in self._readers.items()]
        yield from heapq.merge(*streams, key=lambda item: item[1].time_ns)

    def _stream(
        self, topic: str, reader: MediaReader, at: Callable[[float], int]
    ) -> Iterator[tuple[str, AnyMessage]]:
        end_s, why = 0.0, "end of file"
        try:
            for item in reader:
                end_s = item.next_pts_s if isinstance(item, VideoFrame) else item.end_s
                yield topic, self._message(item, at)
        except MediaError as error:
            self.error, why = error, str(error)
        yield topic, End(source=self._source, time_ns=at(end_s), why=why)

    def _message(self, item: VideoFrame | AudioChunk, at: Callable[[float], int]) -> AnyMessage:
        if isinstance(item, VideoFrame):
            next_ns = at(item.next_pts_s)
            return Frame(source=self._source, time_ns=at(item.pts_s), next_ns=next_ns, image=item.image)
        return Pcm(source=self._source, time_ns=at(item.end_s), samples=item.samples)
