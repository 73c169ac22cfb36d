"""Tests of the TensorRT backend, on a fake GPU where there is none."""
