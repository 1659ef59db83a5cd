"""Templates of the board's pages."""
