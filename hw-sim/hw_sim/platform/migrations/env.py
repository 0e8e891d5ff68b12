"""Run by Alembic: the steps go over the connection, and in the transaction, that its caller has."""

from alembic import context

from hw_sim.platform.model import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
