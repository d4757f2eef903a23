"""One module per verb: options in, report out."""
