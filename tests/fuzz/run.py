"""Looks for inputs that a decoder cannot stand, with coverage as its guide: `python -m tests.fuzz.run`.

What it finds it leaves in `tests/fuzz/corpus/TARGET/`, where the suite replays it from then on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run one target here, or all of them in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("target", nargs="?", help="one decoder; by default all")
    parser.add_argument("--seconds", type=int, default=600, help="in all")
    arguments = parser.parse_args()
    if arguments.target:
        return _fuzz(arguments.target, arguments.seconds)
    from tests.fuzz.targets import TARGETS

    share = max(1, arguments.seconds // len(TARGETS))
    failed = []
    for name in TARGETS:
        command = [sys.executable, "-m", "tests.fuzz.run", name, "--seconds", str(share)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        summary = [line for line in done.stderr.splitlines() if line.startswith("Done")]
        outcome = "sound" if done.returncode == 0 else f"FAILED ({done.returncode})"
        sys.stdout.write(f"{name:12} {outcome:10} {summary[-1] if summary else ''}\n")
        sys.stdout.flush()
        if done.returncode:
            failed.append(name)
            sys.stdout.write(done.stderr[-4000:] + "\n")
    return 1 if failed else 0


def _fuzz(name: str, seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["stream", "models"]):
        from tests.fuzz.targets import CORPUS, TARGETS
    target, kept = TARGETS[name], CORPUS / name
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as folder:
        for number, seed in enumerate(target.seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3000", "-max_len=65536"]
        options += [f"-artifact_prefix={kept}/", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, folder, str(kept)], target.feed)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
