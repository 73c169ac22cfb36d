"""What people see and use of a daemon that runs: the page, and the example programs."""
