"""A scripted PIN pad and our driver on it."""

import pytest

from drivers.szzt.pad import SzztPinPad
from tests.drivers.pad_double import QUICK, PadDouble


@pytest.fixture
def pad(tmp_path):
    double = PadDouble(tmp_path / "pad")
    yield double
    double.unplug()


@pytest.fixture
def driver(pad):
    made = SzztPinPad(str(pad.link), times=QUICK)
    yield made
    made.close()
