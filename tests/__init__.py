"""What crosses packages. Its package `servers` is for the tests of all, and for the benchmarks."""
