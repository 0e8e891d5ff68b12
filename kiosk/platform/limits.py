"""Delays and limits of the line to the platform, drawn from the terminal's one structure."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.limits import Limits

CLOCK_WINDOW_SECONDS = 300
"""Both sides refuse what was signed further from their own clock (docs/platform.md)."""

REQUEST_BYTES = 131_072
"""A request's body may not be longer (docs/platform.md)."""


BATCH_EVENTS = 100
"""A batch holds no more events (docs/platform.md)."""


@dataclass(frozen=True)
class LineLimits:
    """Seconds unless the name says otherwise.

    Attributes:
        deadline: one request as a whole, its retries included.
        connect: reaching the server, within `deadline`.
        retries: how often a request goes again at once, see `Exchange.send`.
        retry_pause: before the first of them; then twice as long each time.
        retry_after_most: whoever asks us to wait longer is not asked again within the call.
        answer_bytes: an answer's body may not be longer; the largest certificate fits with all
            its quotes escaped.
        probe_up: silence after which the line is looked at, while it is up.
        probe_down: between the first two looks while it is down; then twice as long each time.
        probe_down_most: never longer than this.
    """

    deadline: float = 6
    connect: float = 2
    retries: int = 2
    retry_pause: float = 0.15
    retry_after_most: float = 1
    answer_bytes: int = 5 << 18
    probe_up: float = 30
    probe_down: float = 3.75
    probe_down_most: float = 15

    @classmethod
    def of(cls, limits: Limits) -> LineLimits:
        """From the terminal's limits.

        A step waits for `platform_deadline`; the call ends a little earlier by itself, so that
        its own reason arrives and no abandoned call blocks the lane.
        """
        deadline = 0.8 * limits.platform_deadline
        return cls(
            deadline=deadline,
            connect=min(limits.platform_connect, deadline),
            probe_up=2 * limits.platform_retry,
            probe_down=limits.platform_retry / 4,
            probe_down_most=limits.platform_retry,
        )
