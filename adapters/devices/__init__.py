"""One file per device adapter."""
