"""``python -m tests.fuzz.seeds``: writes the corpus anew, but for what the fuzzer found.

A seed is what a simulator says; nobody is in it but demonstration residents (429900).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fuzz import card_seeds, line_seeds, other_seeds
from tests.fuzz.targets import CORPUS

FOUND = "found-"
"""How the names of inputs begin that the fuzzer found and that are kept."""

SEEDS: Mapping[str, Callable[[], Mapping[str, bytes]]] = {
    "card": card_seeds.card,
    "gm65-answers": line_seeds.gm65_answers,
    "gm65-payloads": line_seeds.gm65_payloads,
    "hid": other_seeds.hid,
    "pictures": other_seeds.pictures,
    "codes": other_seeds.codes,
    "code-patterns": other_seeds.code_patterns,
    "szzt": line_seeds.szzt,
    "ccid-pin": other_seeds.ccid_pin,
    "sam-v": line_seeds.sam_v,
    "id-card": line_seeds.id_texts,
    "crt591": line_seeds.crt591,
    "contactless": line_seeds.contactless,
    "sensor-board": line_seeds.sensor_board,
    "ipp": other_seeds.ipp,
    "escpos": other_seeds.escpos,
}


def main() -> None:
    for target, make in SEEDS.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.bin"):
            if not old.name.startswith(FOUND):
                old.unlink()
        for name, data in make().items():
            (folder / f"{name}.bin").write_bytes(data)


if __name__ == "__main__":
    main()
