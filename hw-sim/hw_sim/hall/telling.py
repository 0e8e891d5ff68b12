"""The hall's answers for people: tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hw_sim.hall.client import Answer


def cards_table(answer: Answer) -> None:
    """What can be put into the slot."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "卡", "what it is"):
        table.add_column(heading)
    for card in answer["cards"]:
        table.add_row(card["name"], card["zh"], card["en"])
    Console().print(table)


def status_table(answer: Answer) -> None:
    """Everything about the hall."""
    if answer["opening"]:
        Console().print("the hall is still opening")
        return
    pad, platform, faults = answer["pad"], answer["platform"], answer["faults"]
    entry = f"taking a PIN, {pad['count']} keys so far" if pad["entry"] else "nobody types"
    rows = (
        ("card in the slot", answer["card"] or "none"),
        ("reader", answer["reader"]),
        ("pcscd", answer["pcscd"]),
        ("PIN pad", f"plugged, {entry}" if pad["plugged"] else "unplugged"),
        ("platform", f"{platform['state']}, {platform['url']}"),
        ("alarms there", str(platform["alarms"])),
        ("terminals", ", ".join(platform["terminals"]) or "none enrolled"),
        ("faults to come", "  ".join(f"{where} {count}" for where, count in faults.items())),
        ("process", str(answer["pid"])),
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
