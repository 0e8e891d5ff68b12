"""The tables of a platform's database, revision by revision, on both databases."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, select, text

from hw_sim.platform.databases import UnusableDatabase, engine_for, exclusive
from hw_sim.platform.migrations import versions
from hw_sim.platform.model import Base, Person
from hw_sim.platform.schema import upgrade
from hw_sim.platform.store import Store
from hw_sim.population import population
from tests.hw_sim.platform_terminal import AS_OF, NOW, rows, running
from tests.hw_sim.postgres import Postgresql

FEW = population()[:2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Without a single table."""
    if request.param == "sqlite":
        return tmp_path / "platform.sqlite"
    server: Postgresql = request.getfixturevalue("postgresql_server")
    return server.new_database()


@pytest.fixture
def engine(database: Path | str) -> Iterator[Engine]:
    engine = engine_for(database)
    yield engine
    engine.dispose()


def revision(database: Path | str) -> list[tuple[str]]:
    return [(str(one),) for (one,) in rows(database, "SELECT version_num FROM alembic_version")]


def newest() -> str:
    """The number of the last file."""
    files = importlib.resources.files(versions).iterdir()
    return max(file.name for file in files if file.name[0].isdigit())[:4]


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, Base.metadata))


def test_the_revisions_make_what_the_models_say(engine: Engine) -> None:
    with exclusive(engine) as connection:
        assert upgrade(connection) == (None, newest())
    assert differences(engine) == []
    with exclusive(engine) as connection:
        assert upgrade(connection) == (newest(), newest())


def test_a_difference_would_be_seen(engine: Engine) -> None:
    with exclusive(engine) as connection:
        upgrade(connection)
        connection.execute(text("ALTER TABLE alarms ADD COLUMN more VARCHAR"))
        connection.execute(text("DROP TABLE tickets"))
    assert len(differences(engine)) >= 2


def test_sqlite_gets_the_tables_that_the_models_would_make(tmp_path: Path) -> None:
    # What a comparison of columns doesn't see: clustered tables, numbers given by the database.
    made = {}
    for name in ("revisions", "models"):
        engine = engine_for(tmp_path / name)
        with exclusive(engine) as connection:
            if name == "models":
                Base.metadata.create_all(connection)
            else:
                upgrade(connection)
                connection.execute(text("DROP TABLE alembic_version"))
        chosen = "SELECT name, sql FROM sqlite_master ORDER BY name"
        made[name] = {
            name: " ".join(str(sql).replace(", ", " ").split())
            for name, sql in rows(tmp_path / name, chosen)
        }
        engine.dispose()
    assert made["revisions"].keys() == made["models"].keys()
    for name, sql in made["models"].items():
        assert ("WITHOUT ROWID" in made["revisions"][name]) == ("WITHOUT ROWID" in sql), name
        assert sorted(made["revisions"][name].split()) == sorted(sql.split()), name


def test_a_database_from_before_revisions_is_taken_over(
    database: Path | str, engine: Engine
) -> None:
    with running(database) as (server, terminal):
        before = terminal.call("GET", "/v1/catalogue").document
        ids = server.terminal_ids()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with running(database, clock=lambda: float(NOW)) as (server, terminal):
        assert terminal.call("GET", "/v1/catalogue").document == before
        assert set(server.terminal_ids()) >= set(ids)
    assert revision(database) == [(newest(),)]
    assert differences(engine) == []


def test_a_database_that_lacks_the_newer_tables_gets_them(
    database: Path | str, engine: Engine
) -> None:
    early = MetaData()
    for name in ("persons", "settings", "terminals"):
        Base.metadata.tables[name].to_metadata(early)
    with engine.begin() as connection:
        early.create_all(connection)
        connection.execute(
            text("INSERT INTO terminals VALUES ('T429900-0001', 'SN-0001', :key, 1)"),
            {"key": "00" * 64},
        )
    Store.open(database, AS_OF, FEW).close()
    assert differences(engine) == []
    assert rows(database, "SELECT id FROM terminals") == [("T429900-0001",)]


def test_a_newer_programs_database_is_refused_and_left_alone(
    database: Path | str, engine: Engine
) -> None:
    Store.open(database, AS_OF, FEW).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DROP TABLE tickets"))
    with pytest.raises(UnusableDatabase, match=f"newer program: revision 9999, .* {newest()}"):
        Store.open(database, AS_OF)
    assert revision(database) == [("9999",)]
    assert "tickets" not in inspect(engine).get_table_names()


def test_somebody_elses_tables_are_left_alone(database: Path | str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER PRIMARY KEY)"))
    with pytest.raises(UnusableDatabase, match="somebody else's"):
        Store.open(database, AS_OF)
    assert inspect(engine).get_table_names() == ["invoices"]


def test_what_breaks_off_leaves_nothing_half_done(
    database: Path | str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hw_sim.platform.store.seed", broken)
        with pytest.raises(KeyboardInterrupt):
            Store.open(database, AS_OF, FEW)
    assert inspect(engine).get_table_names() == []
    Store.open(database, AS_OF, FEW).close()
    assert differences(engine) == []


def test_two_that_start_at_once_fill_it_once(database: Path | str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store.open(database, AS_OF, FEW), range(4)))
    assert len({store.key.public for store in stores}) == 1
    with stores[0].sessions() as session:
        assert len(session.scalars(select(Person)).all()) == len(FEW)
    for store in stores:
        store.close()


def test_numbers_beyond_32_bits_are_kept(database: Path | str) -> None:
    store = Store.open(database, AS_OF, FEW)
    with store.sessions.begin() as session:
        session.execute(text("UPDATE pension_accounts SET account_fen = 1099511627775"))
    assert rows(database, "SELECT DISTINCT account_fen FROM pension_accounts") == [
        (1_099_511_627_775,)
    ]
    store.close()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mysql://platform:tell-nobody@127.0.0.1/platform", "SQLite, or postgresql"),
        ("postgresql://platform:tell-nobody@127.0.0.1:port/x", "cannot be read"),
        ("postgresql://platform:tell-nobody@127.0.0.1:1/x", "cannot be opened"),
    ],
)
def test_a_wrong_place_is_told_without_its_password(place: str, told: str) -> None:
    with pytest.raises(UnusableDatabase, match=told) as refused:
        Store.open(place, AS_OF)
    assert "tell-nobody" not in str(refused.value)
    assert refused.value.__cause__ is None


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hw_sim.platform", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    file = str(tmp_path / "platform.sqlite")
    first, second = (command("migrate", "--database", file) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"revision none -> {newest()}\n")
    assert (second.returncode, second.stdout) == (0, f"at revision {newest()} already\n")
    assert rows(tmp_path / "platform.sqlite", "SELECT count(*) FROM settings") == [(0,)]


def test_a_database_that_cannot_be_served_ends_with_1(tmp_path: Path) -> None:
    for name in ("serve", "migrate"):
        ended = command(name, "--database", "postgresql://platform:tell-nobody@127.0.0.1:1/x")
        assert ended.returncode == 1
        assert "cannot be opened" in ended.stderr
        assert "tell-nobody" not in ended.stderr
        assert "Traceback" not in ended.stderr
    missing = command("migrate", "--database", str(tmp_path / "nowhere" / "platform.sqlite"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
