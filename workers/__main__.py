"""Runs one worker, for the supervisor or systemd: `python -m workers NAME --config FILE [--source NAME]`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import setproctitle
import zmq

from stream.config import Config, load_config
from stream.errors import EXIT_REFUSED, EXIT_RESTART, RestartError, UserError
from workers.extras import require_extra
from workers.fork_server import serve_forks
from workers.isolation import leave_network
from workers.logs import set_up_logs
from workers.orphans import die_with_parent
from workers.run_lock import run_lock
from workers.runtime import Worker
from workers.table import WORKERS, WorkerProcess, served_sources, worker_processes


def main() -> int:
    """Run the worker that the command line names until it ends or is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run one emostream worker.")
    parser.add_argument("worker", choices=WORKERS)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--source", help="the source it serves, for a worker that serves one")
    parser.add_argument("--parent", type=int, help="pid of the supervisor; the worker ends when it does")
    parser.add_argument("--forks", type=int, help="socket on which the supervisor asks for forks of it")
    arguments = parser.parse_args()
    row = WORKERS[arguments.worker]
    shared_network = leave_network() if row.isolated else None
    if arguments.parent:
        die_with_parent(arguments.parent)  # after the change of namespace, which would undo it

    process = WorkerProcess(row, arguments.source)
    _name(process.id, "emostream" if arguments.forks is None else "emostream models")
    log = set_up_logs(process.id, "info")
    loaded: dict[str, Any] = {}
    try:
        config = load_config(arguments.config)
        log.setLevel(config.log.level.upper())
        _check_source(process, config)
        if arguments.forks is not None:
            loaded = _load(process, config)
            serve_forks(socket.socket(fileno=arguments.forks))
            _name(process.id, "emostream")
        # A supervisor holds the lock for all its workers.
        with contextlib.nullcontext() if arguments.parent else run_lock(config, shared=True):
            if shared_network:
                log.warning("this worker keeps the network it has no use for: %s", shared_network)
            return _run(Worker(process, config, log, supervised=arguments.parent is not None), loaded)
    except UserError as error:
        log.error("%s", error)
        return EXIT_REFUSED


def _check_source(process: WorkerProcess, config: Config) -> None:
    served = {source.name for source in served_sources(config, process.row)}
    asked = {process.source} if process.row.per_source else served
    if not served or not asked <= served:
        raise UserError(
            f"the configuration has nothing for {process.id} to do; it runs "
            f"{', '.join(each.id for each in worker_processes(config))}"
        )


def _name(process: str, program: str) -> None:
    setproctitle.setproctitle(f"{program}: {process}")


def _load(process: WorkerProcess, config: Config) -> dict[str, Any]:
    """Return what the worker's `main` takes besides the worker: nothing, where it cannot be loaded."""
    try:
        return {"loaded": _module(process).load(config)}
    except UserError:
        return {}  # the worker will find the same, and can tell its readers


def _module(process: WorkerProcess) -> Any:
    return importlib.import_module(f"workers.{process.row.name}")


def _run(worker: Worker, loaded: dict[str, Any]) -> int:
    worker.catch_signals()
    try:
        require_extra(worker.process.row.name)
        _module(worker.process).main(worker, **loaded)
        worker.state("ended")
    except UserError as error:
        worker.fail(str(error))
        return EXIT_REFUSED
    except RestartError as error:
        worker.state("failed" if error.failed else "restarting", str(error))
        return EXIT_RESTART
    except Exception as error:
        worker.log.exception("crashed")
        worker.state("failed", traceback.format_exception_only(error)[-1].strip())
        return 1
    finally:
        worker.close()
        zmq.Context.instance().term()
    return 0


if __name__ == "__main__":
    status = main()
    if status == EXIT_RESTART:
        os._exit(status)  # what has failed may hang while it is taken down
    sys.exit(status)
