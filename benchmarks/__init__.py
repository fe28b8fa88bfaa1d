"""Measurements of what the product promises about speed and memory. `python -m benchmarks` runs them all."""
