"""The benchmark of truth: planted broken periods, and fields of known kind, against what is found.

`make bench-periods`, or `PYTHONPATH=tests python -m bench.periods --help`.
"""
