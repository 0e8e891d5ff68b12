"""TLS on the line: who vouches for the platform, what we show it, and what a failure means."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from kiosk.platform.errors import (
    Distrust,
    NotAdmitted,
    Outage,
    PlatformError,
    PlatformUnavailable,
    PlatformUntrusted,
)

# X509_V_ERR_… of OpenSSL's x509_vfy.h, which Python hands on as numbers.
_BY_VERIFY_CODE = {
    9: Distrust.EXPIRED,
    10: Distrust.EXPIRED,
    62: Distrust.HOST_NAME,
    64: Distrust.HOST_NAME,
}
_ABOUT_OUR_CERTIFICATE = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
    # All that TLS 1.2 has to say to whoever shows no certificate.
    "ALERT_HANDSHAKE_FAILURE",
)


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of one line.

    Attributes:
        ca_file: the only certificate authorities to believe, None for the usual public ones.
        client_certificate, client_key: what the terminal shows (mTLS), both or neither; the
            certificate with those between it and the authority, the key without a passphrase.
    """

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


def key_fits(certificate: Path, key: Path) -> bool:
    """Whether this is a certificate and its private key, as TLS wants them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Without a password OpenSSL would ask for one at the terminal's console.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError):
        return False
    return True


def tls_failure(error: BaseException) -> PlatformError:
    """What a library's exception about TLS means for us; nothing of its text is kept."""
    cause = _told_by_openssl(error)
    match cause:
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return PlatformUnavailable(Outage.NO_CONNECTION)
        case ssl.SSLCertVerificationError():
            code = cause.verify_code
            return PlatformUntrusted(_BY_VERIFY_CODE.get(code, Distrust.CERTIFICATE))
        case ssl.SSLError():
            if (cause.reason or "").endswith(_ABOUT_OUR_CERTIFICATE):
                return NotAdmitted()
    return PlatformUntrusted(Distrust.TLS)


def _told_by_openssl(error: BaseException | None) -> ssl.SSLError | None:
    """The exception of Python's ssl inside those that requests and urllib3 put around it."""
    while error is not None and not isinstance(error, ssl.SSLError):
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
        error = inner if isinstance(inner, BaseException) else None
    return error
