"""One file per partner adapter."""
