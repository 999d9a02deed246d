"""Benchmarks: what medcls costs and saves, as ratios within one run. Each file's docstring has its command."""
