"""Tests of the personal baseline."""
