"""The architecture board's pages."""
