"""Every client that the documents show runs against a real public socket, in both encodings."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.keys import DAEMON, allow, key_file, make_pair
from stream.public_socket import PublicSocket
from tests.stream.guarded import free_endpoint
from tests.workers.public_messages import emotion_message, evidence, health_message, transcript_message

ROOT = Path(__file__).parent.parent
CLIENTS = ROOT / "docs" / "clients"
DOCUMENTED_ENDPOINT = "tcp://127.0.0.1:5557"

SCORE = "desk: joy at distance 0.64, from face, voice, text"
NO_EVIDENCE = (
    "desk: no evidence: face: no face in the window; voice: coverage 0.02 is below 0.08; "
    "text: no speech in the window"
)


@pytest.fixture(params=["json", "msgpack"])
def daemon(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the endpoint of a stream that loses three messages of every five, with all kinds on it."""
    endpoint = free_endpoint()
    with publishing(PublicSocket(endpoint, request.param)):
        yield endpoint


@pytest.fixture
def guarded_daemon(tmp_path: Path) -> Iterator[list[str]]:
    """Give the options with which a client is admitted to a stream with CURVE."""
    endpoint, keys = free_endpoint(), tmp_path / "keys"
    server = make_pair(keys, DAEMON)
    allow(keys, "laptop", make_pair(keys, "laptop").public)
    with publishing(PublicSocket(endpoint, "json", keys)):
        own = str(key_file(keys, "laptop"))
        yield [f"--endpoint={endpoint}", f"--key={own}", f"--server-key={server.public}"]


@contextlib.contextmanager
def publishing(public: PublicSocket) -> Iterator[None]:
    """Publish on `public` meanwhile."""
    stop = threading.Event()

    def publish() -> None:
        seq = 0
        while not stop.wait(0.01):
            public.send(health_message(seq))
            public.send(transcript_message("a few words", seq=seq))
            public.send(emotion_message(seq))
            public.send(emotion_message(seq + 1, given=evidence(face=False, voice=False, text=False)))
            seq += 5

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    stop.set()
    thread.join()
    public.close()


@pytest.fixture(scope="session")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Node client in a folder of its own, with its packages installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not installed (node and npm)")
    folder = tmp_path_factory.mktemp("node-client")
    for name in ("package.json", "subscribe.mjs"):
        shutil.copy(CLIENTS / name, folder)
    # The package brings compiled binaries; its install script would only build what is there.
    install = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH", done.stderr):
            pytest.skip("no npm registry can be reached from here")
        pytest.fail(f"npm install failed:\n{done.stderr}")
    return folder / "subscribe.mjs"


def test_the_python_client_prints_scores_and_gaps(daemon: str) -> None:
    check_lines(run([sys.executable, str(CLIENTS / "subscribe.py"), "--endpoint", daemon, "--count", "6"]))


def test_the_node_client_prints_scores_and_gaps(daemon: str, node_client: Path) -> None:
    check_lines(run(["node", str(node_client), "--endpoint", daemon, "--count", "6"]))


def test_the_python_client_is_admitted_with_its_keys(guarded_daemon: list[str]) -> None:
    check_lines(run([sys.executable, str(CLIENTS / "subscribe.py"), *guarded_daemon, "--count=6"]))


def test_the_node_client_is_admitted_with_its_keys(guarded_daemon: list[str], node_client: Path) -> None:
    check_lines(run(["node", str(node_client), *guarded_daemon, "--count=6"]))


def test_the_python_client_imports_nothing_of_emostream() -> None:
    imports = re.findall(r"^\s*(?:from|import) (\w+)", (CLIENTS / "subscribe.py").read_text(), re.MULTILINE)
    assert not {"stream", "models", "workers"} & set(imports)


@pytest.mark.parametrize("way", ["blocking", "async"])
def test_the_snippets_of_the_readme_print_what_comes(daemon: str, way: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    clients = [block for block in blocks if DOCUMENTED_ENDPOINT in block]
    (snippet,) = [block for block in clients if ("async" in block) == (way == "async")]
    command = [sys.executable, "-c", snippet.replace(DOCUMENTED_ENDPOINT, daemon)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    assert re.fullmatch(r"desk joy 0\.64( .*)?\n", line)


def run(command: list[str]) -> list[str]:
    """Return the lines that a client prints before it ends by itself."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def check_lines(lines: list[str]) -> None:
    """Scored and unscored windows take turns; three messages are missing before every scored one but the first."""
    scores = [line for line in lines if "missed" not in line]
    assert len(scores) == 6
    assert scores in ([SCORE, NO_EVIDENCE] * 3, [NO_EVIDENCE, SCORE] * 3)
    gaps = [line for line in lines if "missed" in line]
    assert len(gaps) == scores[1:].count(SCORE)
    assert all(re.fullmatch(r"desk: 3 messages missed before seq \d+", gap) for gap in gaps)
    assert all(lines[lines.index(gap) + 1] == SCORE for gap in gaps)
