"""The registry's HTTP API, served by connexion from its own frozen contract."""
