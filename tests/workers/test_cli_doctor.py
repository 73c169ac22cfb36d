"""`emostream doctor` on this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream.bus import Publisher
from stream.keys import DAEMON, allow, make_pair
from tests import fake_gpu
from tests.workers.command_line import emostream
from workers.doctor import Finding, Status, examine

Asset = Callable[[str], Path]
Examine = Callable[[str], dict[str, Finding]]


@pytest.fixture
def findings(tmp_path: Path, run_folder: Path) -> Examine:
    """Give a function that examines a configuration: finding by name."""

    def find(text: str) -> dict[str, Finding]:
        path = tmp_path / "emostream.yaml"
        path.write_text(text)
        return {finding.name: finding for finding in examine(path)}

    return find


@pytest.fixture
def clip_source(asset: Asset) -> str:
    return f"sources: [{{name: clip, file: {{path: {asset('carphone')}}}}}]\n"


def test_every_finding_that_is_not_ok_has_a_remedy(findings: Examine) -> None:
    found = findings(
        "sources: [{name: desk, camera: {device: 99}, microphone: {device: no such microphone}}]"
    )
    assert all(finding.remedy for finding in found.values() if finding.status is not Status.OK)
    assert found["camera of desk"].status is Status.FAIL
    assert "/dev/video99 does not exist" in found["camera of desk"].detail
    assert found["microphone of desk"].status is Status.FAIL
    assert "no such microphone" in found["microphone of desk"].detail


def test_the_machine_is_described(findings: Examine, clip_source: str) -> None:
    found = findings(clip_source)
    assert {"Python", "PortAudio", "CPU", "memory", "open files", "cache folder"} <= set(found)
    assert found["Python"].status is Status.OK


def test_a_file_that_plays_is_described(findings: Examine, clip_source: str) -> None:
    assert findings(clip_source)["file of clip"] == Finding(
        "devices", "file of clip", Status.OK, "carphone_pristine.mp4: 176×144, 4 s"
    )


def test_a_file_that_does_not_play_is_a_failure(findings: Examine, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("hello")
    assert findings("sources: [{name: clip, file: {path: bad.mp4}}]")["file of clip"].status is Status.FAIL


def test_a_mistake_in_the_configuration_is_a_failure(findings: Examine) -> None:
    found = findings("sources: []")["file"]
    assert found.status is Status.FAIL
    assert "emostream.yaml:1: sources" in found.detail


def test_missing_keys_are_a_failure_with_the_command_that_makes_them(
    findings: Examine, clip_source: str, tmp_path: Path
) -> None:
    config = f"{clip_source}keys: '{tmp_path / 'keys'}'\nstream: {{curve: true, endpoint: 'tcp://*:5557'}}"
    found = findings(config)["keys"]
    assert found.status is Status.FAIL
    assert found.remedy == "make it with `emostream keys new daemon`"
    make_pair(tmp_path / "keys", DAEMON)
    allow(tmp_path / "keys", "laptop", make_pair(tmp_path / "keys", "laptop").public)
    assert findings(config)["keys"].status is Status.OK


def test_an_endpoint_in_use_is_a_failure(findings: Examine, clip_source: str, run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        config = f"{clip_source}stream: {{endpoint: '{endpoint}'}}"
        taken = findings(config)["endpoint"]
    assert (taken.status, taken.detail) == (Status.FAIL, f"{endpoint} is in use")
    assert findings(config)["endpoint"].status is Status.OK
    publisher = Publisher(run_folder / "other", "state", "somebody")
    config = f"{clip_source}stream: {{endpoint: 'ipc://{run_folder / 'other' / 'state.somebody'}'}}"
    assert findings(config)["endpoint"].status is Status.FAIL
    publisher.close()


def test_a_run_folder_too_long_for_sockets_is_a_failure(
    findings: Examine, clip_source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / ("long" * 25)))
    found = findings(clip_source)["run folder"]
    assert found.status is Status.FAIL
    assert "XDG_RUNTIME_DIR" in found.remedy


def test_missing_assets_are_named_with_the_command_that_brings_them(
    findings: Examine, clip_source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path / "empty"))
    found = findings(clip_source)
    assert found["face_landmarker"].status is Status.FAIL
    assert found["face_landmarker"].remedy == "emostream assets fetch face_landmarker"
    assert "silero-vad" in found


def test_one_of_the_two_transcribers_is_enough(findings: Examine, clip_source: str, asset: Asset) -> None:
    asset("whisper-tiny-en")
    found = findings(f"{clip_source}transcript: {{engine: auto, vosk_model: no-such-model}}")
    assert found["transcriber vosk"].status is Status.WARN
    assert "`auto` takes it" in found["transcriber whisper"].detail
    found = findings(f"{clip_source}transcript: {{engine: vosk, vosk_model: no-such-model}}")
    assert found["transcriber vosk"].status is Status.FAIL
    assert "transcriber whisper" not in found


def test_the_model_is_loaded_and_proved(findings: Examine, clip_source: str, asset: Asset) -> None:
    asset("minilm-l6")
    found = findings(clip_source)
    assert found["vocabulary"].status is Status.OK
    assert found["backend"].status is Status.OK
    assert "agrees with the stored results" in found["backend"].detail


def test_what_may_be_faster_than_the_cpu_is_looked_for(findings: Examine, clip_source: str) -> None:
    found = findings(clip_source)["accelerators"]
    assert (found.status, found.detail) == (Status.OK, "none here; the model runs on the CPU")


def test_a_gpu_without_an_engine_and_with_one(tmp_path: Path, asset: Asset) -> None:
    asset("minilm-l6")
    environment = fake_gpu.environment(tmp_path / "gpu")
    (tmp_path / "emostream.yaml").write_text("sources: [{name: desk, camera: {device: 99}}]\n")

    def found() -> dict[str, str]:
        text = emostream("doctor", "--json", folder=tmp_path, environment=environment, timeout_s=180).out
        return next(each for each in json.loads(text) if each["name"] == "backend tensorrt")

    assert found()["status"] == "warn"
    assert "for the Fake GPU here that has passed" in found()["detail"]
    emostream("engine", "build", "live", folder=tmp_path, environment=environment, timeout_s=180)
    assert found()["status"] == "ok"
    assert found()["detail"] == "tensorrt-fp16; agrees with ONNX Runtime on the CPU"


def test_the_command_exits_with_1_when_something_needed_is_missing(tmp_path: Path) -> None:
    (tmp_path / "emostream.yaml").write_text("sources: [{name: desk, camera: {device: 99}}]\n")
    outcome = emostream("doctor", folder=tmp_path)
    assert outcome.status == 1
    assert "/dev/video99 does not exist" in outcome.out
    assert "to mend before this configuration works" in outcome.out


def test_the_findings_as_json(tmp_path: Path) -> None:
    (tmp_path / "emostream.yaml").write_text("sources: [{name: desk, camera: {device: 99}}]\n")
    outcome = emostream("doctor", "--json", folder=tmp_path)
    found: list[dict[str, Any]] = json.loads(outcome.out)
    assert set(found[0]) == {"area", "name", "status", "detail", "remedy"}
    assert any(finding["status"] == "fail" for finding in found)
