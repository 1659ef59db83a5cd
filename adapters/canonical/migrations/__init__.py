"""Migrations of schema `canonical`, run by adapters/canonical/upgrade.py."""
