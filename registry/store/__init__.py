"""The registry schema in SQL: tables and one file per aggregate."""
