"""Validity of documents and house rules."""
