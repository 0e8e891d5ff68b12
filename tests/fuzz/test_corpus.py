"""The corpus of the fuzzer as plain regression tests, and one step of mutation for each seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.hostile_card import WAYS, chunk, chunks, one_input

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_nothing_but_card_errors_comes_out(file: Path) -> None:
    assert one_input(file.read_bytes()) >= len(WAYS)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_nor_from_a_seed_with_flipped_bytes_and_lost_answers(file: Path) -> None:
    seed = file.read_bytes()
    luck = random.Random(file.stem)
    for _ in range(60):
        data = bytearray(seed)
        for _ in range(luck.randint(1, 6)):
            data[luck.randrange(len(data))] = luck.randrange(256)
        assert one_input(bytes(data)) >= len(WAYS)
    answers = list(chunks(seed))
    for lost in range(len(answers)):
        one_input(b"".join(chunk(answer) for at, answer in enumerate(answers) if at != lost))


def test_chunks_come_back_and_a_broken_one_is_as_long_as_it_is() -> None:
    answers = [b"", b"\x90\x00", bytes(254), bytes(255), bytes(70_000 % 65_536)]
    assert list(chunks(b"".join(chunk(answer) for answer in answers))) == answers
    assert list(chunks(b"\x05\x90")) == [b"\x90"]
    assert list(chunks(b"\xff\x01")) == [b""]
