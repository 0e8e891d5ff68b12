"""The platform's database: opened, seeded when new, and its single facts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from hw_sim.platform.databases import close, engine_for, exclusive
from hw_sim.platform.model import EnrolmentCode, Setting
from hw_sim.platform.schema import upgrade
from hw_sim.platform.seed import seed
from hw_sim.platform.signatures import Sm2Key
from hw_sim.population import Resident, population

_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def code_digest(code: str) -> str:
    """How an enrolment code is kept: SM3 in hex, of the code without spaces and dashes."""
    plain = code.upper().replace("-", "").replace(" ", "")
    return hashlib.new("sm3", plain.encode()).hexdigest()


def _pair(text: str) -> Sm2Key:
    key = bytes.fromhex(text)
    return Sm2Key(key[:32], key[32:])


class Store:
    """An open database.

    Attributes:
        sessions: a session is one transaction. On SQLite the driver begins it with the first
            write, so that reading before it never holds the lock.
        key: the platform's SM2 key, to sign with.
        encryption_key: what bundles are encrypted to (``bundles``).
        as_of: the day that the residents' records show.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = sessionmaker(engine, expire_on_commit=False)
        with self.sessions() as session:
            facts = {row.name: row.value for row in session.scalars(select(Setting))}
        self.key = _pair(facts["platform_key"])
        self.encryption_key = _pair(facts["encryption_key"])
        self.as_of = date.fromisoformat(facts["as_of"])
        self.catalogue_version = facts["catalogue_version"]

    @classmethod
    def open(
        cls, database: Path | str, as_of: date, residents: Sequence[Resident] | None = None
    ) -> Store:
        """Open a database (see ``engine_for``) and bring its tables up to date; a new one is seeded
        for ``as_of`` with ``residents`` (the population).

        An existing database keeps its own date and key.

        Raises:
            UnusableDatabase: not a database that this program can serve.
        """
        engine = engine_for(database)
        with exclusive(engine) as connection:
            upgrade(connection)
            with Session(connection) as session:
                if session.get(Setting, "platform_key") is None:
                    seed(session, population() if residents is None else residents, as_of)
                for name in ("platform_key", "encryption_key"):
                    if session.get(Setting, name) is None:
                        pair = Sm2Key.generate()
                        key = (pair.private + pair.public).hex()
                        session.add(Setting(name=name, value=key))
                session.flush()
        return cls(engine)

    def new_enrolment_code(self) -> str:
        """A fresh one-time code, ``XXXX-XXXX``; only its digest is kept."""
        code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
        with self.sessions.begin() as session:
            session.add(EnrolmentCode(digest=code_digest(code)))
        return f"{code[:4]}-{code[4:]}"

    def close(self) -> None:
        close(self._engine)
