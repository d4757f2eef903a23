"""The only code that touches a filesystem."""
