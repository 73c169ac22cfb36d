"""Korean from a synthesiser, for the only streaming speech model that is always at hand."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from models.media import read_audio
from stream.messages import Int16Array


def missing() -> str:
    """Return why nothing can be spoken here; empty if it can."""
    return "" if shutil.which("espeak-ng") else "espeak-ng is not installed (package espeak-ng)"


def spoken(sentences: Iterable[str]) -> list[Int16Array]:
    """Return Korean sentences as they sound, `[n]` at 16 kHz each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        sounds = []
        for sentence in sentences:
            subprocess.run(["espeak-ng", "-v", "ko", "-s", "130", "-w", str(path), sentence], check=True)
            sounds.append(read_audio(path))
        return sounds
