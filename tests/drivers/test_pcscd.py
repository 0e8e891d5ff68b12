"""The PC/SC driver against the real pcscd with a virtual card: see `pcscd_scenes`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.pcscd_daemon import DRIVER, UNSHARE
from tests.drivers.pcscd_scenes import LONG, SCENES

ROOT = Path(__file__).parents[2]
SECONDS, LONG_SECONDS = 60, 600


def why_not() -> str:
    if shutil.which("pcscd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        return "pcscd is not installed"
    if not DRIVER.exists():
        return "the virtual reader driver (vsmartcard-vpcd) is not installed"
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        return "no namespaces here"
    return ""


def marks(scene):
    if scene not in LONG:
        return ()
    return (pytest.mark.slow, pytest.mark.timeout(LONG_SECONDS + 10))


@pytest.mark.pcscd
@pytest.mark.parametrize("scene", [pytest.param(name, marks=marks(name)) for name in SCENES])
def test_scene(scene):
    reason = why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    # Another test of this process may have pointed libpcsclite elsewhere.
    environment = {k: v for k, v in os.environ.items() if k != "PCSCLITE_CSOCK_NAME"}
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", "tests.drivers.pcscd_scenes", scene],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS if scene in LONG else SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
