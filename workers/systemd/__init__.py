"""Runs the workers as services of systemd, each with what it needs and nothing else."""
