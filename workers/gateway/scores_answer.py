"""The answer with the scores of the last minutes; it can be some megabytes long."""

from __future__ import annotations

import gzip

from starlette.responses import Response


def scores_answer(messages: list[bytes], *, zipped: bool) -> Response:
    """Return encoded messages as one JSON document, compressed if asked; takes its time, so call it aside."""
    content = b'{"scores":[' + b",".join(messages) + b"]}"
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if zipped:
        headers["content-encoding"] = "gzip"
        content = gzip.compress(content, compresslevel=1)
    return Response(content, media_type="application/json", headers=headers)
