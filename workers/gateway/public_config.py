"""The daemon's configuration without what is secret."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from stream.config import Config

_SECRET = frozenset(
    {
        "allowed_origins",
        "keys",
        "password_file",
        "points",
        "tls_ca",
        "tls_certificate",
        "tls_key",
        "token_file",
        "username",
    }
)


def public_config(config: Config) -> dict[str, Any]:
    """Return what viewers may know: no secret, no place where one is kept, no login in an address."""
    return {name: _public(value) for name, value in config.model_dump(mode="json").items()}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _public(each) for name, each in value.items() if name not in _SECRET}
    if isinstance(value, list):
        return [_public(each) for each in value]
    return _without_login(value) if isinstance(value, str) and "://" in value else value


def _without_login(address: str) -> str:
    """Return an address without user, password and query, where cameras take their passwords."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
