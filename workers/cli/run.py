"""`emostream run`."""

from __future__ import annotations

from pathlib import Path

import typer

from stream.config import load_config
from stream.vocabulary import load_vocabulary
from workers import supervisor
from workers.admission import check_keys
from workers.cli.common import ConfigOption, find_config
from workers.extras import require_extras
from workers.logs import set_up_logs


def run(config: ConfigOption = None) -> None:
    """Run the daemon until Ctrl-C.

    Every worker is a process of its own; one that dies is started again. Scores are published on the
    configuration's `stream.endpoint`, to be read with `emostream watch`, `emostream subscribe`, or your own
    program. A SIGHUP, or saving the vocabulary file, makes the next window use the new words.

    [bold]Examples[/]

      emostream run
      emostream run --config door.yaml
      emostream config example > emostream.yaml     [dim]then edit it and run[/]
    """
    path = find_config(config)
    loaded = load_config(path)
    load_vocabulary(Path(loaded.vocabulary))
    check_keys(loaded)
    require_extras(loaded)
    log = set_up_logs("supervisor", loaded.log.level)
    log.info("%s: %s", path, ", ".join(source.name for source in loaded.sources))
    if loaded.features.endpoint is None:
        log.info("publishing on %s", loaded.stream.endpoint)
    else:
        log.info("features for another host on %s; no scores here", loaded.features.endpoint)
    if loaded.gateway.enabled and loaded.features.endpoint is None:
        log.info("live page: %s", loaded.gateway.address)
    raise typer.Exit(supervisor.run(loaded))
