"""Alembic's environment and revisions; run by `call_core.storage.migrate`, never by hand."""
