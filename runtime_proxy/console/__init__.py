"""The operator's pages and metrics."""
