"""Runs the steps on the connection it is handed, in that connection's transaction."""

from alembic import context

from storage.sql.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
