"""Pauses a film while its viewer looks confused, and lets it go on afterwards.

    mpv --input-ipc-server=/tmp/mpv.sock film.mkv
    python examples/pause_when_confused.py /tmp/mpv.sock

The vocabulary must have the word, as `meeting` does: `vocabulary: meeting` in the configuration.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket

from stream import EmotionMessage, subscribe
from stream.client import DEFAULT_ENDPOINT

# Two levels, so that the film does not stop and start at every tremble.
PAUSE_FROM, GO_ON_BELOW = 0.5, 0.35


def main() -> None:
    """Watch the viewer until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("player", help="mpv's socket, as given to --input-ipc-server")
    parser.add_argument("--endpoint", default=DEFAULT_ENDPOINT)
    parser.add_argument("--word", default="confused")
    parser.add_argument("--from", dest="pause_from", type=float, default=PAUSE_FROM, metavar="PROBABILITY")
    arguments = parser.parse_args()
    paused = False
    with socket.socket(socket.AF_UNIX) as player, subscribe(endpoint=arguments.endpoint) as messages:
        player.connect(arguments.player)
        for message in messages:
            probability = probability_of(message, arguments.word)
            if probability is None:
                continue  # nobody to be seen or heard: leave the film as it is
            if not paused and probability >= arguments.pause_from:
                paused = True
            elif paused and probability < arguments.pause_from * GO_ON_BELOW / PAUSE_FROM:
                paused = False
            else:
                continue
            command = {"command": ["set_property", "pause", paused]}
            player.sendall(json.dumps(command).encode() + b"\n")
            print("paused" if paused else "goes on", f"at {probability:.0%} {arguments.word}", flush=True)


def probability_of(message: EmotionMessage, word: str) -> float | None:
    """Return how probable `word` is, smoothed; `None` without evidence."""
    if not message.emotions:
        return None
    found = [score.smoothed for score in message.emotions if score.name == word]
    if not found:
        raise SystemExit(f"{message.vocabulary} has no {word!r}: choose another vocabulary, or --word")
    return found[0]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
