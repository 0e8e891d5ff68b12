"""The PC/SC driver against the real pcscd with a virtual card: see `pcscd_scenes`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.pcscd_scenes import SCENES

ROOT = Path(__file__).parents[2]
AS_USER = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
UNSHARE = ["unshare", *AS_USER, "--mount", "--net", "--"]


def why_not() -> str:
    if shutil.which("pcscd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        return "pcscd is not installed"
    if not Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so").exists():
        return "the virtual reader driver (vsmartcard-vpcd) is not installed"
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        return "no namespaces here"
    return ""


@pytest.mark.pcscd
@pytest.mark.parametrize("scene", SCENES)
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
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
