"""Benchmarks: each prints one line, a figure beside its limit or its peer of the same run."""
