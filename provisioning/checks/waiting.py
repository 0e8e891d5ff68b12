"""What waits for the platform, and what it refused."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine

_OLD_SECONDS = 3600
"""A message that waits for so long points at a line that nobody mends."""


def visit_queue(machine: Machine) -> Iterator[Finding]:
    """queue."""
    from kiosk.clock import SystemClock
    from kiosk.keys import KeyStore, KeyStoreError
    from offline_queue.database import DatabaseError
    from offline_queue.errors import QueueError
    from offline_queue.glance import Glance, SchemaOlder

    path = None if machine.state is None else machine.state / "queue.sqlite"
    if machine.state is None or path is None or not path.is_file():
        yield skipped("queue", "还没有队列", "there is no queue yet")
        return
    problem = ""
    try:
        keys = KeyStore(machine.state / "keys").load()
        with Glance(path, keys.queue_key, SystemClock()) as queue:
            metrics, dead = queue.metrics(), sum(queue.undecided().values())
    except SchemaOlder:
        yield skipped("queue", "队列将在下次启动时升级", "the queue is upgraded at the next start")
        return
    except (KeyStoreError, DatabaseError, QueueError, OSError) as error:
        problem = str(error)
    if problem:
        yield fail(
            "queue",
            (f"离线队列不可用：{problem}", f"the queue is unusable: {problem}"),
            ("不要删除文件，请联系技术支持", "do not remove the file; ask for support"),
        )
        return
    old = metrics.oldest_seconds or 0
    told = (
        f"待上传 {metrics.open} 条，被拒收 {dead} 条",
        f"{metrics.open} waiting, {dead} refused",
    )
    facts: dict[str, str | int | float | bool] = {
        "waiting": metrics.open,
        "dead": dead,
        "oldest_seconds": int(old),
    }
    if dead or old > _OLD_SECONDS:
        advice = ("请执行 yikatong queue status 查看", "see yikatong queue status")
        yield warn("queue", told, advice, **facts)
    else:
        yield ok("queue", told[0], told[1], **facts)
