"""Inference worker: features of all sources in, scores out, and the daemon's health once a second."""

from __future__ import annotations

import contextlib
from collections import Counter

from models.backends import DeviceLostError
from models.baseline import KeptPoints, points_file, read_points
from models.opening import open_baseline, open_bundle, open_bundle_space, open_emotions
from models.scorer import Scorer
from models.vocabulary_embedding import EmbeddedVocabulary
from stream.bus import Received
from stream.clock import now_ns
from stream.errors import RestartError
from stream.file_watch import FileWatch
from stream.live_vocabulary import live_vocabulary_file
from stream.messages import End, MessageError, TextFeatures, WorkerState
from stream.public import EmotionMessage, TranscriptMessage, TranscriptWord
from stream.public_socket import PublicSocket
from stream.windows import NS_PER_MS, NS_PER_S
from workers.admission import look_after_clients
from workers.backend_switch import BackendSwitch
from workers.health import HealthBoard
from workers.latencies import StageLatencies
from workers.runtime import Worker
from workers.table import SUPERVISOR, worker_processes

# With many sources something comes all the time, and a look at all of them for each message would cost more
# than scoring does. What comes within this time a source is taken together, and more windows share a batch.
_TOGETHER_NS = 300_000


def main(worker: Worker) -> None:
    """Score windows until every source has ended."""
    stream = worker.config.stream
    keys = worker.config.keys_folder if stream.curve else None
    # Bound before the model loads: subscribers that are waiting have joined when the first score comes.
    with contextlib.closing(PublicSocket(stream.endpoint, stream.format, keys)) as public:
        _Inference(worker, public).run()


class _Inference:
    def __init__(self, worker: Worker, public: PublicSocket) -> None:
        config = worker.config
        self._worker = worker
        self._public = public
        bundle = open_bundle(config)
        space = open_bundle_space(bundle)
        self._vocabulary: FileWatch[EmbeddedVocabulary] = FileWatch(
            lambda: live_vocabulary_file(config), lambda path: open_emotions(path, space)
        )
        baseline = open_baseline(config, bundle, space)
        self._extra_words = 0 if baseline is None else len(baseline.words)
        self._switch = BackendSwitch(config, bundle, worker.log)
        backend, _ = self._switch.backend_for(self._asked())
        self._scorer = Scorer(config, bundle, backend, self._vocabulary.current, baseline=baseline)
        self._points: FileWatch[KeptPoints] | None = None
        if self._scorer.baseline is not None:
            self._points = FileWatch(points_file(config.baseline), lambda path: read_points(path, bundle))
            self._use_points(self._points.current)
        self._health = HealthBoard(config)
        self._latencies = StageLatencies()
        self._health_due_ns = 0
        self._transcript_seq: Counter[str] = Counter()
        worker.subscribe()
        worker.inbox.subscribe("state", [SUPERVISOR, *(p.id for p in worker_processes(config))])

    def run(self) -> None:
        waits_for_all = self._worker.config.pace == "lossless"
        looked_ns, together_ns = 0, _TOGETHER_NS * len(self._worker.config.sources)
        while not self._worker.stop.is_set() and not self._scorer.ended:
            timeout_s = 0.2 if waits_for_all else self._scorer.wait_s(now_ns())
            early_ns = looked_ns + together_ns - now_ns()
            if early_ns > 0 and not waits_for_all:
                self._worker.stop.wait(early_ns / NS_PER_S)
            looked_ns = now_ns()
            for received in self._worker.inbox.receive(timeout_s):
                self._take(received)
            self._reload_vocabulary()
            self._reload_points()
            self._choose_backend()
            for message in self._score(None if waits_for_all else now_ns()):
                self._worker.running()
                self._worker.counters["windows_scored"] += 1
                self._time_score(message)
                self._public.send(message)
            self._worker.counters |= self._scorer.counts
            self._publish_health()
            self._worker.heartbeat()
        self._publish_health(last=True)
        self._switch.close()

    def _take(self, received: Received) -> None:
        message = received.message
        if isinstance(message, WorkerState):
            self._health.add(message)
            return
        try:
            self._scorer.add(message, received.topic)
        except MessageError as error:
            self._worker.refuse(received, error)
            return
        if self._worker.config.pace == "realtime" and not isinstance(message, End):
            self._latencies.observe(received.topic, (now_ns() - message.time_ns) / NS_PER_MS)
        if isinstance(message, TextFeatures) and self._worker.config.stream.publish_transcript:
            self._publish_transcript(message)

    def _score(self, time_ns: int | None) -> list[EmotionMessage]:
        try:
            return self._scorer.score(time_ns)
        except DeviceLostError as error:
            if time_ns is None:
                raise  # scores of a file must not come from one device for a while and then from another
            # What a failed device has left behind in this process cannot be trusted; a new one starts clean.
            self._switch.lost(str(error))
            self._scorer.degraded = f"{error}; starting again on the CPU"
            self._publish_health(last=True)
            raise RestartError(str(error)) from error

    def _time_score(self, message: EmotionMessage) -> None:
        if self._worker.config.pace == "lossless":
            return  # windows wait for their evidence there, however long it takes
        self._latencies.observe("inference", message.latency_ms.inference)
        self._latencies.observe("window", (message.time_ns - message.window.end_ns) / NS_PER_MS)
        if message.latency_ms.capture_to_score is not None:
            self._latencies.observe("score", message.latency_ms.capture_to_score)

    def _asked(self) -> int:
        """Return how many words the model is asked about: the vocabulary's, and those of the baseline."""
        return len(self._vocabulary.current.vectors) + self._extra_words

    def _choose_backend(self) -> None:
        self._switch.poll()
        chosen = self._switch.backend_for(self._asked())
        self._scorer.backend, self._scorer.degraded = chosen

    def _reload_vocabulary(self) -> None:
        forced = self._worker.reload.is_set()
        self._worker.reload.clear()
        if not self._vocabulary.poll(force=forced):
            return
        if self._vocabulary.error:
            self._worker.log.error("vocabulary not changed: %s", self._vocabulary.error)
        else:
            self._scorer.emotions = self._vocabulary.current
            self._worker.log.info("vocabulary is now %s", self._vocabulary.current.vocabulary.version)

    def _reload_points(self) -> None:
        if self._points is None or not self._points.poll():
            return
        if self._points.error:
            self._worker.log.error("neutral points not changed: %s", self._points.error)
        else:
            self._use_points(self._points.current)

    def _use_points(self, kept: KeptPoints) -> None:
        assert self._scorer.baseline is not None
        self._scorer.baseline.use(kept)
        if kept.other_model:
            self._worker.log.warning(
                "neutral points were kept for %s and are not used; run `emostream calibrate` again",
                kept.other_model,
            )
        elif kept.points:
            self._worker.log.info("neutral points in use for %s", ", ".join(kept.points))

    def _publish_transcript(self, message: TextFeatures) -> None:
        for utterance in message.utterances:
            words = [
                TranscriptWord(text=w.text, start_ns=w.start_ns, end_ns=w.end_ns, confidence=w.confidence)
                for w in utterance.words
            ]
            self._public.send(
                TranscriptMessage(
                    source=message.source,
                    seq=self._transcript_seq[message.source],
                    time_ns=message.time_ns,
                    utterance=utterance.id,
                    final=utterance.final,
                    words=words,
                )
            )
            self._transcript_seq[message.source] += 1

    def _publish_health(self, *, last: bool = False) -> None:
        if now_ns() < self._health_due_ns and not last:
            return
        self._health_due_ns = now_ns() + NS_PER_S
        if self._public.guarded is not None:
            look_after_clients(self._public.guarded, self._worker)
        self._public.send(
            self._health.snapshot(
                vocabulary=self._vocabulary.current.vocabulary.version,
                vocabulary_error=self._vocabulary.error,
                degraded=self._scorer.degraded,
                backend=self._scorer.backend.name,
                latency=self._latencies.summary(),
                ended=last and self._scorer.ended,
            )
        )
