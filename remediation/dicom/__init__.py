"""Bytes in, values out: reading, locating, splicing and comparing heads."""
