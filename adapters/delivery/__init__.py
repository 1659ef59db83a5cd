"""Canonical events on their way out."""
