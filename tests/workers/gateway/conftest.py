"""Fixtures of the gateway's tests: one in this process, and a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from stream.config import Config
from stream.public import PublicMessage
from tests.workers.gateway.serving import TOKEN, ServedGateway, gateway_config
from workers.gateway.access import Token
from workers.gateway.app import build_app
from workers.gateway.state import Gateway


class Client(TestClient):
    """A client of a gateway in this process, whose `feed` gives the gateway what a daemon would."""

    def __init__(self, config: Config, token: str = "", origin: str = "http://127.0.0.1:8600") -> None:
        self.gateway = Gateway(config)
        super().__init__(build_app(self.gateway, Token(token) if token else None), base_url=origin)

    def watch(self, query: str = "", **options: Any) -> WebSocketTestSession:
        """Open the WebSocket."""
        return self.websocket_connect(f"ws://127.0.0.1:8600/api/stream{query}", **options)

    def feed(self, *messages: PublicMessage) -> None:
        """Hand over messages."""
        for message in messages:
            assert self.portal is not None
            self.portal.call(self.gateway.take, message)


@pytest.fixture(autouse=True)
def patient_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for seconds is not a daemon that has fallen silent."""
    monkeypatch.setattr("workers.gateway.state.SILENT_S", 600.0)


@pytest.fixture
def open_client(tmp_path: Path, run_folder: Path) -> Iterator[Callable[..., Client]]:
    """Give a function that opens a gateway: `open_client(token="", origin=..., **config)`."""
    opened: list[Client] = []
    (run_folder / "emostream").mkdir(parents=True)

    def start(token: str = "", origin: str = "http://127.0.0.1:8600", **config: Any) -> Client:
        client = Client(gateway_config(tmp_path, **config), token, origin)
        client.__enter__()
        opened.append(client)
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(open_client: Callable[..., Client]) -> Client:
    """Give a gateway on loopback, as it is by default."""
    return open_client()


@pytest.fixture
def served(tmp_path: Path, run_folder: Path) -> Iterator[ServedGateway]:
    """Give a gateway that real clients can reach."""
    yield from _serving(tmp_path, run_folder, None)


@pytest.fixture
def guarded(tmp_path: Path, run_folder: Path) -> Iterator[ServedGateway]:
    """Give a gateway that real clients can reach if they have its token."""
    yield from _serving(tmp_path, run_folder, Token(TOKEN))


def _serving(folder: Path, run_folder: Path, token: Token | None) -> Iterator[ServedGateway]:
    (run_folder / "emostream").mkdir(parents=True)
    gateway = ServedGateway(gateway_config(folder), token).start()
    yield gateway
    gateway.stop()
