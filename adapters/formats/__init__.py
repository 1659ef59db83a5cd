"""Meaning, no connections."""
