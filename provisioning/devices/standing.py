"""What a device's answer means, in words and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from kiosk.bilingual import Bilingual
from provisioning.devices.asking import Answer
from provisioning.devices.in_use import Holder
from provisioning.devices.words import Condition, kind_name, note, obstacle


class Verdict(Enum):
    """Whether a device serves."""

    SERVES = "serves"
    NOTED = "noted"
    """It serves, and staff should see to something."""
    OBSTACLE = "obstacle"
    """It does not serve."""
    SILENT = "silent"
    """It did not come back from the question."""
    IN_USE = "in-use"
    """Another program holds it: not asked."""
    BUG = "bug"
    """Its driver failed."""


@dataclass(frozen=True)
class Standing:
    """How a device stands.

    Attributes:
        serves: known to serve, by its own answer or by the word of the terminal that holds it.
        told: in words.
        advice: what to do next, None where there is nothing to do.
        reason, notes: values of the kind's enums.
        holder: who holds it.
    """

    verdict: Verdict
    serves: bool
    told: Bilingual
    advice: Bilingual | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    holder: Holder | None = None


_SERVES = Bilingual("正常", "serves")
_SILENT = Condition(
    Bilingual("没有在限时内返回", "did not come back in time"),
    Bilingual("检查电源和连线，必要时重新插拔", "check power and cable, replug it if need be"),
)
_BUG = Condition(
    Bilingual("驱动程序自身出错", "its driver itself failed"),
    Bilingual("请将日志交给开发人员", "hand the log to the developers"),
)


def standing(answer: Answer) -> Standing:
    """The words for an answer."""
    kind = answer.device.kind
    if answer.holder is not None:
        return _in_use(answer, answer.holder)
    if answer.bug:
        return Standing(Verdict.BUG, False, _BUG.told, _BUG.advice)
    if answer.status is None:
        return Standing(Verdict.SILENT, False, _SILENT.told, _SILENT.advice)
    status = answer.status
    notes = tuple(sorted(str(each.value) for each in status.notes))
    if status.reason is not None:
        reason = str(status.reason.value)
        found = obstacle(kind, reason)
        return Standing(Verdict.OBSTACLE, False, found.told, found.advice, reason, notes)
    if notes:
        conditions = [note(kind, each) for each in notes]
        told, advice = _joined(c.told for c in conditions), _joined(c.advice for c in conditions)
        return Standing(Verdict.NOTED, True, told, advice, None, notes)
    return Standing(Verdict.SERVES, True, _SERVES)


def _in_use(answer: Answer, holder: Holder) -> Standing:
    process = f"（进程 {holder.pid}）" if holder.pid else ""
    number = f" (process {holder.pid})" if holder.pid else ""
    if not holder.kiosk:
        told = Bilingual(f"被别的程序占用{process}", f"in use by another program{number}")
        advice = Bilingual("先停止那个程序", "stop that program first")
        return Standing(Verdict.IN_USE, False, told, advice, holder=holder)
    view, kind = answer.view, answer.device.kind
    seen, advice = (
        Bilingual("", ""),
        Bilingual("需要单独检查时请先停止自助程序", "to test it alone stop the kiosk first"),
    )
    if view is not None and view.reason is not None:
        found = obstacle(kind, view.reason)
        seen, advice = found.told, found.advice
    elif view is not None:
        seen = _SERVES
    zh = f"自助程序正在使用{process}" + (f"，它报告：{seen.zh}" if seen.zh else "")
    en = f"in use by the kiosk{number}" + (f", which says: {seen.en}" if seen.en else "")
    return Standing(
        Verdict.IN_USE,
        view is not None and view.reason is None,
        Bilingual(zh, en),
        advice,
        None if view is None else view.reason,
        () if view is None else view.notes,
        holder,
    )


def _joined(texts: Iterable[Bilingual]) -> Bilingual:
    both = list(texts)
    return Bilingual("；".join(t.zh for t in both), "; ".join(t.en for t in both))


def for_machines(answer: Answer, found: Standing) -> Mapping[str, object]:
    """One device as ``--json`` shows it."""
    name = kind_name(answer.device.kind)
    return {
        "device": answer.device.kind.value,
        "driver": answer.device.driver,
        "address": answer.device.address,
        "verdict": found.verdict.value,
        "serves": found.serves,
        "reason": found.reason,
        "notes": list(found.notes),
        "held_by": None if found.holder is None else found.holder.pid,
        "name_zh": name.zh,
        "name_en": name.en,
        "zh": found.told.zh,
        "en": found.told.en,
        "advice_zh": "" if found.advice is None else found.advice.zh,
        "advice_en": "" if found.advice is None else found.advice.en,
    }
