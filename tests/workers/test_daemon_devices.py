"""The whole daemon on a camera and a microphone, each lost and found again while the other goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stream import EmotionMessage, Evidence
from tests.workers.daemon import Daemon, processes_left, running_daemon
from tests.workers.network_cameras import MjpegCamera, NetworkCamera
from tests.workers.pulse_server import PulseServer

TWO_CITIES = {"best", "worst", "times", "wisdom", "foolishness", "epoch", "belief", "season", "light"}


def _now(daemon: Daemon, modality: str) -> Evidence:
    """Return what the newest message says of a modality."""
    return daemon.emotions[-1].evidence[modality]


def _comes(daemon: Daemon, modality: str) -> None:
    """Wait until a modality is used."""
    daemon.wait_until(lambda: bool(daemon.emotions) and _now(daemon, modality).used)


def _goes(daemon: Daemon, modality: str, reason: str) -> None:
    """Wait until a modality is no longer used, for a reason that starts with `reason`."""
    daemon.wait_until(lambda: (_now(daemon, modality).why or "").startswith(reason))
    assert not _now(daemon, modality).used


def _source_is(daemon: Daemon, state: str) -> None:
    daemon.wait_until(lambda: bool(daemon.health) and daemon.health[-1].sources[0].state == state)


def _used_throughout(messages: list[EmotionMessage], modality: str) -> bool:
    return bool(messages) and all(message.evidence[modality].used for message in messages)


def test_camera_and_microphone_are_lost_and_found_without_disturbing_each_other(
    short_folder: Path,
    start_camera: Callable[[NetworkCamera], NetworkCamera],
    pulse_server: PulseServer,
    asset: Callable[[str], Path],
    long_speech: Path,
) -> None:
    camera = start_camera(MjpegCamera(asset("demo-face")))
    config = f"""\
sources:
  - name: desk
    camera: {{device: '{camera.url}'}}
    microphone: {{}}
"""
    with running_daemon(short_folder, config, environment=pulse_server.environment) as daemon:
        _source_is(daemon, "running")
        pulse_server.play(long_speech)
        for modality in ("face", "voice", "text"):
            _comes(daemon, modality)

        camera.kill()
        without_camera = len(daemon.emotions)
        _source_is(daemon, "lost")
        _goes(daemon, "face", "no frames for ")
        camera.start()
        _comes(daemon, "face")
        _source_is(daemon, "running")
        assert _used_throughout(daemon.emotions[without_camera:], "voice")

        pulse_server.kill()
        without_microphone = len(daemon.emotions)
        _source_is(daemon, "lost")
        _goes(daemon, "voice", "no audio for ")
        pulse_server.start()
        _source_is(daemon, "running")
        pulse_server.play(long_speech)
        _comes(daemon, "voice")
        assert _used_throughout(daemon.emotions[without_microphone:], "face")

        assert daemon.stop() == 0
    assert len(TWO_CITIES & daemon.heard_words()) >= 3
    assert daemon.missed == 0
    assert [message.seq for message in daemon.emotions] == list(range(len(daemon.emotions)))
    assert not processes_left(short_folder)
