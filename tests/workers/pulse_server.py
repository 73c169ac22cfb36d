"""A microphone without a sound card."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

_START_TIMEOUT_S = 60.0


class PulseServer:
    """A PulseAudio server of one's own; what is played into it, its microphone hears.

    PortAudio reaches it through the PulseAudio plug-in of ALSA in processes that have `environment`. Killing
    it is like unplugging the microphone.
    """

    def __init__(self, folder: Path) -> None:
        """Keep everything in `folder`, whose path must be short enough for a socket."""
        self._folder = folder
        self._socket = folder / "pulse"
        self._server: subprocess.Popen[bytes] | None = None
        self._clients: list[subprocess.Popen[bytes]] = []
        asound = folder / "asound.conf"
        asound.write_text(
            "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n"
        )
        client = folder / "client.conf"
        client.write_text("autospawn = no\n")
        self.environment = {
            "ALSA_CONFIG_PATH": str(asound),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_CLIENTCONFIG": str(client),
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    @staticmethod
    def missing() -> str | None:
        """Return why there can be no such server on this machine, `None` where there can."""
        for program in ("pulseaudio", "paplay", "parec", "pactl"):
            if shutil.which(program) is None:
                return f"{program} is not installed (packages pulseaudio, pulseaudio-utils)"
        if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
            return "ALSA has no PulseAudio plug-in (package libasound2-plugins)"
        return None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._socket.unlink(missing_ok=True)
        folder = str(self._folder)
        self._server = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("--disallow-exit=yes", "--log-level=error"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"),
                *("-L", "module-null-sink sink_name=speaker rate=16000 channels=1"),
            ],
            env=os.environ | {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self._client("pactl", "info").wait() != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the PulseAudio server did not start")
            time.sleep(0.1)
        # A sound card always hands on what it has after some milliseconds, this server after up to a second
        # unless somebody wants it sooner.
        self._clients.append(self._client("parec", "--raw", "--latency-msec=20"))

    def freeze(self) -> None:
        """Stop the server where it is; whoever calls it hangs."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End the server at once."""
        if self._server is not None:
            _end(self._server)
            self._server = None

    def play(self, path: Path) -> None:
        """Start playing an audio file that libsndfile can read (WAV, FLAC)."""
        self._clients.append(self._client("paplay", str(path)))

    def close(self) -> None:
        """End the server and everything that plays."""
        for client in self._clients:
            _end(client)
        self.kill()

    def _client(self, *command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | self.environment
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
