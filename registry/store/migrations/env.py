"""Alembic's environment for schema `registry`: on the connection that upgrade.py gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from registry.store import access_tables as _access  # noqa: F401 - adds its tables to the metadata
from registry.store import judging_tables as _judging  # noqa: F401 - as above
from registry.store import release_tables as _releases  # noqa: F401 - as above
from registry.store.tables import SCHEMA, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="schema_version",
    version_table_schema=SCHEMA if connection.dialect.name == "postgresql" else None,
    include_schemas=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
