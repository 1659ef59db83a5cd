"""Does a new version break anybody? Verdicts with findings."""
