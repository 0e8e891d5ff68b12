"""Four readers of the same record files: ours, and three that share no line with it.

A peer reads record by record where ours asks for all at once, so that agreement means something.
"""

from __future__ import annotations

import re
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.records import RecordReader
from drivers.pcsc.service import PcscService
from hw_sim.pcscd import CONTACT_READER, PcscdWorld
from tests.peers.programs import need, run

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


class Records(list[bytes]):
    """Tag, length and value of each record, in the card's order; its repr shows none of them."""

    def __repr__(self) -> str:
        return f"<{len(self)} records>"


_MOST_RECORDS = 8
_NO_RECORD = b"\x6a\x83"
_DUMP = re.compile(r"(?:[0-9A-F]{2} ){0,16}")


def ours(files: Iterable[int]) -> Records:
    """Our own driver and reading stack."""
    connection = PcscService().connect(CONTACT_READER)
    try:
        profile = SocialSecurityCard.open(connection).profile
        known = {file.sfi: file for file in (profile.issuer_file, profile.holder_file)}
        reader = RecordReader(Channel(connection))
        return Records(
            bytes((record.tag, len(record.value))) + record.value
            for sfi in files
            for record in reader.read(known[sfi])
        )
    finally:
        connection.close()


def our_atr() -> bytes:
    """The answer to reset as our driver has it."""
    connection = PcscService().connect(CONTACT_READER)
    try:
        return connection.atr
    finally:
        connection.close()


def opensc_tool(world: PcscdWorld, files: Iterable[int]) -> Records:
    """OpenSC's: it fetches what a T=0 card keeps waiting by itself."""
    sent = [SSSE + "00", *_record_commands(files)]
    options = [part for command in sent for part in ("-s", command)]
    said = run(world, "opensc-tool", "-r", CONTACT_READER, "-c", "default", *options)
    answers = said.split("Received ")[1:]
    return Records(_dumped(answer) for answer in answers[1:] if "SW1=0x90" in answer)


def _dumped(answer: str) -> bytes:
    """The bytes of a dump: 16 a line, each ``XX ``, and the same as text behind them."""
    lines = answer.partition("Sending:")[0].splitlines()[1:]
    return b"".join(bytes.fromhex(_DUMP.match(line)[0]) for line in lines)  # type: ignore[index]


def scriptor(world: PcscdWorld, files: Iterable[int]) -> Records:
    """pcsc-tools': every answer as it came, so that 6C is answered here, by hand."""
    records = Records()
    for command in _record_commands(files):
        answer = scripted(world, SSSE, command)[-1]
        if answer[-2] == 0x6C:
            answer = scripted(world, SSSE, command[:-2] + f"{answer[-1]:02X}")[-1]
        if answer == _NO_RECORD:
            continue
        assert answer[-2:] == b"\x90\x00"
        records.append(answer[:-2])
    return records


def scripted(world: PcscdWorld, *commands: str) -> list[bytes]:
    """The raw answers to commands that follow a reset."""
    lines = "".join(f"{line}\n" for line in ("reset", *commands))
    said = run(world, "scriptor", "-r", CONTACT_READER, script=lines)
    answers = re.findall(r"^< ((?:[0-9A-F]{2} ?\n?)+)", said, re.MULTILINE)
    assert len(answers) == len(commands)
    return [bytes.fromhex(answer) for answer in answers]


def javax_smartcardio(world: PcscdWorld, classes: Path, files: Iterable[int]) -> Records:
    """The JDK's: 61 and 6C are handled inside it."""
    # The JDK looks for the library where Debian has none.
    folder = Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or "")
    library = f"-Dsun.security.smartcardio.library={folder / 'libpcsclite.so.1'}"
    numbers = [str(sfi) for sfi in files]
    said = run(world, "java", library, "-cp", classes, "ReadFiles", CONTACT_READER, *numbers)
    answers = [bytes.fromhex(line) for line in said.splitlines()]
    assert answers.count(_NO_RECORD) == len(numbers)
    return Records(answer.removesuffix(b"\x90\x00") for answer in answers if answer != _NO_RECORD)


def compiled(folder: Path) -> Path:
    """Compile the Java client; returns the folder of its class."""
    source = Path(__file__).with_name("ReadFiles.java")
    subprocess.run([need("javac"), "-d", folder, source], check=True, timeout=60)
    return folder


def _record_commands(files: Iterable[int]) -> list[str]:
    return [
        f"00B2{number:02X}{sfi << 3 | 4:02X}00"
        for sfi in files
        for number in range(1, _MOST_RECORDS + 1)
    ]
