"""TensorRT: engines built on this machine (or for another card), proved against ONNX Runtime, and run.

Nothing here is imported before `presence` has found a TensorRT: its libraries are large.
"""
