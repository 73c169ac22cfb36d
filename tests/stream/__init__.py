"""Tests of `stream/`."""
