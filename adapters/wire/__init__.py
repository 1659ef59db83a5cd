"""Bytes and connections, no meaning."""
