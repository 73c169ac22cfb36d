"""Opens an ONNX file on ONNX Runtime, the way all of the daemon does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

CPU = "CPUExecutionProvider"
_ERRORS_ONLY = 3


def open_session(
    model: Path,
    *,
    content: bytes | None = None,
    threads: int = 1,
    provider: str = CPU,
    options: Mapping[str, str] | None = None,
) -> ort.InferenceSession:
    """Open `model`.

    Args:
        model: The ONNX file.
        content: What to open in its place, such as a part of it.
        threads: CPU threads of one run.
        provider: ONNX Runtime's name of what runs it; what that cannot run, the CPU does.
        options: Of the provider.

    Raises:
        RuntimeError: ONNX Runtime cannot load it, or cannot load it with this provider.
    """
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    # It would remember where to put what for every shape it has seen: every number of words, windows, steps.
    settings.enable_mem_pattern = False
    # Spinning threads would burn whole cores between hops.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [(provider, dict(options or {}))] + ([(CPU, {})] if provider != CPU else [])
    try:
        session = ort.InferenceSession(content or str(model), settings, providers=providers)
    # ONNX Runtime's exceptions share no base class of their own.
    except Exception as error:
        raise RuntimeError(f"{model} cannot be loaded: {error}") from error
    if session.get_providers()[0] != provider:
        # ONNX Runtime goes on with the CPU where a provider's libraries are missing, and only logs it.
        raise RuntimeError(
            f"{model} cannot be loaded with {provider}: its libraries or its device are missing"
        )
    return session
