"""The demo hospital: two archives, an EPD export, keys, a job file, and the truth about them.

Everything is drawn from a seed on the real headers of pydicom's sample files. Numbers are of the
test range, people and hospitals are fictitious, and no file of a user is ever opened for writing.
"""
