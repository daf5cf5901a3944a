"""The parent's side of a worker process: spawn, protocol, shared memory, watchdog."""
