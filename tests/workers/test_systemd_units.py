"""The units of systemd: one a worker, correct to systemd itself, and open to nothing a worker does not need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from stream.config import load_config
from tests.workers.command_line import emostream
from workers.systemd.access import ACCESS
from workers.systemd.of_source import UnitError
from workers.systemd.units import Place, Scope, unit_files
from workers.table import WORKERS, worker_processes

CONFIG = """\
gateway: {enabled: true}
mqtt: {enabled: true}
lsl: {enabled: true}
sources:
  - {name: desk, camera: {device: 0}, microphone: {}}
  - {name: door, camera: {device: 'rtsp://user:secret@192.0.2.20/main'}}
  - {name: clip, file: {path: /home/anna/talk.mp4}}
"""
REMOTE = "  - {name: robot, remote: {endpoint: 'tcp://192.0.2.30:5560', server_key: '%s'}}\n"
RELAY = CONFIG + "features: {endpoint: 'tcp://0.0.0.0:5560'}\n"
SCOPES: tuple[Scope, ...] = ("system", "user")
DEVICES = {"inference", "camera", "microphone"}
NETWORKED = {"inference", "gateway", "mqtt", "lsl"}
LEAST_EXPOSED, WITH_DEVICES = 12, 15
"""Tenths of the exposure that `systemd-analyze security` finds, 0 to 100."""


@pytest.fixture(scope="module")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "emostream.yaml"
    path.write_text(CONFIG + REMOTE % zmq.curve_keypair()[0].decode())
    return path


@pytest.fixture(scope="module")
def units(config_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Scope], Path]:
    """Give a function that writes the units of a scope into a folder, every instance with a name of its own."""

    def write(scope: Scope) -> Path:
        folder = tmp_path_factory.mktemp(scope)
        done = emostream(
            "systemd", "install", *flag(scope), "--config", str(config_path), "--into", str(folder)
        )
        assert done.status == 0, done.err
        for process in worker_processes(load_config(config_path)):
            if process.source is not None:
                instance = folder / f"emostream-{process.row.name}@{process.source}.service"
                instance.symlink_to(f"emostream-{process.row.name}@.service")
        return folder

    return write


def flag(scope: Scope) -> list[str]:
    return ["--user"] if scope == "user" else []


def analyze(folder: Path, scope: Scope, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Have systemd look at unit files, without a service manager."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (package systemd)")
    return subprocess.run(
        ["systemd-analyze", *arguments[:1], *flag(scope), *arguments[1:]],
        cwd=folder,
        env=os.environ | {"XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def settings(text: str) -> dict[str, list[str]]:
    """Return what a unit sets, by name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def written(config_path: Path, scope: Scope = "system", *, systemd: int = 252) -> dict[str, str]:
    return unit_files(
        load_config(config_path), Place(scope, config_path, systemd, frozenset({"video", "audio"}))
    )


def test_every_worker_has_a_row_of_what_it_may_use() -> None:
    assert list(ACCESS) == list(WORKERS)


@pytest.mark.parametrize("scope", SCOPES)
def test_systemd_finds_no_fault_and_little_exposure(units: Callable[[Scope], Path], scope: Scope) -> None:
    folder = units(scope)
    services = sorted(path.name for path in folder.glob("*.service"))
    verified = analyze(folder, scope, "verify", *(f"./{name}" for name in services), "./emostream.target")
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert {name.partition("@")[0].removesuffix(".service") for name in services} == {
        f"emostream-{worker}" for worker in WORKERS if worker != "relay"
    }
    if scope == "user":
        # Without a service manager to ask, systemd-analyze takes a user's services for root's.
        (folder / "emostream-.service.d").mkdir()
        (folder / "emostream-.service.d" / "user.conf").write_text("[Service]\nUser=anna\n")
    for name in services:
        worker = name.removeprefix("emostream-").removesuffix(".service").partition("@")[0]
        most = WITH_DEVICES if worker in DEVICES | NETWORKED else LEAST_EXPOSED
        judged = analyze(folder, scope, "security", "--offline=true", f"--threshold={most}", f"./{name}")
        assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_target_wants_every_process_that_the_configuration_calls_for(config_path: Path) -> None:
    wants = settings(written(config_path)["emostream.target"])["Wants"]
    assert [want.removeprefix("emostream-").replace("@", "-") for want in wants] == [
        f"{process.id}.service" for process in worker_processes(load_config(config_path))
    ]


def test_only_those_that_need_a_device_see_it(config_path: Path) -> None:
    for name, text in written(config_path).items():
        if name.endswith(".service"):
            found, worker = settings(text), re.split(r"[-@.]", name)[1]
            assert found["DevicePolicy"] == ["closed"]
            assert found["PrivateDevices"] == ["no" if worker in DEVICES else "yes"], name
            assert ("DeviceAllow" in found) == (worker in DEVICES), name
    assert "char-video4linux rw" in written(config_path)["emostream-camera@.service"]
    assert "char-alsa rw" in written(config_path)["emostream-microphone@.service"]
    assert "char-nvidia* rw" in written(config_path)["emostream-inference.service"]


def test_whoever_touches_media_has_no_network_but_the_address_of_its_camera(config_path: Path) -> None:
    files = written(config_path)
    for name, text in files.items():
        if name.endswith(".service") and name.removeprefix("emostream-").split(".")[0] not in NETWORKED:
            found = settings(text)
            assert found["PrivateNetwork"] == ["yes"], name
            assert found["RestrictAddressFamilies"] == ["AF_UNIX"], name
    inference = settings(files["emostream-inference.service"])
    assert (inference["IPAddressDeny"], inference["IPAddressAllow"]) == (["any"], ["localhost"])
    door = settings(files["emostream-camera@door.service.d/source.conf"])
    assert door["IPAddressAllow"] == ["192.0.2.20"]
    robot = settings(files["emostream-remote@robot.service.d/source.conf"])
    assert robot["IPAddressAllow"] == ["192.0.2.30"]
    assert "emostream-camera@desk.service.d/source.conf" not in files
    assert not any("secret" in text for text in files.values())


def test_features_for_another_host_are_all_that_listens_to_one(tmp_path: Path) -> None:
    path = tmp_path / "emostream.yaml"
    path.write_text(RELAY)
    files = written(path)
    assert settings(files["emostream-relay.service"])["IPAddressAllow"] == ["any"]
    assert [name for name, text in files.items() if "IPAddressAllow=any" in text] == [
        "emostream-relay.service"
    ]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    judged = analyze(
        tmp_path,
        "system",
        "security",
        "--offline=true",
        f"--threshold={WITH_DEVICES}",
        "./emostream-relay.service",
    )
    assert judged.returncode == 0, judged.stdout


def test_a_public_stream_on_a_socket_file_needs_no_network_either(tmp_path: Path) -> None:
    path = tmp_path / "emostream.yaml"
    path.write_text(CONFIG + "stream: {endpoint: 'ipc:///run/emostream/public'}\n")
    assert settings(written(path)["emostream-inference.service"])["PrivateNetwork"] == ["yes"]


def test_a_file_in_a_home_folder_is_shown_to_its_player_alone(config_path: Path) -> None:
    files = written(config_path)
    assert [name for name, text in files.items() if "/home/anna/talk.mp4" in text] == [
        "emostream-media@clip.service.d/source.conf"
    ]


def test_restarts_grow_rarer_where_systemd_can_do_that(config_path: Path) -> None:
    old = settings(written(config_path, systemd=252)["emostream-text.service"])
    new = settings(written(config_path, systemd=254)["emostream-text.service"])
    assert (old["StartLimitIntervalSec"], old["StartLimitBurst"]) == (["60"], ["6"])
    assert (new["StartLimitIntervalSec"], new["RestartMaxDelaySec"]) == (["0"], ["60"])


def test_groups_that_a_machine_lacks_are_left_out(config_path: Path) -> None:
    inference = settings(written(config_path)["emostream-inference.service"])
    assert inference["SupplementaryGroups"] == ["video"]


def test_a_camera_without_an_address_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "emostream.yaml"
    path.write_text("sources: {name: door, camera: {device: 'rtsp://nowhere.invalid/main'}}\n")
    with pytest.raises(
        UnitError, match=r"nowhere\.invalid has no known address .* give the address as a number"
    ):
        written(path)


@pytest.fixture
def systemctl(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Give an environment with a home of its own whose `systemctl` only notes what it was asked, and where."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "systemd 252" || echo "$*" >> {calls}\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}, calls


def test_a_users_units_are_installed_renewed_and_taken_away(
    config_path: Path, tmp_path: Path, systemctl: tuple[dict[str, str], Path]
) -> None:
    environment, calls = systemctl
    folder = tmp_path / "config" / "systemd" / "user"
    command = ("systemd", "install", "--user", "--config")
    assert emostream(*command, str(config_path), environment=environment).status == 0
    assert (folder / "emostream-camera@door.service.d").is_dir()
    (folder / "emostream-of-somebody.conf").touch()

    fewer = tmp_path / "fewer.yaml"
    fewer.write_text("sources: {name: talk, file: {path: /srv/talk.wav}}\n")
    assert emostream(*command, str(fewer), environment=environment).status == 0
    left = {entry.name for entry in folder.iterdir()}
    assert {"emostream-media@.service", "emostream.target"} <= left
    assert not any("camera" in name or name.endswith(".d") for name in left)

    assert emostream("systemd", "uninstall", "--user", environment=environment).status == 0
    assert [entry.name for entry in folder.iterdir()] == ["emostream-of-somebody.conf"]
    installed = ["--user daemon-reload", "--user enable emostream.target"]
    gone = ["--user disable --now emostream.target", "--user daemon-reload"]
    assert calls.read_text().splitlines() == [*installed, *installed, *gone]


def test_without_a_configuration_nothing_is_installed(systemctl: tuple[dict[str, str], Path]) -> None:
    environment, calls = systemctl
    done = emostream("systemd", "install", "--user", environment=environment)
    assert done.status == 2
    assert "emostream config example" in done.err
    assert not calls.exists()
