"""Where configuration and state are when nobody says otherwise (DESIGN §6). Cheap to import."""

from __future__ import annotations

from pathlib import Path

FIELD_CONFIG = Path("/etc/yikatong/terminal.toml")
FIELD_STATE = Path("/var/lib/yikatong")
DEMO_CONFIG = Path(".state/demo/terminal.toml")
DEMO_STATE = Path(".state/demo/terminal")
"""In the working directory: a checkout in which ``./run demo`` was started."""


def usual_config() -> Path | None:
    """The installed terminal's configuration, else that of a demo started here, else None."""
    return next((path for path in (FIELD_CONFIG, DEMO_CONFIG) if path.is_file()), None)


def usual_state() -> Path:
    """The installed terminal's state directory where it exists, else that of a demo here."""
    return FIELD_STATE if FIELD_STATE.is_dir() else DEMO_STATE
