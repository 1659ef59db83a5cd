"""Templates and styles of all pages."""
