"""Benchmarks: one module an area; `python -m tools.bench` measures them and writes bench.json."""
