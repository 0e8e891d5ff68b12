from __future__ import annotations

from collections.abc import Iterator

import pytest

from hw_sim.cards.iso7816 import Card
from tests.hw_sim.card_terminal import Ask


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Gives a card one command in hex; its data and status word. The card must have no bug."""
    asked: list[Card] = []

    def give(card: Card, command: str) -> tuple[bytes, int]:
        asked.append(card)
        answer = card.execute(bytes.fromhex(command))
        assert answer is not None
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    yield give
    assert [bug for card in asked for bug in card.bugs] == []
