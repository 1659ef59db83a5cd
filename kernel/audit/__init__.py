"""The append-only audit log: record, journal, chain, verification."""
