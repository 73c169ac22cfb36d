"""What emostream costs on this machine: `make bench`, or `python -m workers.bench COMMAND`."""
