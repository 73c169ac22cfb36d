"""A camera on the network for any number of viewers: `python -m tests.chaos.mjpeg_server PORT CLIP`."""

from __future__ import annotations

import itertools
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

from tests.clips import pictures

_FPS = 15
_COUNT = 75


class _Handler(BaseHTTPRequestHandler):
    images: list[bytes]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        due_s = time.monotonic()
        # Forwards and backwards, so that no face jumps.
        for image in itertools.cycle([*self.images, *reversed(self.images)]):
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + image + b"\r\n")
            except OSError:
                return
            due_s += 1 / _FPS
            time.sleep(max(0.0, due_s - time.monotonic()))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Show the first pictures of a clip for ever."""
    port, clip = int(sys.argv[1]), Path(sys.argv[2])
    _Handler.images = [cv2.imencode(".jpg", image)[1].tobytes() for image in pictures(clip, _COUNT)]
    ThreadingHTTPServer(("127.0.0.1", port), _Handler).serve_forever()


if __name__ == "__main__":
    main()
