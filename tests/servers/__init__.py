"""Real servers for tests and benchmarks: started here, on the loopback, and ended with the run."""
