"""`python -m remediation` is the command line."""

from remediation.app.cli import main

main()
