"""What requests ask for, read from their query and body; everything malformed is a refusal that says so."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from stream.clock import now_ns
from stream.windows import NS_PER_S
from stream.yaml_file import Section
from workers.gateway.viewers import DEFAULT_KINDS, KINDS, Wanted

_MOST_BODY_BYTES = 1 << 17
SectionT = TypeVar("SectionT", bound=Section)


def wanted(connection: HTTPConnection) -> Wanted:
    """Return which messages are asked for.

    Raises:
        HTTPException: there is no such kind.
    """
    given = connection.query_params.get("kinds")
    kinds = frozenset(given.split(",")) if given else frozenset(DEFAULT_KINDS)
    if unknown := kinds - set(KINDS):
        raise HTTPException(400, f"kinds={','.join(sorted(unknown))}: choose of {', '.join(KINDS)}")
    return Wanted(kinds, connection.query_params.get("source"))


def moment_ns(given: str | None) -> int:
    """Return a moment on the capture clock, given in nanoseconds or as a wall time; for none the earliest.

    Raises:
        HTTPException: it is neither.
    """
    if given is None:
        return -1
    if given.isdecimal() and len(given) < 20:
        return int(given)
    try:
        moment = datetime.fromisoformat(given.replace("Z", "+00:00"))
        ago_s = (datetime.now(timezone.utc) - moment.astimezone(timezone.utc)).total_seconds()
    except (ValueError, OverflowError) as error:
        raise HTTPException(400, f"since={given}: give `time_ns` of a message, or a UTC time") from error
    return now_ns() - round(ago_s * NS_PER_S)


def number(name: str, given: str | None, least: int, most: int) -> int:
    """Return a number from `least` to `most`; the most for none.

    Raises:
        HTTPException: it is no such number.
    """
    if given is None:
        return most
    if not given.isdecimal() or not least <= int(given[:9]) <= most:
        raise HTTPException(400, f"{name}={given}: give a number from {least} to {most}")
    return int(given)


async def body(request: Request, model: type[SectionT]) -> SectionT:
    """Return the body of a request as a `model`; it is read no further than a vocabulary can be long.

    Raises:
        HTTPException: it is no JSON, or too long.
        pydantic.ValidationError: it does not fit the model.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "send application/json")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BODY_BYTES:
            raise HTTPException(413, f"larger than {_MOST_BODY_BYTES >> 10} KiB")
    return model.model_validate_json(content)
