"""``[camera]``: the camera that looks at the resident, or at codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from kiosk.device_config.addresses import is_loopback, read_device
from kiosk.toml_tables import Table


class CameraDriver(Enum):
    """How pictures come."""

    OPENCV = "opencv"


@dataclass(frozen=True)
class CameraConfig:
    """The camera.

    Attributes:
        source: a video device, or the http URL of an MJPEG stream.
    """

    driver: CameraDriver
    source: str

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.source


def read_camera(table: Table, in_field: bool) -> CameraConfig:
    """From ``[camera]``. Raises the table's error; a field configuration may do less."""
    driver = table.choice("driver", CameraDriver, CameraDriver.OPENCV)
    source = table.text("source")
    if "://" in source:
        _check_stream(table, source, in_field=in_field)
    else:
        read_device(table, "source", in_field=in_field)
    table.finish()
    return CameraConfig(driver, source)


def _check_stream(table: Table, source: str, *, in_field: bool) -> None:
    try:
        parts = urlsplit(source)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise table.problem("source", "is no URL") from None
    if parts.scheme != "http" or not host or parts.username:
        raise table.problem("source", "expected /dev/video0 or a URL like http://127.0.0.1:8081/")
    # Whoever is on the way of an unprotected stream shows the terminal whichever face he likes.
    if in_field and not is_loopback(host):
        raise table.problem("source", "a field configuration refuses http outside loopback")
