"""The contract as text: docs/platform-openapi.json."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hw_sim.platform.app import Settings, create_app
from hw_sim.platform.store import Store


def document() -> str:
    """The OpenAPI 3.1 document of the reference platform, as the committed file holds it."""
    with TemporaryDirectory() as folder:
        # Nothing of a database is in it, but without one there is no application.
        store = Store.open(Path(folder) / "platform.sqlite", date.today(), residents=())
        try:
            page = create_app(Settings(store=store)).openapi()
        finally:
            store.close()
    return json.dumps(page, ensure_ascii=False, indent=1) + "\n"
