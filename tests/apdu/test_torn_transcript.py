"""A transcript that was cut or damaged: an error with its line, never a crash or another card."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import CardError
from apdu.recording.replay import Mode, ReplayDepleted, ReplayError, ReplayTransport
from apdu.recording.transcript import Transcript, TranscriptError
from tests.apdu.workflows import WORKFLOWS, Workflow

FOLDER = Path(__file__).parent / "transcripts"
TEXTS = {path.stem: path.read_text("ascii") for path in sorted(FOLDER.glob("*.txt"))}
READ = next(workflow for workflow in WORKFLOWS if workflow.name == "read-v3")


def run(workflow: Workflow, card: Transcript, psam: Transcript, mode: Mode = Mode.STRICT) -> object:
    return workflow.run(ReplayTransport(card, mode=mode), ReplayTransport(psam, mode=mode))


@pytest.mark.parametrize("name", TEXTS)
def test_cut_anywhere_it_is_refused_or_ends_where_it_was_cut(name: str) -> None:
    text = TEXTS[name]
    whole = Transcript.parse(text)
    ends = []
    for cut in range(len(text)):
        try:
            torn = Transcript.parse(text[:cut])
        except TranscriptError as error:
            assert error.line <= text[:cut].count("\n") + 1
            continue
        assert text[cut - 1] == "\n"
        assert torn.atr == whole.atr
        assert torn.events == whole.events[: len(torn.events)]
        ends.append(len(torn.events))
    assert set(ends) >= set(range(len(whole.events)))
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(ends))


def test_a_replay_of_what_is_left_ends_with_its_line() -> None:
    whole = Transcript.parse(TEXTS["read-v3"])
    for events in range(len(whole.events)):
        torn = Transcript(whole.atr, whole.events[:events], whole.protocol)
        with pytest.raises(ReplayDepleted) as found:
            run(READ, torn, Transcript.parse(TEXTS["read-v3-psam"]))
        assert found.value.line == (torn.events[-1].line if events else 0)


@given(st.data())
def test_damaged_anywhere_it_never_crashes(data: st.DataObject) -> None:
    """A piece of it lost, doubled, or overwritten by something else."""
    text = TEXTS["read-v3"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 200)))
    piece = data.draw(st.sampled_from(["", text[start:end] * 2, "\n"]) | st.text(max_size=8))
    mode = data.draw(st.sampled_from(Mode))
    try:
        damaged = Transcript.parse(text[:start] + piece + text[end:])
        run(READ, damaged, Transcript.parse(TEXTS["read-v3-psam"]), mode)
    except (TranscriptError, ReplayError) as error:
        assert str(error).startswith(f"line {error.line}: ")
    except CardError:
        # A digit of an answer was changed: nothing tells that from a card that answered so.
        pass
