"""Keys are for their user alone, an allow list is read strictly, and every refusal says how to mend it."""

from __future__ import annotations

import contextlib
import stat

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from stream.keys import (
    ALLOWED,
    DAEMON,
    KeyFileError,
    allow,
    is_public_key,
    key_file,
    make_pair,
    read_allowed,
    read_pair,
    revoke,
)

LAPTOP = zmq.curve_keypair()[0].decode()
PHONE = zmq.curve_keypair()[0].decode()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


def test_a_pair_is_written_for_its_user_alone_and_read_back(folder):
    pair = make_pair(folder, DAEMON)
    path = key_file(folder, DAEMON)
    assert read_pair(path) == pair
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert pair.secret not in repr(pair)


def test_a_public_key_is_never_taken_for_an_option_of_a_command(folder, monkeypatch):
    pairs = sorted((zmq.curve_keypair() for _ in range(2000)), key=lambda pair: pair[0][:1] != b"-")
    assert pairs[0][0].startswith(b"-")
    monkeypatch.setattr(zmq, "curve_keypair", iter(pairs).__next__)
    assert not make_pair(folder, "laptop").public.startswith("-")


def test_a_pair_is_never_overwritten(folder):
    pair = make_pair(folder, "laptop")
    with pytest.raises(KeyFileError, match="is there already; delete it first"):
        make_pair(folder, "laptop")
    assert read_pair(key_file(folder, "laptop")) == pair


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_pair_that_others_may_read_is_refused_with_the_remedy(folder, mode):
    make_pair(folder, DAEMON)
    path = key_file(folder, DAEMON)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"open to others; `chmod 600 {path}`"):
        read_pair(path)


def test_an_allow_list_that_others_may_write_is_refused(folder):
    allow(folder, "laptop", LAPTOP)
    (folder / ALLOWED).chmod(0o666)
    with pytest.raises(KeyFileError, match="open to others"):
        read_allowed(folder / ALLOWED)


def test_a_pair_whose_halves_do_not_belong_together_is_refused(folder):
    pair = make_pair(folder, DAEMON)
    path = key_file(folder, DAEMON)
    path.write_text(f'{{"public": "{LAPTOP}", "secret": "{pair.secret}"}}')
    with pytest.raises(KeyFileError, match="not a pair of keys"):
        read_pair(path)


def test_a_missing_pair_names_the_command_that_makes_it(folder):
    with pytest.raises(KeyFileError, match="does not exist; make it with `emostream keys new daemon`"):
        read_pair(key_file(folder, DAEMON))


def test_clients_are_allowed_replaced_and_revoked(folder):
    allow(folder, "laptop", LAPTOP)
    allow(folder, "phone", LAPTOP)
    allow(folder, "phone", PHONE)
    assert read_allowed(folder / ALLOWED) == {"laptop": LAPTOP, "phone": PHONE}
    revoke(folder, "laptop")
    assert read_allowed(folder / ALLOWED) == {"phone": PHONE}
    with pytest.raises(KeyFileError, match="no client is called 'laptop'; there are phone"):
        revoke(folder, "laptop")


@pytest.mark.parametrize(
    "line",
    [
        "laptop",
        f"laptop {LAPTOP} extra",
        f"Laptop {LAPTOP}",
        f"laptop {LAPTOP[:-1]}",
        f"laptop {'#' * 40}",
        f"first {PHONE}",
    ],
    ids=["no key", "a third word", "a capital", "a key cut short", "no key's letters", "a name taken"],
)
def test_a_malformed_line_is_named_by_its_number(folder, line):
    allow(folder, "first", LAPTOP)
    path = folder / ALLOWED
    path.write_text(f"# a comment\nfirst {LAPTOP}\n{line}\n")
    with pytest.raises(KeyFileError, match=r"allowed_keys:3: not a client"):
        read_allowed(path)


@pytest.mark.parametrize("name", ["../evil", "", "a b", "A", "x" * 33])
def test_a_name_that_is_none_makes_no_file(folder, name):
    with pytest.raises(KeyFileError, match="not a name"):
        make_pair(folder, name)
    with pytest.raises(KeyFileError, match="not a name"):
        allow(folder, name, LAPTOP)
    assert not folder.exists()


def test_a_huge_file_is_not_read(folder):
    allow(folder, "laptop", LAPTOP)
    (folder / ALLOWED).write_bytes(b"#" * (1 << 17))
    with pytest.raises(KeyFileError, match="larger than"):
        read_allowed(folder / ALLOWED)


@given(st.text(max_size=60) | st.text("0#%az&", min_size=40, max_size=40))
def test_what_counts_as_a_key_is_one_that_zeromq_takes(text):
    if is_public_key(text):
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        with contextlib.closing(socket):
            socket.setsockopt(zmq.CURVE_SERVERKEY, text.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any-bytes"
    path.touch(0o600)
    path.write_bytes(content)
    for read in (read_pair, read_allowed):
        with contextlib.suppress(KeyFileError):
            read(path)
