"""Bundles that are cut short, changed, another's, or claim what is not so: nothing is taken in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.platform.bundles import Bundle, BundleRefused, Fault
from hw_sim.platform.signatures import Sm2Key, Sm2Sm3
from hw_sim.platform.store import Store
from tests.hw_sim.bundle_parts import recorded, some_parts, take_in
from tests.hw_sim.bundle_terminal import (
    ALARMS,
    EVENTS,
    BundleText,
    Part,
    bundle_text,
    changed,
    record,
    sm3,
)
from tests.hw_sim.platform_terminal import Stage, Terminal


def refused(store: Store, stick: Path, content: bytes) -> Fault:
    """Why; and that there are no receipts then."""
    with pytest.raises(BundleRefused) as caught:
        take_in(store, stick, content)
    assert not (stick / "a.receipts").exists()
    return caught.value.fault


def test_cut_short_at_any_length_it_is_refused(
    stage: Stage, store: Store, terminal: Terminal
) -> None:
    content = bundle_text(terminal, some_parts(terminal, 2)).signed()
    for length in range(len(content)):
        with pytest.raises(BundleRefused) as caught:
            Bundle(BytesIO(content[:length]), lambda _: terminal.public, store.encryption_key)
        assert caught.value.fault in (Fault.NOT_A_BUNDLE, Fault.SIGNATURE)
    assert recorded(stage, terminal) == 0


def test_with_any_byte_changed_it_is_refused(
    stage: Stage, store: Store, terminal: Terminal
) -> None:
    content = bundle_text(terminal, some_parts(terminal, 2)).signed()

    def public_key_of(terminal_id: str) -> bytes | None:
        return terminal.public if terminal_id == terminal.terminal_id else None

    def opened(text: bytes) -> int:
        return len(list(Bundle(BytesIO(text), public_key_of, store.encryption_key).messages()))

    assert opened(content) == 2
    for at in range(len(content)):
        spoilt = bytearray(content)
        spoilt[at] ^= 1 << at % 8
        with pytest.raises(BundleRefused):
            opened(bytes(spoilt))
    assert recorded(stage, terminal) == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_terminal_signs_no_nonsense_is_taken_in(
    stage: Stage, store: Store, data: st.DataObject
) -> None:
    """A terminal whose program is broken, or whose key was stolen."""
    terminal = stage.terminal
    parts = [Part(n, ALARMS, f"n-{n}", b"{}") for n in (1, 2, 3)]
    good = bundle_text(terminal, parts, chunk=2).unsigned()
    text = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    signer = Sm2Sm3(private_key=Sm2Key(terminal.private, terminal.public))
    signature = signer.sign(b"yikatong bundle 1\0" + sm3(bytes(text)))
    stream = BytesIO(bytes(text) + signature)
    found = []
    try:
        for message in Bundle(stream, lambda _: terminal.public, store.encryption_key).messages():
            found.append(message)
        assert bytes(text) == good
    except BundleRefused:
        assert bytes(text) != good
    assert [message.seq for message in found] == [1, 2, 3][: len(found)]


def test_another_terminal_s_bundle_is_that_terminal_s(
    stage: Stage, store: Store, terminal: Terminal, stick: Path
) -> None:
    other = stage.another_terminal()
    text = bundle_text(terminal, some_parts(terminal, 2))
    assert refused(store, stick, changed(text, name=other.terminal_id.encode())) is Fault.SIGNATURE
    # Signed by the other, with messages that the first one made: they are the other's then.
    taken = take_in(store, stick, changed(text, terminal=other))
    assert taken.terminal_id == other.terminal_id
    assert recorded(stage, terminal) == 0


@pytest.mark.parametrize(
    "name", [b"T429900-9999", b"../../etc/passwd", b"T429900-0001/../", b"", b"T429900-00\x000001"]
)
def test_a_terminal_that_nobody_enrolled_is_refused(
    store: Store, terminal: Terminal, stick: Path, name: bytes
) -> None:
    fault = refused(store, stick, changed(bundle_text(terminal, some_parts(terminal)), name=name))
    assert fault is (Fault.UNKNOWN_TERMINAL if name == b"T429900-9999" else Fault.NOT_A_BUNDLE)


def test_a_bundle_for_another_platform_is_refused(
    store: Store, terminal: Terminal, stick: Path
) -> None:
    text = bundle_text(terminal, some_parts(terminal))
    assert refused(store, stick, changed(text, to=Sm2Key.generate().public)) is Fault.ANOTHER_KEY
    sealed = bytes(113)
    assert refused(store, stick, changed(text, sealed_key=sealed)) is Fault.ANOTHER_KEY


@pytest.mark.parametrize("change", [{"magic": b"YKTR"}, {"version": 2}])
def test_another_kind_of_file_is_refused(
    store: Store, terminal: Terminal, stick: Path, change: dict[str, Any]
) -> None:
    text = bundle_text(terminal, some_parts(terminal))
    assert refused(store, stick, changed(text, **change)) is Fault.NOT_A_BUNDLE


def claims(text: BundleText) -> Iterator[BundleText]:
    first, last, count, chunks = text.seqs[0], text.seqs[-1], len(text.seqs), len(text.chunks)
    for claimed in (
        (first, last, 0xFFFFFFFF, chunks),
        (first, last, count, chunks - 1),
        (first - 1, last, count, chunks),
        (first, 1 << 63, count, chunks),
    ):
        yield BundleText(text.terminal, text.to, text.chunks, text.seqs, claimed=claimed)
    for lengths in ((0xFFFFFFFF,), (1 << 18,), (16,), (1,)):
        yield BundleText(text.terminal, text.to, text.chunks, text.seqs, lengths=lengths)
    part = Part(1, EVENTS, "key", b"{}")
    whole = record(part)
    for chunk in (
        whole[:-1],
        whole + b"\0",
        record(part._replace(endpoint=3)),
        record(part._replace(key="")),
        record(part._replace(key="a b")),
        record(part._replace(key="k" * 65)),
        record(part._replace(body=bytes(131_073))),
        whole[:13] + struct.pack(">I", 0xFFFFFFFF) + b"{}",
    ):
        yield BundleText(text.terminal, text.to, [chunk], [1])
    long = b"".join(record(Part(seq, EVENTS, "key", bytes(131_000))) for seq in (1, 2, 3))
    yield BundleText(text.terminal, text.to, [whole + whole], [1, 1])
    yield BundleText(text.terminal, text.to, [record(part._replace(seq=0))], [0])
    yield BundleText(text.terminal, text.to, [long], [1, 2, 3])


def test_what_claims_too_much_is_refused(store: Store, terminal: Terminal) -> None:
    for text in claims(bundle_text(terminal, some_parts(terminal, 6))):
        with pytest.raises(BundleRefused) as caught:
            bundle = Bundle(BytesIO(text.signed()), lambda _: terminal.public, store.encryption_key)
            list(bundle.messages())
        assert caught.value.fault in (Fault.MALFORMED, Fault.NOT_A_BUNDLE)


def test_a_device_that_answers_otherwise_the_second_time_is_not_believed(
    store: Store, terminal: Terminal
) -> None:
    """Chunks of a bundle that somebody else made take the place of the verified ones."""
    good = bundle_text(terminal, [Part(1, ALARMS, "good", b"{}")])
    evil = BundleText(
        terminal, good.to, [record(Part(1, ALARMS, "evil", b"{}"))], [1], key=b"k" * 16
    )
    stream = BytesIO(good.signed())
    bundle = Bundle(stream, lambda _: terminal.public, store.encryption_key)
    stream.seek(0)
    stream.write(evil.unsigned())
    with pytest.raises(BundleRefused):
        list(bundle.messages())


def test_chunks_in_another_order_are_not_believed(store: Store, terminal: Terminal) -> None:
    """Also where the device shows them so only after the signature was checked."""
    parts = [Part(seq, ALARMS, f"n-{seq}", b"{}") for seq in (1, 2)]
    content = bundle_text(terminal, parts, chunk=1).signed()
    size = 4 + len(record(parts[0])) + 16
    head, first, second = content[:167], content[167 : 167 + size], content[167 + size :][:size]
    stream = BytesIO(content)
    bundle = Bundle(stream, lambda _: terminal.public, store.encryption_key)
    assert [message.seq for message in bundle.messages()] == [1, 2]
    for chunks in (second + first, second + second, first + first):
        stream.seek(len(head))
        stream.write(chunks)
        found: list[int] = []
        with pytest.raises(BundleRefused):
            found.extend(message.seq for message in bundle.messages())
        assert found in ([], [1])
