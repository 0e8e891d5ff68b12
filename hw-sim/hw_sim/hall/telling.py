"""The hall's answers for people: tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hw_sim.hall.client import Answer
from hw_sim.hall.desks import desks


def cards_table(answer: Answer) -> None:
    """What can be put into the slot."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "卡", "what it is"):
        table.add_column(heading)
    for card in answer["cards"]:
        table.add_row(card["name"], card["zh"], card["en"])
    Console().print(table)


def prints_table(answer: Answer) -> None:
    """What the document printer received, oldest first."""
    table = Table(box=None, pad_edge=False)
    for heading in ("no.", "job", "state", "sheets", "file"):
        table.add_column(heading, overflow="fold")
    for job in answer["prints"]:
        sheets = f"{job['sheets_out']} of {job['sheets']}"
        spoilt = f", {job['spoilt']} spoilt" if job["spoilt"] else ""
        file = job["file"] or "no document"
        table.add_row(str(job["number"]), job["name"], job["state"], sheets + spoilt, file)
    if not answer["prints"]:
        Console().print("nothing was sent to the printer")
        return
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
        ("code scanner", _scanner(answer["scanner"])),
        ("printer", _printer(answer["printer"])),
        ("its paper", _paper(answer["printer"])),
        ("its jobs", _jobs(answer["printer"])),
        ("platform", f"{platform['state']}, {platform['url']}"),
        ("alarms there", str(platform["alarms"])),
        ("terminals", ", ".join(platform["terminals"]) or "none enrolled"),
        ("faults to come", "  ".join(f"{where} {count}" for where, count in faults.items())),
        ("process", str(answer["pid"])),
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    if answer["card_bugs"]:
        table.add_row("bugs of its cards", str(answer["card_bugs"]))
    for desk in desks():
        for fact in desk.facts(answer[desk.name]):
            table.add_row(desk.name, fact.text)
    for device in ("scanner", "printer", *(desk.name for desk in desks())):
        for illegal in answer[device]["illegal"]:
            table.add_row("illegal command", f"{device}: {illegal}")
    Console().print(table)


def _scanner(scanner: Answer) -> str:
    if not scanner["plugged"]:
        return "unplugged"
    looks = "looks for a code" if scanner["triggered"] else "at rest"
    shown = ", a code is held to it" if scanner["code_shown"] else ""
    return f"plugged, {looks}{shown}; codes read: {scanner['codes_read']}"


def _printer(printer: Answer) -> str:
    reasons = f", {' '.join(printer['reasons'])}" if printer["on"] and printer["reasons"] else ""
    refusing = "" if printer["accepting"] else ", takes no jobs"
    return f"{printer['state']}{reasons}{refusing}"


def _paper(printer: Answer) -> str:
    return f"{printer['sheets']} sheets; door {printer['door']}, toner {printer['toner']}"


def _jobs(printer: Answer) -> str:
    out = f"{printer['sheets_out']} sheets out, {printer['spoilt']} spoilt"
    return f"{len(printer['jobs'])} under way, {printer['printed']} printed; {out}"
