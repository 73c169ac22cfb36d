"""Stands in for NVIDIA's `cuda.bindings`."""
