"""A fake NVIDIA GPU, for tests on machines that have none.

`tensorrt` and `cuda` in this folder have the names and the rules of the real ones as far as emostream uses them,
and compute with ONNX Runtime in the memory of the host. With this folder first on the module path, everything of
emostream that builds, proves, measures and runs engines does so on the fake. That it offers nothing that the real
ones lack is checked against them.

What happens to the GPU is up to the test: a JSON file, named by EMOSTREAM_FAKE_GPU and read at every call, may
hold

- `lost`: the CUDA error that every call gives from now on, such as CUDA_ERROR_ILLEGAL_ADDRESS
- `hangs`: true for runs that never end
- `wrong`: the precisions whose engines answer wrongly, such as ["fp16"]
- `room`: how many bytes of memory there are, for host and GPU together
- `capture`: false for engines that cannot be captured as a CUDA graph
- `fast`: true for engines that answer at once what they have been asked before
- `builds_wait`: true for builds that go on once it is no longer so
- `build_fails`: what TensorRT says of a network that it cannot build
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from models.cache import cache_folder

FOLDER = Path(__file__).parent


def environment(folder: Path) -> dict[str, str]:
    """Return what gives a process the fake GPU, and a cache folder of its own in `folder`.

    The state of the GPU is in `folder / "gpu.json"`; without that file it is well. The cache folder has the assets
    of the real one, but no engines.
    """
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for entry in cache_folder().glob("*"):
        if entry.name not in ("engines", "verdicts", "locks") and not (cache / entry.name).exists():
            (cache / entry.name).symlink_to(entry)
    # emostream looks for the driver's library before it asks Python for anything.
    subprocess.run(
        ["cc", "-shared", "-x", "c", "/dev/null", "-o", str(folder / "libcuda.so.1")], check=True, timeout=60
    )
    return {
        "PYTHONPATH": f"{FOLDER}:{FOLDER.parent.parent}",
        "LD_LIBRARY_PATH": f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}",
        "EMOSTREAM_FAKE_GPU": str(folder / "gpu.json"),
        "EMOSTREAM_CACHE": str(cache),
    }
