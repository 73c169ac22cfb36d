"""Runs the web application beside the worker's own loop, and feeds it from the stream."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import threading

import uvicorn
from starlette.applications import Starlette

from stream.config import Config, GatewaySection
from stream.errors import UserError
from stream.messages import FaceFeatures
from stream.public import EmotionMessage, HealthMessage, TranscriptMessage
from workers.gateway.access import Token, read_token
from workers.gateway.app import build_app
from workers.gateway.landmarks import Landmarks
from workers.gateway.state import Gateway
from workers.own_stream import subscribe_to_own
from workers.runtime import Worker

_STOP_TIMEOUT_S = 3.0
_BACKLOG = 1024
_LARGEST_FROM_VIEWER = 4096
_SEND_BUFFER = 32_768
"""Bytes on the way to a viewer (Linux doubles it): a few seconds of scores, where by default it may become
minutes. What is on the way cannot give way to newer scores."""


class GatewayError(UserError):
    """The address or the certificate cannot be used."""


def serve(worker: Worker) -> None:
    """Serve until the worker is to stop.

    Raises:
        UserError: the address, the token or the certificate cannot be used.
    """
    section = worker.config.gateway
    token = Token(read_token(section.token_file)) if section.token_file else None
    gateway = Gateway(worker.config)
    server = _server(section, build_app(gateway, token))
    listening = listen(section)
    _allow_many_viewers()
    loop = asyncio.new_event_loop()
    running = _run(server, listening, gateway, worker.config)
    thread = threading.Thread(target=loop.run_until_complete, args=(running,), name="http")
    thread.start()
    try:
        worker.subscribe()
        worker.running(section.address)
        landmarks = Landmarks()
        for received in worker.messages():
            _count(worker, gateway)
            if isinstance(received.message, FaceFeatures):
                points = landmarks.of(received.message)
                if points is not None:
                    loop.call_soon_threadsafe(gateway.take_faces, points)
        while not worker.stop.wait(0.2):  # the sources have ended; what they gave can still be seen
            _count(worker, gateway)
            worker.heartbeat()
    finally:
        server.should_exit = True
        thread.join(_STOP_TIMEOUT_S)
        listening.close()


async def _run(server: uvicorn.Server, listening: socket.socket, gateway: Gateway, config: Config) -> None:
    feeding = asyncio.create_task(_feed(gateway, config))
    await server.serve(sockets=[listening])
    feeding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await feeding


async def _feed(gateway: Gateway, config: Config) -> None:
    """Hand on all that the daemon publishes."""
    with subscribe_to_own(config, EmotionMessage, TranscriptMessage, HealthMessage) as messages:
        async for message in messages:
            gateway.missed = messages.missed
            gateway.take(message)


def _count(worker: Worker, gateway: Gateway) -> None:
    worker.counters["viewers_served"] = gateway.viewers.served
    worker.counters["viewer_drops"] = gateway.viewers.dropped
    worker.counters["missed"] = gateway.missed


def _server(section: GatewaySection, app: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_FROM_VIEWER,
        ws_per_message_deflate=False,
        ssl_certfile=section.tls_certificate,
        ssl_keyfile=section.tls_key,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise GatewayError(
            f"gateway.tls_certificate, gateway.tls_key: cannot be used together: {error}"
        ) from error
    return uvicorn.Server(config)


def listen(section: GatewaySection) -> socket.socket:
    """Return a socket that listens where the gateway is to be found.

    Raises:
        GatewayError: the address is in use, or not of this host.
    """
    try:
        family, *_, address = socket.getaddrinfo(section.host, section.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)  # of each connection
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        raise GatewayError(
            f"gateway: cannot listen on {section.host}, port {section.port}: {error.strerror}; change "
            "`gateway.host` or `gateway.port`"
        ) from error
    return listening


def _allow_many_viewers() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
