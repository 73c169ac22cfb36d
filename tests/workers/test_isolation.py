"""Workers that touch media and need no network have none; the bus goes on working."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import socket
from workers.isolation import leave_network
why = leave_network()
if why:
    raise SystemExit(f"SKIP {why}")
try:
    socket.create_connection(("127.0.0.1", int(%r)), timeout=5)
except OSError as error:
    print("refused:", error)
else:
    print("connected")
"""


def test_a_process_that_left_the_network_reaches_nobody_not_even_its_own_host():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = PROBE % str(server.getsockname()[1])
        done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    if "SKIP" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.stdout.startswith("refused: "), done.stdout + done.stderr
