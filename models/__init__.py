"""What computes: extractors, embedding spaces, the network, inference backends, assets and training."""

import os

# ONNX Runtime from 1.29 on reports its use to its maker, unless it was told not to before its first import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
