"""The report: one offline HTML page and a workbook, from whatever stages have run."""
