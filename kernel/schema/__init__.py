"""JSON Schema as the contracts mean it, compiled once."""
