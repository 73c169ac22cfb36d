"""Who may use the gateway: host names, origins, the token; and what browsers are told to refuse.

The page itself holds nothing secret and is served to all; everything under `/api/` and `/metrics` asks for
the token where there is one.
"""

from __future__ import annotations

import hashlib
import hmac
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.config import GatewaySection, is_loopback
from stream.errors import UserError

COOKIE = "emostream"
SESSION_PATH = "/api/session"
_SHORTEST_TOKEN = 16
_SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class TokenError(UserError):
    """A token file that cannot be used."""


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        TokenError: it cannot be read, is open to others, or holds no token.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"gateway.token_file: {path} cannot be read: {error}") from error
    if mode & 0o077:
        raise TokenError(f"gateway.token_file: {path} is open to others; run `chmod 600 {path}`")
    if len(token) < _SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise TokenError(
            f"gateway.token_file: {path} must hold one word of {_SHORTEST_TOKEN} characters or more; "
            f"`openssl rand -hex 24 > {path}` makes one"
        )
    return token


@dataclass(frozen=True)
class Token:
    """The secret that viewers must know."""

    secret: str

    @property
    def session(self) -> str:
        """What a browser that has shown the token keeps in its cookie instead."""
        return hmac.new(self.secret.encode(), b"emostream session", hashlib.sha256).hexdigest()

    def is_shown_by(self, connection: HTTPConnection) -> bool:
        """Return whether a request carries the token."""
        kind, _, bearer = connection.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(bearer.strip().encode(), self.secret.encode())

    def admits(self, connection: HTTPConnection) -> bool:
        """Return whether a request carries the token, or the cookie that stands for it."""
        cookie = connection.cookies.get(COOKIE, "")
        return self.is_shown_by(connection) or hmac.compare_digest(cookie.encode(), self.session.encode())


class Access:
    """Refuses requests that come from elsewhere or without the token, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, *, section: GatewaySection, token: Token | None) -> None:
        self._app = app
        self._section = section
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers[name] = value
                if self._section.tls_key is not None:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            status, why = refusal
            await JSONResponse({"error": why}, status)(scope, receive, send_guarded)

    def _refusal(self, connection: HTTPConnection) -> tuple[int, str] | None:
        headers = connection.headers
        if self._section.loopback and not is_loopback(_host_name(headers)):
            # A web site may have its own name lead here; then its pages would be of the same origin.
            return 421, f"not called {_host_name(headers)!r}: use localhost or 127.0.0.1"
        origin = headers.get("origin")
        if origin is not None and not self._may_ask(origin, headers):
            return 403, f"pages of {origin} may not use this; see `gateway.allowed_origins`"
        path = connection.url.path
        asks = path.startswith("/api/") or path == "/metrics"
        if self._token is None or not asks or path == SESSION_PATH or self._token.admits(connection):
            return None
        return 401, "a token is needed: Authorization: Bearer TOKEN"

    def _may_ask(self, origin: str, headers: Headers) -> bool:
        if origin in self._section.allowed_origins:
            return True
        return origin.startswith("http") and urlsplit(origin).netloc == headers.get("host")


def _host_name(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
