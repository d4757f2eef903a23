"""Values and rules, pure: no files, no Arrow, no DICOM library."""
