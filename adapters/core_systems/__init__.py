"""One file per core-system adapter."""
