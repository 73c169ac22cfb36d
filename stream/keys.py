"""CURVE keys: who a daemon is, who its subscribers are, and which of them it admits.

A key pair is a JSON file that only its user may read. The allow list, `allowed_keys`, has one client a line,
a name and a public key. Keys are in Z85, as ZeroMQ has them: 40 characters (rfc.zeromq.org/spec/32).
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec
import zmq
from zmq.utils import z85

from stream.errors import UserError

DAEMON = "daemon"
"""Name of the pair that tells a daemon's subscribers, and the hosts it reads from, who it is."""
ALLOWED = "allowed_keys"
"""Name of the allow list in the folder of the keys."""

_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MAX_BYTES = 1 << 16
_MAX_CLIENTS = 500


class KeyFileError(UserError):
    """A file of keys that is missing, malformed, or open to others; the message holds the remedy."""


class KeyPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who somebody is: the public half may be shown to anyone, the secret half to nobody."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"


def is_public_key(text: str) -> bool:
    """Return whether `text` is a key in Z85."""
    if not _KEY.fullmatch(text):
        return False
    try:
        return len(z85.decode(text.encode())) == 32
    except (ValueError, KeyError, struct.error):  # five characters that stand for more than 32 bits
        return False


def key_file(folder: Path, name: str) -> Path:
    """Return the file of the pair called `name`.

    Raises:
        KeyFileError: it is no name.
    """
    _check_name(name)
    return folder / f"{name}.key"


def make_pair(folder: Path, name: str) -> KeyPair:
    """Make the pair called `name` and write its file, for its user alone.

    Raises:
        KeyFileError: it is there already, or cannot be written.
    """
    path = key_file(folder, name)
    pair = _new_pair()
    _make_folder(folder)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already; delete it first to replace the pair") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(pair) + b"\n")
    return pair


def read_pair(path: Path) -> KeyPair:
    """Read a pair.

    Raises:
        KeyFileError: it is missing, open to others, or not a pair.
    """
    content = _read_private(path, f"make it with `emostream keys new {path.stem}`")
    try:
        pair = msgspec.json.decode(content, type=KeyPair)
        public = zmq.curve_public(pair.secret.encode()).decode() if is_public_key(pair.secret) else None
    except (msgspec.MsgspecError, ValueError, RecursionError, zmq.ZMQError):
        public = None
    if public is None or pair.public != public:
        raise KeyFileError(f"{path}: not a pair of keys; delete it and make one with `emostream keys new`")
    return pair


def read_allowed(path: Path) -> Mapping[str, str]:
    """Return the public key of each client in the allow list at `path`, by name.

    Raises:
        KeyFileError: it is missing, open to others, or a line of it is malformed.
    """
    content = _read_private(path, "admit the first client with `emostream keys allow NAME KEY`")
    clients: dict[str, str] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        name, *rest = line.split() or [""]
        if not name or name.startswith("#"):
            continue
        if not _NAME.fullmatch(name) or len(rest) != 1 or not is_public_key(rest[0]) or name in clients:
            raise KeyFileError(f"{path}:{number}: not a client; a line is a name, once, and a public key")
        clients[name] = rest[0]
    if len(clients) > _MAX_CLIENTS:
        raise KeyFileError(f"{path}: more than {_MAX_CLIENTS} clients")
    return clients


def allow(folder: Path, name: str, public: str) -> None:
    """Put a client in the allow list, in place of one of the same name.

    Raises:
        KeyFileError: the name or the key is none, or the list cannot be used.
    """
    _check_name(name)
    if not is_public_key(public):
        raise KeyFileError(f"{public[:60]!r} is not a public key; `emostream keys new` prints one")
    path = folder / ALLOWED
    clients = dict(read_allowed(path)) if path.exists() else {}
    _write_allowed(path, clients | {name: public})


def revoke(folder: Path, name: str) -> None:
    """Take a client out of the allow list.

    Raises:
        KeyFileError: it is not in the list, or the list cannot be used.
    """
    path = folder / ALLOWED
    clients = dict(read_allowed(path))
    if clients.pop(name, None) is None:
        raise KeyFileError(f"{path}: no client is called {name!r}; there are {', '.join(clients) or 'none'}")
    _write_allowed(path, clients)


def _write_allowed(path: Path, clients: Mapping[str, str]) -> None:
    _make_folder(path.parent)
    draft = path.with_name(f".{path.name}.partial")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name} {public}\n" for name, public in sorted(clients.items()))
        draft.replace(path)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"{folder}: cannot be made: {error.strerror}; name another in `keys`") from error


def _new_pair() -> KeyPair:
    while True:
        public, secret = zmq.curve_keypair()
        if not public.startswith(b"-"):  # which a command line would take for an option
            return KeyPair(public.decode(), secret.decode())


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise KeyFileError(f"{name[:60]!r} is not a name: lower case letters, digits, `-`, `_`")


def _read_private(path: Path, remedy: str) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise KeyFileError(f"{path} does not exist; {remedy}") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileError(
            f"{path} is open to others; `chmod 600 {path}`, and replace the key if they may have read it"
        )
    if status.st_uid != os.getuid():
        raise KeyFileError(f"{path} belongs to another user; `chown` it, or make a key of your own")
    if len(content) > _MAX_BYTES:
        raise KeyFileError(f"{path}: larger than {_MAX_BYTES >> 10} KiB; this is not a file of keys")
    return content
