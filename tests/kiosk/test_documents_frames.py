"""Frames between kiosk and composing process: whole, or told to be broken."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.documents.frames import (
    LARGEST_BLOB,
    LARGEST_HEADER,
    MOST_BLOBS,
    Frame,
    FrameBroken,
    FrameCut,
    receive,
    send,
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def raw(header: object, tail: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("!I", len(text)) + text + tail


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text().filter(lambda key: key != "blobs"), st.text() | st.integers()),
    st.lists(st.binary(), max_size=MOST_BLOBS),
)
def test_a_frame_comes_as_it_was_sent(
    ends: tuple[socket.socket, socket.socket], header: dict[str, object], blobs: list[bytes]
) -> None:
    send(ends[0], header, blobs)
    assert receive(ends[1]) == Frame(header, tuple(blobs))


def test_one_frame_after_the_other_then_the_end(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    def speak() -> None:
        send(ends[0], {"n": 1}, [b"x" * 700_000])
        send(ends[0], {"n": 2})
        ends[0].close()

    # More than the socket holds: somebody must read meanwhile.
    speaker = threading.Thread(target=speak)
    speaker.start()
    assert receive(ends[1]) == Frame({"n": 1}, (b"x" * 700_000,))
    assert receive(ends[1]) == Frame({"n": 2})
    assert receive(ends[1]) is None
    speaker.join()


def test_every_cut_is_noticed(ends: tuple[socket.socket, socket.socket]) -> None:
    whole = raw({"a": 1, "blobs": [3]}, b"xyz")
    for length in range(1, len(whole)):
        ours, theirs = socket.socketpair()
        with theirs:
            with ours:
                ours.sendall(whole[:length])
            with pytest.raises(FrameCut):
                receive(theirs)


@pytest.mark.parametrize(
    "octets",
    [
        struct.pack("!I", LARGEST_HEADER + 1),
        struct.pack("!I", 3) + b"{}}",
        struct.pack("!I", 2) + b"\xff\xff",
        struct.pack("!I", 40_000) + b"[" * 40_000,
        raw([]),
        raw({}),
        raw({"blobs": None}),
        raw({"blobs": [-1]}),
        raw({"blobs": [True]}),
        raw({"blobs": [LARGEST_BLOB + 1]}),
        raw({"blobs": [0] * (MOST_BLOBS + 1)}),
    ],
    ids=range(11),
)
def test_what_is_no_frame_is_told(ends: tuple[socket.socket, socket.socket], octets: bytes) -> None:
    ends[0].sendall(octets)
    with pytest.raises(FrameBroken):
        receive(ends[1])


def test_before_every_read_the_time_left_is_asked_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    def out_of_time() -> None:
        raise TimeoutError

    send(ends[0], {})
    with pytest.raises(TimeoutError):
        receive(ends[1], out_of_time)


def test_a_frame_shows_nothing() -> None:
    assert "secret" not in repr(Frame({"name": "secret"}, (b"secret",)))
