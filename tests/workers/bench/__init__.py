"""Tests that the benchmarks run and count what they say they count; none of them times anything."""
