"""Alembic's environment: runs revisions on the connection that `migrate` hands over."""

from alembic import context

from call_core.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can do it too, once BEGIN is said by hand
)
with context.begin_transaction():
    context.run_migrations()
