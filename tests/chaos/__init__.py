"""Faults done to the whole daemon: `python -m tests.chaos`."""
