"""What computes: assets, the bundle, the vocabulary, the backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime

from models.assets import AssetError, asset_status, find_asset
from models.backends import BackendError, open_backend
from models.backends.candidates import Candidate, find_candidates
from models.backends.precision import TOLERANCE
from models.bundle import Bundle
from models.opening import open_bundle, open_bundle_space, open_emotions
from stream.config import Config
from stream.errors import UserError
from workers.doctor.findings import Finding, Status


def examine_models(config: Config) -> Iterator[Finding]:
    """Yield whether all that computes is there and works."""
    for name in _extractor_assets(config):
        yield _asset(name)
    yield from _transcriber(config)
    try:
        bundle = open_bundle(config)
    except UserError as error:
        yield Finding(
            "models", f"bundle {config.inference.bundle}", Status.FAIL, str(error), "see `inference.bundle`"
        )
        return
    words = sum(len(words) for words in bundle.words.values())
    yield Finding(
        "models",
        f"bundle {bundle.version}",
        Status.OK,
        f"trained on {words} words in {bundle.space}; {bundle.licence}",
    )
    yield _asset(bundle.space)
    yield _vocabulary(config, bundle)
    yield _backend(config, bundle)
    yield from _accelerators(config, bundle)


def _extractor_assets(config: Config) -> Iterator[str]:
    if any(source.has_video for source in config.sources):
        yield "face_landmarker"
    if any(source.has_audio for source in config.sources):
        yield "silero-vad"


def _asset(name: str, *, needed: bool = True) -> Finding:
    try:
        status = asset_status(name)
    except AssetError as error:
        return Finding("models", name, Status.FAIL, str(error), "emostream assets list")
    if status.path is not None:
        size = find_asset(name).size
        return Finding("models", name, Status.OK, "verified" + (f", {size / 1e6:.1f} MB" if size else ""))
    bad = Status.FAIL if needed else Status.WARN
    return Finding("models", name, bad, status.problem, f"emostream assets fetch {name}")


def _transcriber(config: Config) -> Iterator[Finding]:
    """Yield whether the words can be heard; with `auto` one of the two engines is enough."""
    settings = config.transcript
    if settings.engine == "off" or not any(source.has_audio for source in config.sources):
        return
    engines = {"vosk": settings.vosk_model, "whisper": settings.whisper_model}
    if settings.engine != "auto":
        yield _speech_model(settings.engine, engines[settings.engine])
        return
    findings = [_speech_model(engine, model) for engine, model in engines.items()]
    if any(finding.status is Status.OK for finding in findings):
        taken = next(finding for finding in findings if finding.status is Status.OK)
        for finding in findings:
            if finding is taken:
                yield Finding("models", finding.name, Status.OK, f"{finding.detail}; `auto` takes it")
            elif finding.status is not Status.OK:
                # The other engine does the work: nothing is amiss.
                yield Finding("models", finding.name, Status.WARN, finding.detail, finding.remedy)
    else:
        yield from findings


def _speech_model(engine: str, model: str) -> Finding:
    name = f"transcriber {engine}"
    if Path(model).expanduser().is_dir():
        return Finding("models", name, Status.OK, model)
    found = _asset(model)
    return Finding("models", name, found.status, f"{model}: {found.detail}", found.remedy)


def _vocabulary(config: Config, bundle: Bundle) -> Finding:
    try:
        emotions = open_emotions(Path(config.vocabulary), open_bundle_space(bundle))
    except UserError as error:
        return Finding("models", "vocabulary", Status.FAIL, str(error), "emostream vocabulary check FILE")
    names = ", ".join(emotion.name for emotion in emotions.vocabulary.emotions)
    return Finding("models", "vocabulary", Status.OK, f"{emotions.vocabulary.version}: {names}")


def _backend(config: Config, bundle: Bundle) -> Finding:
    """Run the bundle's stored inputs and compare."""
    threads = config.inference.threads
    what = f"onnxruntime {onnxruntime.__version__}, {threads} thread{'s' * (threads > 1)}"
    try:
        inputs, expected = bundle.check_arrays()
        outputs = open_backend(bundle, threads=threads).run(inputs)
    except UserError as error:
        return Finding(
            "models", "backend", Status.FAIL, f"{what}: {error}", "pip install --upgrade onnxruntime"
        )
    worst = max(float(np.abs(outputs[name] - values).max()) for name, values in expected.items())
    if worst > TOLERANCE["fp32"]:
        remedy = "do not trust these scores: install another onnxruntime, or copy the bundle again"
        return Finding(
            "models", "backend", Status.FAIL, f"{what}: off by {worst:.1e} from the stored results", remedy
        )
    return Finding("models", "backend", Status.OK, f"{what}; agrees with the stored results to {worst:.0e}")


def _accelerators(config: Config, bundle: Bundle) -> Iterator[Finding]:
    """Yield whether what may be faster than the CPU works, and agrees with it."""
    kind = config.inference.backend
    try:
        candidates = find_candidates(kind)
    except BackendError as error:
        yield Finding(
            "models", f"backend {kind}", Status.FAIL, str(error), "or set `inference.backend: auto`"
        )
        return
    if len(candidates) == 1:
        yield Finding("models", "accelerators", Status.OK, "none here; the model runs on the CPU")
    for candidate in candidates[:-1]:
        yield _accelerator(candidate, bundle, config.inference.threads)


def _accelerator(candidate: Candidate, bundle: Bundle, threads: int) -> Finding:
    try:
        backend = candidate.open(bundle, threads)
    except BackendError as error:
        # The daemon works without, on the CPU, and prepares what can be prepared by itself.
        return Finding(
            "models",
            f"backend {candidate.name}",
            Status.WARN,
            str(error),
            "emostream engine build, or set `inference.backend: onnxruntime`",
        )
    name = backend.name
    backend.close()
    return Finding(
        "models", f"backend {candidate.name}", Status.OK, f"{name}; agrees with ONNX Runtime on the CPU"
    )
