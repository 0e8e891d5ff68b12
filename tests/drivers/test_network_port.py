"""A TCP connection with the face of a serial port."""

import socket

import pytest

from drivers.network_port import NetworkPort
from drivers.serial_port import PortLost


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def port(listener):
    made = NetworkPort("127.0.0.1", listener.getsockname()[1], 1.0, "printer")
    yield made
    made.close()


def test_bytes_there_and_back(listener, port):
    assert not port.is_open
    port.open()
    port.open()
    assert port.is_open
    far, _ = listener.accept()
    with far:
        far.settimeout(5)
        port.write(b"\x10\x04\x01", 1)
        assert far.recv(10) == b"\x10\x04\x01"
        assert port.receive(0) == b""
        far.sendall(b"\x12")
        assert port.receive(5) == b"\x12"


def test_a_far_end_that_closes(listener, port):
    port.open()
    listener.accept()[0].close()
    with pytest.raises(PortLost):
        port.receive(5)
    assert not port.is_open


def test_a_far_end_that_takes_nothing(listener, port):
    port.open()
    with pytest.raises(PortLost):
        port.write(bytes(50_000_000), 0.05)
    assert not port.is_open


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    port = NetworkPort("127.0.0.1", number, 1.0, "printer")
    with pytest.raises(PortLost):
        port.open()
    for use in (lambda: port.receive(0), lambda: port.write(b"x", 1)):
        with pytest.raises(PortLost):
            use()
    port.close()
