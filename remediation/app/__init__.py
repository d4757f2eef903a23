"""The edges: command line, job file, Dask, demo hospital, report."""
