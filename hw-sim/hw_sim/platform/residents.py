"""What the demo province's records are made from (``residents.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def facts() -> Mapping[str, Any]:
    """The whole file."""
    text = files("hw_sim.platform").joinpath("residents.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def unit_numbers() -> Mapping[str, str]:
    """Unit number (aab001) of every employer, by name (aab004)."""
    return {unit["name"]: unit["number"] for unit in facts()["employers"]["units"]}
