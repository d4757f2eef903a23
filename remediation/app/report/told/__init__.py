"""What was found, told in sentences and lines, for page, workbook and command line alike."""
