"""The steps from one schema to the next (Alembic); ``hw_sim.platform.schema`` takes them."""
