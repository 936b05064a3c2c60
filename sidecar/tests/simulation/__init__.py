"""Deterministic simulation: the real pump and engine, and nothing else that is real.

Gateway, function and clock are made here, and all that is left to chance comes from one seed:
a history that fails is had again by its seed. `python -m sidecar.tests.simulation --help`, from
the root of the repository, runs more of them than the suite does.
"""
