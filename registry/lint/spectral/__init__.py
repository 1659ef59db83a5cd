"""Rulesets in Spectral's format: read, refused where something is not known, and run without any JavaScript."""
