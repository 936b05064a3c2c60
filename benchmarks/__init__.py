"""Measures speed and size of the data path; every figure is a ratio or a value of one run."""
