"""What a process tells of itself while it runs: its log, its metrics, its traces.

Nothing here decides anything, and what is off costs nothing: `prometheus_client` and
`opentelemetry` are imported by the modules that need them, and those only where somebody asked.
"""
