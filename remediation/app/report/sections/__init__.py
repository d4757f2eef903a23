"""The sections of the page: one module each, counts in, what is shown out."""
