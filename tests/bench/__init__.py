"""The benchmark: this package beside pydicom, DCMTK, GDCM, dicomsdl, dicom-rs and the limit.

`make bench`, or `PYTHONPATH=tests python -m bench --help`.
"""
