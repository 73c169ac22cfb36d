"""Gateway worker: what the daemon says, for web browsers and HTTP clients. It reads features, never media."""

from __future__ import annotations

from workers.gateway.serving import serve
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Serve the page and the interface until the daemon ends.

    Raises:
        UserError: the address cannot be used, or the token or certificate cannot.
    """
    serve(worker)
