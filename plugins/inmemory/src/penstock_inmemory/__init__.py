"""InMemoryGateway: streams in the memory of one process."""
