"""Migrations of schema `registry`: applied by registry/store/upgrade.py, never edited once released."""
