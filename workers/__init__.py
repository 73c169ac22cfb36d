"""Who runs: one file a worker, each a thin loop of sockets around one object of `models`."""
