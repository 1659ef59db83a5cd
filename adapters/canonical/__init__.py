"""Inbox, events, resources, outbox: one database, one transaction."""
