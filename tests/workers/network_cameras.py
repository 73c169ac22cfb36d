"""Cameras on the network without a camera."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port


class NetworkCamera:
    """A camera on the network, played by a server of its own; killing that is like unplugging the camera."""

    def __init__(self) -> None:
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @staticmethod
    def missing() -> str | None:
        """Return why there can be no such camera on this machine, `None` where there can."""
        return None

    @property
    def url(self) -> str:
        """Where it is to be watched."""
        raise NotImplementedError

    def _command(self) -> list[str]:
        """Return the server's command line."""
        raise NotImplementedError

    def start(self) -> None:
        """Start to wait for a viewer."""
        self._server = subprocess.Popen(self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def freeze(self) -> None:
        """Stop sending, but keep the connection."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None


class MjpegCamera(NetworkCamera):
    """An HTTP camera, played by ffmpeg to one viewer; then it has to be started anew."""

    def __init__(self, clip: Path | None = None) -> None:
        """Show `clip` again and again; a test picture at 25 frames a second without one."""
        super().__init__()
        self._clip = clip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/cam.mjpg"

    @staticmethod
    def missing() -> str | None:
        return None if shutil.which("ffmpeg") else "ffmpeg is not installed (package ffmpeg)"

    def _command(self) -> list[str]:
        pattern = ("-f", "lavfi", "-i", "testsrc=size=640x480:rate=25")
        shown = ("-stream_loop", "-1", "-i", str(self._clip)) if self._clip else pattern
        return [
            *("ffmpeg", "-loglevel", "error", "-nostdin", "-re", *shown),
            *("-an", "-c:v", "mjpeg", "-q:v", "5", "-f", "mpjpeg", "-listen", "1", self.url),
        ]


class RtspCamera(NetworkCamera):
    """An RTSP camera that shows a clip (H.264 in MP4) again and again."""

    def __init__(self, clip: Path) -> None:
        super().__init__()
        self._clip = clip

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/{self._clip.name}/play_count_0"

    def _command(self) -> list[str]:
        serve = "import asyncio, sys; from aio_rtsp_toolkit.server import serve; "
        serve += "asyncio.run(serve(sys.argv[1], '127.0.0.1', int(sys.argv[2])))"
        return [sys.executable, "-c", serve, str(self._clip.parent), str(self._port)]
