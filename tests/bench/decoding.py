"""Records of a card decoded, against `construct` on the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import construct

from apdu import simple_tlv
from apdu.holder import Issuer
from apdu.profile import shipped_profiles
from hw_sim.cards.catalogue import make_card
from tests.bench.figure import Figure, often, paired

ROUNDS = 300
BATCH = 50
"""Decodings a round: one takes only microseconds."""

_RECORDS = construct.GreedyRange(
    construct.Struct(
        "tag" / construct.Byte, "value" / construct.Prefixed(construct.Byte, construct.GreedyBytes)
    )
)


def _digits() -> construct.Construct:
    return construct.ExprAdapter(
        construct.GreedyBytes, lambda raw, _: raw.hex().rstrip("f"), lambda text, _: text
    )


def _day() -> construct.Construct:
    return construct.ExprAdapter(
        construct.GreedyBytes, lambda raw, _: date.fromisoformat(raw.hex()), lambda day, _: day
    )


def _text() -> construct.Construct:
    return construct.ExprAdapter(
        construct.GreedyBytes,
        lambda raw, _: raw.rstrip(b"\0 ").decode("gb18030"),
        lambda text, _: text,
    )


_FIELDS = {
    0x01: ("card_id", construct.GreedyBytes),
    0x02: ("card_class", _text()),
    0x03: ("version", _text()),
    0x04: ("organisation", _digits()),
    0x05: ("issued", _day()),
    0x06: ("expires", _day()),
    0x07: ("card_number", _text()),
}
_ISSUER = construct.Struct(
    *(
        name
        / construct.FocusedSeq(
            "value",
            construct.Const(bytes((tag,))),
            "value" / construct.Prefixed(construct.Byte, form),
        )
        for tag, (name, form) in _FIELDS.items()
    )
)


def figures() -> Iterator[Figure]:
    """Decodings in a second, of the bytes of one EF05: bare records, and values."""
    data = _issuer_file()
    file = next(iter(shipped_profiles().values())).issuer_file
    if [item.value for item in _RECORDS.parse(data)] != [
        record.value for record in simple_tlv.decode(data)
    ]:
        raise AssertionError("the peer reads other records")
    ours = Issuer.from_records(file, simple_tlv.decode(data))
    theirs = _ISSUER.parse(data)
    if (ours.card_id, ours.issued, ours.card_number) != (
        theirs.card_id,
        theirs.issued,
        theirs.card_number,
    ):
        raise AssertionError("the peer reads other values")
    yield _rate("card.tlv", lambda: simple_tlv.decode(data), lambda: _RECORDS.parse(data))
    yield _rate(
        "card.records",
        lambda: Issuer.from_records(file, simple_tlv.decode(data)),
        lambda: _ISSUER.parse(data),
    )


def _rate(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> Figure:
    pairs = paired(often(ours, BATCH), often(peer, BATCH), ROUNDS)
    return Figure.rate(name, BATCH * 1000 / pairs.mine, BATCH * 1000 / pairs.theirs, "construct")


def _issuer_file() -> bytes:
    """EF05 of a simulated v3 card, as READ RECORD mode 5 answers it."""
    card = make_card("v3")
    card.power_on()
    card.execute(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"))
    answer = card.execute(bytes.fromhex("00B2012D00"))
    if answer is None or answer[-2:] != b"\x90\x00":
        raise AssertionError("the simulated card refused its EF05")
    return answer[:-2]
