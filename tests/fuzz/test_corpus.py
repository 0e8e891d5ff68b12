"""The corpora of the fuzzer as plain regression tests, and some steps of mutation for each seed."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.hostile_card import WAYS, chunk, chunks, one_input
from tests.fuzz.pieces import same_in_any_pieces, stand_in_order
from tests.fuzz.seeds import FOUND, SEEDS
from tests.fuzz.targets import CORPUS, TARGETS

FILES = sorted(CORPUS.glob("*/*.bin"))
MUTATIONS = 60
every_file = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}"
)


def test_every_target_has_seeds_and_a_corpus_of_them() -> None:
    assert TARGETS.keys() == SEEDS.keys() == {file.parent.name for file in FILES}


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_has_every_seed_and_beside_them_only_what_was_found(target: str) -> None:
    there = {file.stem for file in FILES if file.parent.name == target}
    assert {name for name in there if not name.startswith(FOUND)} == SEEDS[target]().keys()


@every_file
def test_nothing_comes_out_that_is_not_documented(file: Path) -> None:
    TARGETS[file.parent.name].run(file.read_bytes())


@every_file
def test_nor_from_a_seed_with_changed_lost_and_repeated_bytes(file: Path) -> None:
    target, seed = TARGETS[file.parent.name], file.read_bytes()
    luck = random.Random(file.stem)
    for _ in range(MUTATIONS):
        target.run(mutated(seed, luck)[: target.longest])


def mutated(seed: bytes, luck: random.Random) -> bytes:
    """A seed with a few bytes flipped, cut out, or put in a second time."""
    data = bytearray(seed)
    for _ in range(luck.randint(1, 6)):
        at = luck.randrange(len(data) + 1)
        end = at + luck.randint(1, 8)
        match luck.randrange(4):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = data[max(0, at - 20) : at]
            case _:
                data[at : at + 1] = bytes([luck.randrange(256)])
    return bytes(data)


def test_no_seed_is_longer_than_its_target_takes() -> None:
    for file in FILES:
        assert file.stat().st_size <= TARGETS[file.parent.name].longest, file.name


# --- the command ----------------------------------------------------------------------------------


def test_the_targets_are_listed_and_others_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--list"])
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(TARGETS)
    assert all(line.endswith(".") for line in lines)
    monkeypatch.setattr(sys, "argv", ["fuzz", "5", "nothing"])
    with pytest.raises(SystemExit, match="2"):
        main()


# --- what the targets themselves stand on ---------------------------------------------------------


def test_a_parser_that_depends_on_the_pieces_is_seen() -> None:
    assert same_in_any_pieces(b"abcabc", 2, b"".join) == b"abcabc"
    with pytest.raises(AssertionError, match="pieces of 3 bytes"):
        same_in_any_pieces(b"abcabc", 2, lambda pieces: b"abc" in pieces)


def test_parts_stand_in_order_and_not_over_one_another() -> None:
    assert stand_in_order([b"ab", b"", b"ba"], b"xabba")
    assert not stand_in_order([b"ab", b"ba"], b"xaba")
    assert not stand_in_order([b"b", b"a"], b"ab")


@pytest.mark.parametrize("file", sorted((CORPUS / "card").iterdir()), ids=lambda file: file.stem)
def test_a_card_whose_answers_get_lost(file: Path) -> None:
    seed = file.read_bytes()
    assert one_input(seed) >= len(WAYS)
    answers = list(chunks(seed))
    for lost in range(len(answers)):
        one_input(b"".join(chunk(answer) for at, answer in enumerate(answers) if at != lost))


def test_chunks_come_back_and_a_broken_one_is_as_long_as_it_is() -> None:
    answers = [b"", b"\x90\x00", bytes(254), bytes(255), bytes(70_000 % 65_536)]
    assert list(chunks(b"".join(chunk(answer) for answer in answers))) == answers
    assert list(chunks(b"\x05\x90")) == [b"\x90"]
    assert list(chunks(b"\xff\x01")) == [b""]
