"""What TensorRT has to say, as log lines, and its last error for ours."""

from __future__ import annotations

import logging

from models.backends.tensorrt.library import trt

_LOG = logging.getLogger("emostream.tensorrt")


class Messages(trt.ILogger):
    """TensorRT's logger."""

    def __init__(self) -> None:
        # Not `super().__init__`: pybind11 wants its own class named.
        trt.ILogger.__init__(self)
        self._error = ""

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Take one message; TensorRT's warnings are advice to developers."""
        if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
            self._error = msg
        _LOG.debug("%s", msg)

    def last_error(self) -> str:
        """Return the last error, in one line."""
        return " ".join(self._error.split()) or "no reason given"
