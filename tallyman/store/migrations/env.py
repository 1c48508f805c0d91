"""Alembic's entry: runs on the connection that Database.upgrade gives it."""

from alembic import context

from tallyman.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
