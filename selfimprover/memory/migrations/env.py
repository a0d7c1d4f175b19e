"""Runs the migrations on the connection that ``memory.engine`` hands over, each in one transaction."""

from alembic import context

from selfimprover.memory.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
