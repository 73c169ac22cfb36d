"""Makes backends ready beside a running inference worker: `python -m workers.preparation STEP ...`.

A process of its own: building and timing take long, and a library that fails may take its process with it.
The outcome is one line of JSON on standard output.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.backends import BackendError
from models.backends.candidates import Candidate, find_candidates
from models.backends.choice import Outcome, Verdict, ask, decide
from models.bundle import Bundle, load_bundle
from stream.errors import UserError
from workers.logs import set_up_logs
from workers.orphans import die_with_parent

_BUILD_NICENESS = 5


def main() -> int:
    """Run one step and print its outcome."""
    parser = argparse.ArgumentParser(prog="python -m workers.preparation", description="Prepare backends.")
    parser.add_argument("step", choices=("build", "measure"))
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--backend", required=True, help="`inference.backend` of the configuration")
    parser.add_argument("--sources", type=int, required=True, help="how many are configured")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads of ONNX Runtime")
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--parent", type=int, required=True, help="pid of the worker this is for")
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    log = set_up_logs("preparation", arguments.log_level)
    try:
        bundle = load_bundle(arguments.bundle)
        candidates = find_candidates(arguments.backend)
        if arguments.step == "build":
            os.nice(_BUILD_NICENESS)
            outcome = _build(bundle, candidates, log)
        else:
            question = ask(bundle, candidates, sources=arguments.sources, threads=arguments.threads)
            verdict = decide(question, bundle, candidates, lambda what, share: log.info("%s", what))
            _log_table(verdict, log)
            outcome = Outcome(chosen=verdict.chosen, problems=verdict.problems)
    except UserError as error:
        log.error("%s", error)
        return 1
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    return 0


def _build(bundle: Bundle, candidates: Sequence[Candidate], log: logging.Logger) -> Outcome:
    problems = {}
    for candidate in candidates:
        told = _Tenths(candidate.name, log)
        try:
            candidate.prepare(bundle, told)
        except BackendError as error:
            problems[candidate.name] = str(error)
            log.warning("%s cannot be used: %s", candidate.name, error)
    sound = [candidate.name for candidate in candidates if candidate.name not in problems]
    return Outcome(chosen=sound[0], problems=problems)


def _log_table(verdict: Verdict, log: logging.Logger) -> None:
    log.info("%d windows in a batch, %d CPU threads:", verdict.windows, verdict.threads)
    for row in verdict.rows:
        best = ", the best" if row.name == verdict.chosen else ""
        if row.timing is not None:
            log.info("%s: p50 %.3f ms, p99 %.3f ms%s", row.name, row.timing.p50_ms, row.timing.p99_ms, best)
        else:
            log.info("%s: %s", row.name, row.problem)


class _Tenths:
    """Logs progress whenever another tenth is done."""

    def __init__(self, name: str, log: logging.Logger) -> None:
        self._name = name
        self._log = log
        self._tenths = -1

    def __call__(self, what: str, share: float) -> None:
        if int(10 * share) != self._tenths:
            self._tenths = int(10 * share)
            self._log.info("%s: %d%%, %s", self._name, 10 * self._tenths, what)


if __name__ == "__main__":
    sys.exit(main())
