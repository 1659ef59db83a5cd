"""Sealed payloads: encryption at rest for what may hold health data."""
