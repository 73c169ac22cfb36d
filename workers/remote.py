"""Remote: brings the features of a source from the host where it is captured."""

from __future__ import annotations

import contextlib

from stream.clock import now_ns
from stream.config import Remote
from stream.feature_link import FeatureReader, LinkedMessage
from stream.keys import DAEMON, key_file, read_pair
from stream.messages import AnyMessage, End, WorkerState
from stream.remote_clock import RemoteClock, shifted
from stream.windows import NS_PER_S, seconds_to_ns
from workers.runtime import Worker

_TROUBLE = ("lost", "failed", "restarting")


def main(worker: Worker) -> None:
    """Publish here what the other host publishes of this source, on the clock of this host."""
    remote = worker.source.remote
    assert remote is not None
    own = read_pair(key_file(worker.config.keys_folder, DAEMON))
    worker.wait_for_readers()
    link = FeatureReader(remote.endpoint, own, remote.server_key, worker.source.name)
    with contextlib.closing(link):
        _Bridge(worker, link, remote).run()


class _Bridge:
    def __init__(self, worker: Worker, link: FeatureReader, remote: Remote) -> None:
        self._worker = worker
        self._endpoint = remote.endpoint
        self._stall_ns = seconds_to_ns(remote.stall_timeout_s)
        self._link = link
        self._clock = RemoteClock()
        self._epoch: int | None = None
        self._trouble: dict[str, str] = {}
        words = remote.audio and worker.config.transcript.engine != "off"
        expected = {"face": remote.video, "voice": remote.audio, "text": words}
        self._topics = {topic for topic, wanted in expected.items() if wanted}
        self._ended: set[str] = set()

    def run(self) -> None:
        heard_ns = connected_ns = now_ns()
        while not self._worker.stop.is_set():
            self._worker.heartbeat()
            for each in self._link.receive(timeout_s=0.2):
                heard_ns = now_ns()
                self._take(each, heard_ns)
            self._worker.counters["messages_lost"] = self._link.lost
            self._worker.counters["remote_malformed"] = self._link.malformed
            if now_ns() - max(heard_ns, connected_ns) > self._stall_ns:
                self._lost(now_ns() - heard_ns)
                self._link.connect()
                connected_ns = now_ns()

    def _take(self, each: LinkedMessage, arrived_ns: int) -> None:
        if each.epoch != self._epoch:
            self._epoch, self._clock = each.epoch, RemoteClock()
        difference_ns = self._clock.observe(each.sent_ns, arrived_ns)
        if isinstance(each.message, WorkerState):
            self._note(each.message)
        elif each.topic in self._topics and difference_ns is not None:
            self._pass_on(each.topic, shifted(each.message, difference_ns))

    def _pass_on(self, topic: str, message: AnyMessage) -> None:
        # A source that is over there may begin anew, so here it never ends, whatever its modalities do.
        ended = self._ended | {topic} if isinstance(message, End) else self._ended - {topic}
        if ended < self._topics:
            self._ended = ended
            self._worker.publish(topic, message)
        if not self._trouble and not isinstance(message, End):
            self._worker.running(self._endpoint)

    def _note(self, state: WorkerState) -> None:
        if state.source not in ("", self._worker.source.name):
            return
        if state.state in _TROUBLE:
            self._trouble[state.worker] = f"{state.worker} there: {state.state}: {state.detail}"[:200]
        else:
            self._trouble.pop(state.worker, None)
        if self._trouble:
            self._worker.state("lost", "; ".join(self._trouble.values()))
        else:
            self._worker.state("running", self._endpoint)

    def _lost(self, silent_ns: int) -> None:
        self._worker.state(
            "lost",
            f"nothing from {self._endpoint} for {silent_ns // NS_PER_S} s: does emostream run there, and "
            "does it allow the key of this host?",
        )
