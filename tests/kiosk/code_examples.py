"""The examples that the demo pack gives of its code families."""

from __future__ import annotations

import tomllib

from kiosk.codes import CodeFamily
from tests.kiosk.terminal_double import _PACK

TABLES = tomllib.loads((_PACK.folder / "pack.toml").read_text("utf-8"))["codes"]


def example(family: CodeFamily) -> bytes:
    """The first example of a family."""
    text: str = TABLES[family.value]["examples"][0]
    return text.encode()
