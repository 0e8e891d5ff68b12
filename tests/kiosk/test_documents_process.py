"""The composing process fails, hangs, dies, and ends: the kiosk goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.documents import frames
from kiosk.documents.child import COMMAND
from kiosk.documents.composer import ComposeFailed, ComposeProblem, Composer
from tests.kiosk.composing_scenes import failure, gone
from tests.kiosk.sealed_samples import STAMP, Sealer, demo_book

CERTIFICATE = Sealer().certificate(2)

READY = """
import os, socket, sys, time
sys.path[:0] = [{root!r}]
from kiosk.documents import frames
line = socket.socket(fileno=0)
frames.receive(line)
frames.send(line, {{"answer": "ready"}})
frames.receive(line)
"""
"""A composing process that starts well and has got its order."""


Make = Callable[..., Composer]


@pytest.fixture
def make() -> Iterator[Make]:
    """Composers of one's own, closed in the end."""
    made = []

    def new(program: str = "", start_deadline: float = 30.0, deadline: float = 30.0) -> Composer:
        command = (sys.executable, "-I", "-c", program) if program else COMMAND
        deadlines = {"start_deadline": start_deadline, "deadline": deadline}
        made.append(Composer(demo_book(), command=command, **deadlines))
        return made[-1]

    yield new
    for composer in made:
        composer.close()


def program(then: str) -> str:
    return READY.format(root=str(Path(__file__).parents[2])) + then


# --- A process that fails --------------------------------------------------------------------


def test_a_process_that_was_killed_meanwhile_is_started_anew(make: Make) -> None:
    composer = make()
    composer.warm_up()
    first = composer.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert composer.compose(CERTIFICATE, STAMP).pages
    assert composer.process_id not in (None, first)


def test_a_crash_in_the_middle_fails_that_document_and_not_the_next(
    make: Make, tmp_path: Path
) -> None:
    mark = tmp_path / "crashed"
    crash_once = f"""
import os, sys
if os.path.exists({str(mark)!r}):
    os.execv(sys.executable, {[*COMMAND]!r})
open({str(mark)!r}, "w").close()
"""
    composer = make(crash_once + program("os.kill(os.getpid(), 9)"))
    assert failure(composer, CERTIFICATE).problem is ComposeProblem.CRASHED
    assert composer.process_id is None
    assert composer.compose(CERTIFICATE, STAMP).pages


def test_a_crash_within_its_answer_is_a_crash(make: Make) -> None:
    composer = make(program("line.sendall(b'\\0\\0\\0\\x10{')"))
    assert failure(composer, CERTIFICATE).problem is ComposeProblem.CRASHED


def test_a_process_that_hangs_is_killed_at_the_deadline(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    note = f"import os\nopen({str(file)!r}, 'w').write(str(os.getpid()))\n"
    composer = make(note + program("time.sleep(600)"), deadline=0.1)
    assert failure(composer, CERTIFICATE).problem is ComposeProblem.DEADLINE
    assert composer.process_id is None
    assert gone(int(file.read_text()))


def test_a_process_that_never_gets_ready_is_killed_at_the_deadline(make: Make) -> None:
    composer = make("import time; time.sleep(600)", start_deadline=0.1)
    with pytest.raises(ComposeFailed) as caught:
        composer.warm_up()
    assert caught.value.problem is ComposeProblem.DEADLINE
    assert composer.process_id is None


def test_an_answer_that_drips_does_not_stretch_the_deadline(make: Make) -> None:
    drips = "while True:\n    line.send(b'\\0')\n    time.sleep(0.01)"
    # Four zero bytes are an empty header, which is no JSON.
    assert failure(make(program(drips)), CERTIFICATE).problem is ComposeProblem.GARBAGE
    slowly = "line.send(b'\\0\\0\\x10\\0')\nwhile True:\n    line.send(b' ')\n    time.sleep(0.02)"
    assert (
        failure(make(program(slowly), deadline=0.3), CERTIFICATE).problem is ComposeProblem.DEADLINE
    )


@pytest.mark.parametrize(
    "answer",
    [
        "line.sendall(b'GET / HTTP/1.1')",
        "frames.send(line, {})",
        "frames.send(line, {'answer': 'document'})",
        "frames.send(line, {'answer': 'document'}, [b'%PDF'])",
        "frames.send(line, {'answer': 'ready'})",
        "frames.send(line, {'answer': 'template-fault'})",
        "frames.send(line, {'answer': 'template-fault', 'where': 1})",
    ],
)
def test_an_answer_that_is_none_ends_the_process(make: Make, answer: str) -> None:
    composer = make(program(answer + "\ntime.sleep(600)"))
    assert failure(composer, CERTIFICATE).problem is ComposeProblem.GARBAGE
    assert composer.process_id is None


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("/nonexistent/python",), ComposeProblem.NO_START),
        ((sys.executable, "-c", "raise SystemExit(1)"), ComposeProblem.NO_START),
        (("/bin/sh", "-c", "exec cat >&0"), ComposeProblem.GARBAGE),
    ],
)
def test_a_process_that_cannot_start_is_told(
    command: tuple[str, ...], problem: ComposeProblem
) -> None:
    composer = Composer(demo_book(), command=command)
    with pytest.raises(ComposeFailed) as caught:
        composer.warm_up()
    assert caught.value.problem is problem
    assert failure(composer, CERTIFICATE).problem is problem
    assert composer.process_id is None


# --- Its end ---------------------------------------------------------------------------------


def test_forget_ends_the_process_that_has_seen_the_resident(make: Make) -> None:
    composer = make()
    composer.forget()
    composer.compose(CERTIFICATE, STAMP)
    first = composer.process_id
    assert first is not None
    composer.forget()
    assert composer.process_id is None and gone(first)
    assert composer.compose(CERTIFICATE, STAMP).pages


def test_after_close_nothing_is_composed(make: Make) -> None:
    composer = make()
    composer.warm_up()
    process = composer.process_id
    composer.close()
    composer.close()
    assert process is not None and gone(process)
    assert failure(composer, CERTIFICATE).problem is ComposeProblem.CLOSED


def test_close_ends_a_document_that_is_being_composed(make: Make, tmp_path: Path) -> None:
    mark = tmp_path / "ordered"
    composer = make(program(f"open({str(mark)!r}, 'w').close()\ntime.sleep(600)"))
    told: list[ComposeFailed] = []
    worker = threading.Thread(target=lambda: told.append(failure(composer, CERTIFICATE)))
    worker.start()
    while not mark.exists():
        time.sleep(0.01)
    composer.close()
    worker.join(10)
    assert [failed.problem for failed in told] == [ComposeProblem.CLOSED]


def test_it_ends_with_a_kiosk_that_was_killed() -> None:
    kiosk = subprocess.Popen(
        [sys.executable, "-c", KIOSK], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert kiosk.stdout is not None
    with kiosk.stdout:
        process = int(kiosk.stdout.readline())
        kiosk.kill()
        kiosk.wait()
    assert gone(process)


KIOSK = """
import time
from kiosk.documents.composer import Composer
from tests.kiosk.sealed_samples import demo_book
composer = Composer(demo_book())
composer.warm_up()
print(composer.process_id, flush=True)
time.sleep(600)
"""

ENDLESS = "#for a in range(9999) { for b in range(9999) { let c = a * b } }"


def test_alone_it_gives_up_by_itself() -> None:
    """Also when no kiosk is left to kill it, and while native code is at work."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                COMMAND, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env={}
            )
        header = {"kinds": ["participation"], "rare_fonts": [], "seconds": 0.2}
        frames.send(ours, header, [ENDLESS.encode()])
        assert frames.receive(ours) == frames.Frame({"answer": "ready"})
        order = {"kind": "participation", "certificate": {}, "qr": "", "printed_at": 0}
        frames.send(ours, {**order, "previews": False}, [b""])
        assert process.wait(30) == -signal.SIGALRM


def test_it_can_write_no_file_and_leave_no_dump(make: Make) -> None:
    composer = make()
    composer.warm_up()
    limits = Path(f"/proc/{composer.process_id}/limits").read_text().splitlines()
    for name in ("Max file size", "Max core file size"):
        (line,) = (line for line in limits if line.startswith(name))
        assert line[len(name) :].split()[:2] == ["0", "0"]


def test_the_kiosk_itself_loads_no_typst() -> None:
    modules = ["certificate", "composer", "qr_check", "codes", "templates"]
    imports = "\n".join(f"import kiosk.documents.{name}" for name in modules)
    told = "print([n for n in ('typst', 'qrcode', 'fontTools', 'PIL', 'ui') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{imports}\n{told}"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"
