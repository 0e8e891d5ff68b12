"""The response APDU."""

import pytest

from apdu.errors import MalformedAnswer
from apdu.response import Response


def test_status_word_is_split_off() -> None:
    response = Response.parse(bytes.fromhex("CAFE9000"))
    assert (response.data, response.sw, response.ok) == (b"\xca\xfe", 0x9000, True)
    assert not Response.parse(b"\x62\x82").ok


def test_the_longest_answer() -> None:
    assert len(Response.parse(bytes(65538)).data) == 65536


@pytest.mark.parametrize("size", [0, 1, 65539])
def test_impossible_sizes_are_malformed(size: int) -> None:
    with pytest.raises(MalformedAnswer):
        Response.parse(bytes(size))


def test_repr_shows_no_data() -> None:
    assert repr(Response(b"\xca\xfe", 0x9000)) == "Response(2 bytes, sw=9000)"
