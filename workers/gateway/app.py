"""The gateway's web application: the handler of each endpoint, and what guards them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import msgspec
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream.errors import UserError
from workers.gateway.access import COOKIE, Access, Token
from workers.gateway.asking import body, moment_ns, number, wanted
from workers.gateway.metrics import exposition
from workers.gateway.openapi import ENDPOINTS, openapi_document
from workers.gateway.public_config import public_config
from workers.gateway.scores_answer import scores_answer
from workers.gateway.state import Gateway
from workers.gateway.viewers import Wanted
from workers.gateway.vocabulary import UnknownWordsError, VocabularyChange, WordQuestion

STATIC = Path(__file__).parent / "static"
_MOST_SCORES = 20_000
_KEEP_ALIVE_S = 15.0
_FRESH = {"cache-control": "no-store"}


def build_app(gateway: Gateway, token: Token | None) -> Starlette:
    """Return the web application that serves `gateway`."""
    interface = _Interface(gateway, token)
    routes: list[BaseRoute] = [Route("/", _page)]
    for endpoint in ENDPOINTS:
        handler = getattr(interface, endpoint.name)
        if endpoint.method == "WEBSOCKET":
            routes.append(WebSocketRoute(endpoint.path, handler))
        else:
            routes.append(Route(endpoint.path, handler, methods=[endpoint.method]))
    routes.append(Mount("/static", _Static(directory=STATIC)))
    middleware = [Middleware(Access, section=gateway.config.gateway, token=token)]
    if origins := list(gateway.config.gateway.allowed_origins):
        methods, headers = ["GET", "PUT"], ["authorization", "content-type"]
        cors = Middleware(CORSMiddleware, allow_origins=origins, allow_methods=methods, allow_headers=headers)
        middleware.insert(0, cors)
    handlers: Any = {HTTPException: _refused, UserError: _impossible, ValidationError: _malformed}
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


class _Static(StaticFiles):
    """The page's files; a browser asks each time whether they changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


class _Interface:
    """The handler of each endpoint, by the name it has in `ENDPOINTS`."""

    def __init__(self, gateway: Gateway, token: Token | None) -> None:
        self._gateway = gateway
        self._token = token

    async def health(self, _: Request) -> Response:
        health = self._gateway.health
        if health is None:
            raise HTTPException(503, "the daemon does not answer")
        return Response(msgspec.json.encode(health), media_type="application/json", headers=_FRESH)

    async def scores(self, request: Request) -> Response:
        query = request.query_params
        limit = number("limit", query.get("limit"), 1, _MOST_SCORES)
        found = self._gateway.history.since(moment_ns(query.get("since")), query.get("source"), limit)
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        return await run_in_threadpool(scores_answer, found, zipped=zipped)

    async def vocabulary(self, _: Request) -> Response:
        return _answer(await run_in_threadpool(self._gateway.vocabulary.describe))

    async def change_vocabulary(self, request: Request) -> Response:
        if not self._gateway.config.gateway.edit_vocabulary:
            raise HTTPException(403, "`gateway.edit_vocabulary` is off")
        change = await body(request, VocabularyChange)
        try:
            await run_in_threadpool(self._gateway.vocabulary.change, change)
        except UnknownWordsError as error:
            problems = [asdict(problem) for problem in error.problems]
            return _answer({"error": str(error), "problems": problems}, 422)
        return await self.vocabulary(request)

    async def word(self, request: Request) -> Response:
        question = WordQuestion.model_validate({"phrase": request.query_params.get("phrase", "")})
        return _answer(await run_in_threadpool(self._gateway.vocabulary.examine, question.phrase))

    async def config(self, _: Request) -> Response:
        return _answer(public_config(self._gateway.config))

    async def events(self, request: Request) -> Response:
        headers = _FRESH | {"x-accel-buffering": "no"}
        return StreamingResponse(
            self._events(wanted(request)), media_type="text/event-stream", headers=headers
        )

    async def _events(self, asked: Wanted) -> AsyncIterator[str]:
        with self._gateway.viewers.watching(asked) as viewer:
            yield "retry: 1000\n\n"
            for text in self._gateway.greeting(asked):
                yield f"data: {text}\n\n"
            while True:
                try:
                    pending = await asyncio.wait_for(viewer.take(), _KEEP_ALIVE_S)
                except asyncio.TimeoutError:
                    yield ": nothing new\n\n"
                else:
                    yield "".join(f"data: {text}\n\n" for text in pending)

    async def stream(self, socket: WebSocket) -> None:
        try:
            asked = wanted(socket)
        except HTTPException as error:
            await socket.close(1008, error.detail)
            return
        await socket.accept()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._send, socket, asked)
            await _until_it_leaves(socket)
            tasks.cancel_scope.cancel()

    async def _send(self, socket: WebSocket, asked: Wanted) -> None:
        # The viewer may leave at any moment; the task beside this one hears of it.
        gone = contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError)
        with gone, self._gateway.viewers.watching(asked) as viewer:
            for text in self._gateway.greeting(asked):
                await socket.send_text(text)
            while True:
                for text in await viewer.take():
                    await socket.send_text(text)

    async def openapi(self, _: Request) -> Response:
        return _answer(openapi_document())

    async def metrics(self, _: Request) -> Response:
        return Response(exposition(self._gateway), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def sign_in(self, request: Request) -> Response:
        response = Response(status_code=204)
        if self._token is None:
            return response
        if not self._token.is_shown_by(request):
            await asyncio.sleep(0.5)  # who guesses shall wait
            raise HTTPException(401, "this is not the token")
        secure = self._gateway.config.gateway.tls_key is not None
        response.set_cookie(COOKIE, self._token.session, httponly=True, samesite="strict", secure=secure)
        return response

    async def sign_out(self, _: Request) -> Response:
        response = Response(status_code=204)
        response.delete_cookie(COOKIE)
        return response


async def _until_it_leaves(socket: WebSocket) -> None:
    """Wait for the end of a connection; what a viewer says means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _answer(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status, headers=_FRESH)


def _refused(_: Request, error: HTTPException) -> Response:
    return _answer({"error": error.detail}, error.status_code)


def _impossible(_: Request, error: UserError) -> Response:
    return _answer({"error": str(error)}, 409)


def _malformed(_: Request, error: ValidationError) -> Response:
    problems = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors()]
    return _answer({"error": "; ".join(problems)}, 422)
