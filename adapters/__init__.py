"""Devices, partners and core systems: everything that speaks a foreign protocol."""
