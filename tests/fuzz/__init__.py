"""Fuzzing: bytes in, a head and rows out, whatever the bytes.

`make fuzz SECONDS=60`, or `PYTHONPATH=tests python -m fuzz 60`.
"""
