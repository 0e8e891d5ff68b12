"""One HTTP exchange with the platform: bounded in time and size, no redirects, no environment.

What comes back is bytes; whether to believe them is `kiosk.platform.signing`'s business.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3

from kiosk.platform.deadline import DeadlineAdapter, within
from kiosk.platform.errors import (
    Distrust,
    Outage,
    PlatformError,
    PlatformUnavailable,
    PlatformUntrusted,
)
from kiosk.platform.limits import LineLimits
from kiosk.platform.problems import retry_after
from kiosk.platform.signing import ReceivedAnswer
from kiosk.platform.tls import TlsFiles, tls_failure

SessionFactory = Callable[[], requests.Session]

_CHUNK = 65_536
_PUBLIC = TlsFiles()
_BROKEN = (Outage.NO_CONNECTION, Outage.CUT_SHORT)
_PASSING = (502, 503, 504)
"""What a proxy says while the platform behind it is started again."""


def new_session(tls: TlsFiles = _PUBLIC) -> requests.Session:
    """A session that heeds no proxy, certificate bundle or netrc of the environment."""
    session = requests.Session()
    # Without this REQUESTS_CA_BUNDLE in the environment would overrule `verify`.
    session.trust_env = False
    session.mount("https://", DeadlineAdapter())
    session.mount("http://", DeadlineAdapter())
    session.verify = True if tls.ca_file is None else str(tls.ca_file)
    if tls.client_certificate is not None and tls.client_key is not None:
        session.cert = (str(tls.client_certificate), str(tls.client_key))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(
        {
            "Accept": "application/json, application/problem+json",
            "Accept-Encoding": "identity",
            "User-Agent": "yikatong-terminal",
        }
    )
    return session


@dataclass(frozen=True, repr=False)
class Outgoing:
    """A request before it is signed. The path is below the platform's URL and names no person."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Sends requests to one platform. Thread-safe: each thread has a session of its own."""

    def __init__(
        self,
        base_url: str,
        limits: LineLimits,
        session_factory: SessionFactory = new_session,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._session_factory = session_factory
        self._monotonic = monotonic
        self._sleep = sleep
        self._here = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()

    def send(
        self, outgoing: Outgoing, sign: Callable[[requests.PreparedRequest], None]
    ) -> ReceivedAnswer:
        """Send, and up to `LineLimits.retries` times more; every attempt is signed anew.

        Sent again is what met a broken connection, or 502, 503 and 504 that ask for no long wait.
        That is safe because every request carries an Idempotency-Key. What was refused, not
        believed or too slow is not sent again.

        Raises:
            PlatformUnavailable: no whole answer within the limits.
            PlatformUntrusted: TLS failed, or the answer is a redirect, too long or compressed.
            NotAdmitted: our certificate is not accepted.
        """
        end = self._monotonic() + self._limits.deadline
        outcome = self._attempt(outgoing, sign, end)
        for attempt in range(self._limits.retries):
            pause = self._pause(outcome, attempt)
            if pause is None or self._monotonic() + pause >= end:
                break
            self._sleep(pause)
            outcome = self._attempt(outgoing, sign, end)
        # Raised here, outside every except block: a library's exception holds the whole request.
        if isinstance(outcome, PlatformError):
            raise outcome
        return outcome

    def _pause(self, outcome: ReceivedAnswer | PlatformError, attempt: int) -> float | None:
        """Seconds to wait before the same goes again; None when it does not."""
        pause = self._limits.retry_pause * 2**attempt
        if isinstance(outcome, ReceivedAnswer):
            if outcome.status_code not in _PASSING:
                return None
            asked = retry_after(outcome) or 0.0
            return max(pause, asked) if asked <= self._limits.retry_after_most else None
        broken = isinstance(outcome, PlatformUnavailable) and outcome.outage in _BROKEN
        return pause if broken else None

    def close(self) -> None:
        """Drop all connections; a later call opens new ones."""
        for session in list(self._sessions):
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._here, "session", None)
        if session is None:
            session = self._here.session = self._session_factory()
            self._sessions.add(session)
        return session

    def _attempt(
        self,
        outgoing: Outgoing,
        sign: Callable[[requests.PreparedRequest], None],
        end: float,
    ) -> ReceivedAnswer | PlatformError:
        session = self._session()
        request = session.prepare_request(
            requests.Request(
                outgoing.method,
                self._base_url + outgoing.path,
                headers=dict(outgoing.headers),
                data=outgoing.body or None,
            )
        )
        sign(request)
        left = end - self._monotonic()
        if left <= 0:
            return PlatformUnavailable(Outage.TIMEOUT)
        try:
            with (
                within(lambda: end - self._monotonic()),
                session.send(
                    request,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(self._limits.connect, left), left),
                ) as response,
            ):
                return self._receive(response)
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
            return tls_failure(error)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            return PlatformUnavailable(Outage.TIMEOUT)
        except requests.exceptions.ConnectionError:
            late = self._monotonic() >= end
            return PlatformUnavailable(Outage.TIMEOUT if late else Outage.NO_CONNECTION)
        except urllib3.exceptions.HTTPError:
            return PlatformUnavailable(Outage.CUT_SHORT)
        except requests.exceptions.InvalidHeader:
            return PlatformUntrusted(Distrust.HEADERS)
        except OSError:
            # What requests says of TLS files that are gone.
            return PlatformUntrusted(Distrust.TLS)

    def _receive(self, response: requests.Response) -> ReceivedAnswer | PlatformUntrusted:
        if 300 <= response.status_code < 400:
            return PlatformUntrusted(Distrust.REDIRECT)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return PlatformUntrusted(Distrust.ENCODED)
        body = bytearray()
        raw: urllib3.HTTPResponse = response.raw
        while chunk := raw.read1(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > self._limits.answer_bytes:
                return PlatformUntrusted(Distrust.OVERSIZED)
        return ReceivedAnswer(response.status_code, response.headers, bytes(body))
