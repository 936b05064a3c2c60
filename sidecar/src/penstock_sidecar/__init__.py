"""The streaming processor: reads streams in windows, calls a function, publishes its outputs."""
