"""The vocabulary while the daemon runs: its file, or a draft of it that is being tried out."""

from __future__ import annotations

from pathlib import Path

from stream.config import Config


def draft_file(config: Config) -> Path:
    """Return where words are tried out without touching the vocabulary's file; gone with the daemon."""
    return config.run_folder / "vocabulary.yaml"


def live_vocabulary_file(config: Config) -> Path:
    """Return the file whose words are scored: the vocabulary's, or its draft if that was changed later."""
    file, draft = Path(config.vocabulary), draft_file(config)
    return draft if _changed_ns(draft) > _changed_ns(file) else file


def _changed_ns(path: Path) -> int:
    # Not the time of modification, which a file that is moved into place brings along.
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return 0
