"""The platform's database file: opened, seeded when new, and its single facts."""

from __future__ import annotations

import hashlib
import secrets
import stat
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from hw_sim.platform.model import Base, EnrolmentCode, Setting
from hw_sim.platform.seed import seed
from hw_sim.platform.signatures import Sm2Key
from hw_sim.population import Resident, population

_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def _configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def code_digest(code: str) -> str:
    """How an enrolment code is kept: SM3 in hex, of the code without spaces and dashes."""
    plain = code.upper().replace("-", "").replace(" ", "")
    return hashlib.new("sm3", plain.encode()).hexdigest()


class Store:
    """An open database.

    Attributes:
        sessions: a session is one transaction; the driver begins it with the first write, so that
            reading before it never holds the lock.
        key: the platform's SM2 key.
        as_of: the day that the residents' records show.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = sessionmaker(engine, expire_on_commit=False)
        with self.sessions() as session:
            facts = {row.name: row.value for row in session.scalars(select(Setting))}
        key = bytes.fromhex(facts["platform_key"])
        self.key = Sm2Key(key[:32], key[32:])
        self.as_of = date.fromisoformat(facts["as_of"])
        self.catalogue_version = facts["catalogue_version"]

    @classmethod
    def open(
        cls, database: Path, as_of: date, residents: Sequence[Resident] | None = None
    ) -> Store:
        """Open the file; a new one is seeded for ``as_of`` with ``residents`` (the population).

        An existing database keeps its own date and key.
        """
        # Readable by its owner only: it holds the platform's key.
        database.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        # hide_parameters: an SQL error must not carry residents' data into a log.
        engine = create_engine(
            f"sqlite:///{database}", hide_parameters=True, connect_args={"timeout": 30}
        )
        event.listen(engine, "connect", _configure)
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            if session.get(Setting, "platform_key") is None:
                seed(session, population() if residents is None else residents, as_of)
                pair = Sm2Key.generate()
                key = (pair.private + pair.public).hex()
                session.add(Setting(name="platform_key", value=key))
                session.commit()
        return cls(engine)

    def new_enrolment_code(self) -> str:
        """A fresh one-time code, ``XXXX-XXXX``; only its digest is kept."""
        code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
        with self.sessions.begin() as session:
            session.add(EnrolmentCode(digest=code_digest(code)))
        return f"{code[:4]}-{code[4:]}"

    def close(self) -> None:
        self._engine.dispose()
