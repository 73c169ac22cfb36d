"""Malformed input for every decoder."""
