"""Finds where the BSN stands in archived DICOM headers, and corrects it."""
