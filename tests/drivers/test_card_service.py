"""Finding a reader by a part of its name."""

import pytest

from apdu.errors import ReaderGone
from drivers.card_service import ReaderState, find_reader


def test_the_first_reader_with_the_part_is_found():
    states = [ReaderState(name, False, False, b"") for name in ("PSAM 00", "Slot 00", "Slot 01")]
    assert find_reader(states, "Slot").name == "Slot 00"
    with pytest.raises(ReaderGone, match="Contact"):
        find_reader(states, "Contact")
