"""Who may use the gateway, from where, and what browsers are told to refuse."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from stream.config import GatewaySection
from tests.workers.gateway.serving import TOKEN
from tests.workers.public_messages import health_message
from workers.gateway.access import TokenError, read_token

TLS = {"tls_certificate": "cert.pem", "tls_key": "key.pem"}
REMOTE = {"host": "0.0.0.0", "token_file": "token", **TLS}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_on_loopback_nothing_more_is_asked(host):
    assert GatewaySection(host=host).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "desk.lan"])
@pytest.mark.parametrize("given", [{}, {"token_file": "token"}, TLS])
def test_any_other_address_demands_a_token_and_tls(host, given):
    with pytest.raises(ValidationError, match="is not a loopback address"):
        GatewaySection(host=host, **given)
    assert not GatewaySection(host=host, token_file="token", **TLS).loopback


def test_another_name_that_leads_here_is_refused(open_client):
    client = open_client(origin="http://evil.example:8600")
    assert client.get("/api/health").status_code == 421
    assert client.get("/").status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_pages_of_other_sites_are_refused(client, origin):
    for method in ("GET", "PUT"):
        answer = client.request(method, "/api/vocabulary", headers={"origin": origin}, json={})
        assert answer.status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.watch(headers={"origin": origin}),
    ):
        pass


def test_its_own_page_and_those_allowed_are_not(open_client):
    client = open_client(allowed_origins=["https://dashboard.example"])
    client.feed(health_message())
    assert client.get("/api/health", headers={"origin": "http://127.0.0.1:8600"}).status_code == 200
    answer = client.get("/api/health", headers={"origin": "https://dashboard.example"})
    assert answer.headers["access-control-allow-origin"] == "https://dashboard.example"


def test_without_the_token_only_the_page_is_served(open_client):
    client = open_client(TOKEN, **REMOTE)
    assert client.get("/").status_code == 200
    for path in ("/api/health", "/api/config", "/metrics", "/api/events"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401, path
    assert client.put("/api/vocabulary", json={}).status_code == 401
    with pytest.raises(WebSocketDisconnect), client.watch():
        pass
    shown = {"authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=shown).status_code == 200
    with client.watch(headers=shown):
        pass


def test_a_browser_shows_the_token_once_and_keeps_a_cookie(open_client):
    client = open_client(TOKEN, origin="https://desk.lan:8600", **REMOTE)
    assert client.post("/api/session", headers={"authorization": "Bearer wrong"}).status_code == 401
    cookie = client.post("/api/session", headers={"authorization": f"Bearer {TOKEN}"}).headers["set-cookie"]
    assert TOKEN not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Secure"):
        assert part in cookie
    assert client.get("/api/config").status_code == 200
    client.delete("/api/session")
    assert client.get("/api/config").status_code == 401


@pytest.mark.parametrize("path", ["/", "/api/config", "/api/health", "/static/app.js"])
def test_every_answer_forbids_what_the_page_does_not_need(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        ("short", 0o600, "16 characters"),
        (TOKEN, 0o644, "chmod 600"),
        ("two words in a token", 0o600, "one word"),
    ],
)
def test_a_token_file_that_is_no_good_says_how_to_mend_it(tmp_path, content, mode, complaint):
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(TokenError, match=complaint):
        read_token(file)
    with pytest.raises(TokenError, match="cannot be read"):
        read_token(tmp_path / "missing")
