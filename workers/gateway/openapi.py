"""The endpoints of the interface, one row each, and the OpenAPI document that follows from them."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

import msgspec

from stream.public import EmotionMessage, HealthMessage, TranscriptMessage
from workers.gateway.access import SESSION_PATH
from workers.gateway.landmarks import FaceMessage
from workers.gateway.viewers import DEFAULT_KINDS, KINDS
from workers.gateway.vocabulary import VocabularyChange

_MESSAGES = (EmotionMessage, TranscriptMessage, HealthMessage, FaceMessage)
_REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True)
class Parameter:
    """One query parameter."""

    name: str
    meaning: str
    type: str = "string"


@dataclass(frozen=True)
class Endpoint:
    """One row of the table."""

    method: str
    """An HTTP method, or `WEBSOCKET`."""
    path: str
    name: str
    """Of its handler."""
    summary: str
    answer: str | None = None
    """What a good answer holds: the name of a schema, `object`, `string`, or nothing."""
    content_type: str = "application/json"
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    """What it takes: the name of a schema."""
    problems: tuple[int, ...] = ()
    """The statuses of its refusals, beside 401, 403 and 421."""


_SOURCE = Parameter("source", "Only this source.")
_KINDS = Parameter(
    "kinds", f"Which messages, by commas, of {', '.join(KINDS)}; by default {', '.join(DEFAULT_KINDS)}."
)
_SINCE = Parameter("since", "Only messages after this `time_ns`, or after this UTC time (ISO 8601).")
_LIMIT = Parameter("limit", "At most so many, the oldest.", "integer")
_PHRASE = Parameter("phrase", "A word or phrase.")

ENDPOINTS = (
    Endpoint("GET", "/api/health", "health", "The newest snapshot of the daemon.", "HealthMessage",
             problems=(503,)),
    Endpoint("GET", "/api/scores", "scores", "Emotion messages of the last ten minutes.", "Scores",
             parameters=(_SINCE, _SOURCE, _LIMIT), problems=(400,)),
    Endpoint("GET", "/api/vocabulary", "vocabulary", "The words that are scored.", "Vocabulary",
             problems=(409,)),
    Endpoint("PUT", "/api/vocabulary", "change_vocabulary", "Score other words from the next window on.",
             "Vocabulary", body="VocabularyChange", problems=(409, 413, 415, 422)),
    Endpoint("GET", "/api/word", "word", "What is known of a word before it is added.", "object",
             parameters=(_PHRASE,), problems=(409, 422)),
    Endpoint("GET", "/api/config", "config", "The configuration, without anything secret.", "object"),
    Endpoint("GET", "/api/events", "events", "All messages as they come, as server-sent events.", "Envelope",
             "text/event-stream", parameters=(_KINDS, _SOURCE), problems=(400,)),
    Endpoint("WEBSOCKET", "/api/stream", "stream", "All messages as they come, over a WebSocket.", "Envelope",
             parameters=(_KINDS, _SOURCE)),
    Endpoint("GET", "/api/openapi.json", "openapi", "This document.", "object"),
    Endpoint("POST", SESSION_PATH, "sign_in", "Show the token once, and have a cookie stand for it."),
    Endpoint("DELETE", SESSION_PATH, "sign_out", "Forget the cookie."),
    Endpoint("GET", "/metrics", "metrics", "The same snapshot as metrics for Prometheus.", "string",
             "text/plain"),
)  # fmt: skip
"""Everything that the gateway answers to, beside the page."""


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the interface."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        # OpenAPI knows no WebSockets: one begins as a GET that is answered by 101.
        method = "get" if endpoint.method == "WEBSOCKET" else endpoint.method.lower()
        paths.setdefault(endpoint.path, {})[method] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "emostream gateway",
            "version": importlib.metadata.version("emostream"),
            "description": "The public stream over HTTP. The messages are those of docs/protocol.md.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    socket = endpoint.method == "WEBSOCKET"
    good = "101" if socket else "200" if endpoint.answer else "204"
    answers: dict[str, Any] = {good: {"description": endpoint.summary}}
    if endpoint.answer and not socket:
        answers[good]["content"] = {endpoint.content_type: {"schema": _schema(endpoint.answer)}}
    for status in sorted({*endpoint.problems, 401, 403, 421}):
        error = {"application/json": {"schema": _schema("Error")}}
        answers[str(status)] = {"description": "Refused; `error` says why.", "content": error}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "responses": answers,
        "parameters": [
            {"name": each.name, "in": "query", "description": each.meaning, "schema": {"type": each.type}}
            for each in endpoint.parameters
        ],
    }
    if endpoint.body:
        content = {"application/json": {"schema": _schema(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _schema(name: str) -> dict[str, Any]:
    return {"type": name} if name in ("object", "string") else {"$ref": _REFERENCE.format(name=name)}


def _schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(_MESSAGES, ref_template=_REFERENCE)
    change = VocabularyChange.model_json_schema(ref_template=_REFERENCE.replace("{name}", "{model}"))
    schemas |= change.pop("$defs")
    schemas["VocabularyChange"] = change
    schemas["Scores"] = _object({"scores": {"type": "array", "items": _schema("EmotionMessage")}})
    schemas["Envelope"] = _object(
        {
            "topic": {"type": "string", "examples": ["emotion.desk", "health"]},
            "message": {"anyOf": [_schema(each.__name__) for each in _MESSAGES]},
        }
    )
    schemas["Vocabulary"] = _object(
        {
            "name": {"type": "string"},
            "version": {"type": "string", "description": "As in emotion messages."},
            "editable": {"type": "boolean", "description": "Whether it may be changed here."},
            "saved": {"type": "boolean", "description": "Whether the words in use are those of `file`."},
            "file": {"type": "string", "description": "Where it is saved."},
            "used_at_start": {"type": "string", "description": "Which file the daemon reads when it starts."},
            "emotions": {"type": "array", "items": _schema("Emotion")},
        }
    )
    schemas["Error"] = _object({"error": {"type": "string", "description": "For people to read."}})
    return schemas


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
