"""A database's tables, brought to what this program knows; the steps are in ``migrations/``."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from hw_sim.platform.databases import UnusableDatabase

_OURS = "persons"
"""A table that every database of the platform has, whatever program made it."""


def upgrade(connection: Connection) -> tuple[str | None, str]:
    """Bring the tables to the newest revision, within the connection's transaction.

    Returns:
        The revision before (null: a new database, or one from before there were revisions) and now.

    Raises:
        UnusableDatabase: a newer program's, or somebody else's; nothing is changed then.
    """
    config = Config()
    # A percent sign begins an interpolation there.
    folder = str(files("hw_sim.platform").joinpath("migrations")).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    assert newest is not None
    before = MigrationContext.configure(connection).get_current_revision()
    if before == newest:
        return before, newest
    known = {revision.revision for revision in script.walk_revisions()}
    if before is not None and before not in known:
        raise UnusableDatabase(
            f"the database is of a newer program: revision {before}, this one knows {newest}"
        )
    tables = inspect(connection).get_table_names()
    if before is None and tables and _OURS not in tables:
        raise UnusableDatabase("the database holds somebody else's tables")
    command.upgrade(config, "head")
    return before, newest
