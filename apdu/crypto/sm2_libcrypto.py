"""SM2 by the system's libcrypto (OpenSSL 3), through ctypes.

The library is loaded once, and must answer the published vectors of GB/T 32918.5 before
anything else is asked of it; a library that fails is refused (`BackendRefused`).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apdu.crypto import sm2_curve as curve
from apdu.crypto import sm2_der
from apdu.crypto.errors import BackendRefused, MalformedCiphertext, MalformedKey

_NID_SM2 = 1172
_UNCOMPRESSED = 4
_POINTER, _LENGTH = ctypes.c_void_p, ctypes.c_size_t
_BYTES, _INT = ctypes.c_char_p, ctypes.c_int
_LENGTH_OUT = ctypes.POINTER(_LENGTH)

_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "EVP_sm3": (_POINTER, []),
    "EVP_MD_CTX_new": (_POINTER, []),
    "EVP_MD_CTX_free": (None, [_POINTER]),
    "EVP_MD_CTX_set_pkey_ctx": (None, [_POINTER, _POINTER]),
    "EVP_PKEY_CTX_new": (_POINTER, [_POINTER, _POINTER]),
    "EVP_PKEY_CTX_free": (None, [_POINTER]),
    "EVP_PKEY_CTX_set1_id": (_INT, [_POINTER, _BYTES, _LENGTH]),
    "EVP_DigestSignInit": (_INT, [_POINTER] * 5),
    "EVP_DigestSign": (_INT, [_POINTER, _BYTES, _LENGTH_OUT, _BYTES, _LENGTH]),
    "EVP_DigestVerifyInit": (_INT, [_POINTER] * 5),
    "EVP_DigestVerify": (_INT, [_POINTER, _BYTES, _LENGTH, _BYTES, _LENGTH]),
    "EVP_PKEY_encrypt_init": (_INT, [_POINTER]),
    "EVP_PKEY_encrypt": (_INT, [_POINTER, _BYTES, _LENGTH_OUT, _BYTES, _LENGTH]),
    "EVP_PKEY_decrypt_init": (_INT, [_POINTER]),
    "EVP_PKEY_decrypt": (_INT, [_POINTER, _BYTES, _LENGTH_OUT, _BYTES, _LENGTH]),
    "EVP_PKEY_free": (None, [_POINTER]),
    "d2i_PUBKEY": (_POINTER, [_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long]),
    "d2i_AutoPrivateKey": (_POINTER, [_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long]),
    "EC_GROUP_new_by_curve_name": (_POINTER, [_INT]),
    "EC_GROUP_free": (None, [_POINTER]),
    "EC_POINT_new": (_POINTER, [_POINTER]),
    "EC_POINT_free": (None, [_POINTER]),
    "EC_POINT_mul": (_INT, [_POINTER] * 6),
    "EC_POINT_point2oct": (
        _LENGTH,
        [_POINTER, _POINTER, _INT, ctypes.c_void_p, _LENGTH, _POINTER],
    ),
    "BN_bin2bn": (_POINTER, [_BYTES, _INT, _POINTER]),
    "BN_clear_free": (None, [_POINTER]),
    "ERR_clear_error": (None, []),
}


class LibCrypto:
    """SM2 operations of one loaded libcrypto. Keys and signatures are raw bytes here:
    private key 32 bytes, public key x‖y 64 bytes, signatures and ciphertexts DER."""

    def __init__(self, library: ctypes.CDLL) -> None:
        try:
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
        except AttributeError as error:
            raise BackendRefused("libcrypto lacks a function that SM2 needs") from error
        self._c = library

    def generate(self) -> bytes:
        """A fresh private key: uniform in 1..n-2 (GB/T 32918.1 §6.1)."""
        return (1 + secrets.randbelow(curve.N - 2)).to_bytes(curve.FIELD_SIZE, "big")

    def public_key(self, d: bytes) -> bytes:
        """The public key x‖y of a private key."""
        c = self._c
        group = c.EC_GROUP_new_by_curve_name(_NID_SM2)
        if not group:
            self._fail(BackendRefused("libcrypto was built without SM2"))
        point, number = c.EC_POINT_new(group), c.BN_bin2bn(d, len(d), None)
        try:
            out = ctypes.create_string_buffer(1 + 2 * curve.FIELD_SIZE)
            if (
                not point
                or not number
                or c.EC_POINT_mul(group, point, number, None, None, None) != 1
            ):
                self._fail(MalformedKey("libcrypto refuses the private key"))
            written = c.EC_POINT_point2oct(group, point, _UNCOMPRESSED, out, len(out), None)
        finally:
            c.BN_clear_free(number)
            c.EC_POINT_free(point)
            c.EC_GROUP_free(group)
        if written != len(out):
            self._fail(MalformedKey("the private key has no public point"))
        return out.raw[1:]

    def sign(self, d: bytes, xy: bytes, user_id: bytes, message: bytes) -> bytes:
        """DER signature over SM3(Z ‖ message)."""
        with self._private(d, xy) as key, self._digest(key, user_id) as context:
            c, length = self._c, _LENGTH(0)
            self._must(c.EVP_DigestSignInit(context, None, c.EVP_sm3(), None, key))
            self._must(c.EVP_DigestSign(context, None, length, message, len(message)))
            out = ctypes.create_string_buffer(length.value)
            self._must(c.EVP_DigestSign(context, out, length, message, len(message)))
            return out.raw[: length.value]

    def verify(self, xy: bytes, user_id: bytes, message: bytes, signature: bytes) -> bool:
        """Check a DER signature over SM3(Z ‖ message)."""
        with self._public(xy) as key, self._digest(key, user_id) as context:
            c = self._c
            self._must(c.EVP_DigestVerifyInit(context, None, c.EVP_sm3(), None, key))
            verdict = c.EVP_DigestVerify(context, signature, len(signature), message, len(message))
            c.ERR_clear_error()
            return bool(verdict == 1)

    def encrypt(self, xy: bytes, plaintext: bytes | bytearray) -> bytes:
        """DER SM2Cipher (C1, C3, C2) of 1 byte or more; a `bytearray` is not copied."""
        size = len(plaintext)
        text: bytes | ctypes.Array[ctypes.c_char]
        if isinstance(plaintext, bytearray):
            text = (ctypes.c_char * size).from_buffer(plaintext)
        else:
            text = plaintext
        with self._public(xy) as key, self._operation(key) as context:
            c, length = self._c, _LENGTH(0)
            self._must(c.EVP_PKEY_encrypt_init(context))
            self._must(c.EVP_PKEY_encrypt(context, None, length, text, size))
            out = ctypes.create_string_buffer(length.value)
            self._must(c.EVP_PKEY_encrypt(context, out, length, text, size))
            return out.raw[: length.value]

    def decrypt(self, d: bytes, xy: bytes, ciphertext: bytes) -> bytes:
        """Plaintext of a DER SM2Cipher.

        Raises:
            MalformedCiphertext: wrong key, or changed on its way.
        """
        with self._private(d, xy) as key, self._operation(key) as context:
            c, length = self._c, _LENGTH(0)
            self._must(c.EVP_PKEY_decrypt_init(context))
            refused = MalformedCiphertext("libcrypto cannot decrypt it")
            if c.EVP_PKEY_decrypt(context, None, length, ciphertext, len(ciphertext)) != 1:
                self._fail(refused)
            out = ctypes.create_string_buffer(length.value)
            try:
                if c.EVP_PKEY_decrypt(context, out, length, ciphertext, len(ciphertext)) != 1:
                    self._fail(refused)
                return out.raw[: length.value]
            finally:
                ctypes.memset(out, 0, len(out))

    @contextmanager
    def _private(self, d: bytes, xy: bytes) -> Iterator[int]:
        yield from self._key(self._c.d2i_AutoPrivateKey, sm2_der.sec1_from_key(d, xy))

    @contextmanager
    def _public(self, xy: bytes) -> Iterator[int]:
        yield from self._key(self._c.d2i_PUBKEY, sm2_der.spki_from_xy(xy))

    def _key(self, parse: Any, der: bytes) -> Iterator[int]:
        cursor = _BYTES(der)
        key = parse(None, ctypes.byref(cursor), len(der))
        if not key:
            self._fail(MalformedKey("libcrypto refuses the key"))
        try:
            yield key
        finally:
            self._c.EVP_PKEY_free(key)

    @contextmanager
    def _operation(self, key: int) -> Iterator[int]:
        context = self._c.EVP_PKEY_CTX_new(key, None)
        if not context:
            raise MemoryError("EVP_PKEY_CTX_new")
        try:
            yield context
        finally:
            self._c.EVP_PKEY_CTX_free(context)

    @contextmanager
    def _digest(self, key: int, user_id: bytes) -> Iterator[int]:
        """A digest context that knows the user id before its init call hashes Z."""
        context = self._c.EVP_MD_CTX_new()
        if not context:
            raise MemoryError("EVP_MD_CTX_new")
        try:
            with self._operation(key) as operation:
                self._must(self._c.EVP_PKEY_CTX_set1_id(operation, user_id, len(user_id)))
                self._c.EVP_MD_CTX_set_pkey_ctx(context, operation)
                yield context
        finally:
            self._c.EVP_MD_CTX_free(context)

    def _must(self, result: int) -> None:
        if result != 1:
            self._fail(BackendRefused("libcrypto failed where it may not fail"))

    def _fail(self, error: Exception) -> None:
        self._c.ERR_clear_error()
        raise error


_KNOWN_D = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
_KNOWN_XY = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_KNOWN_ID, _KNOWN_MESSAGE = b"1234567812345678", b"message digest"
_KNOWN_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
_KNOWN_C1 = bytes.fromhex(
    "04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"
    "E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
)
_KNOWN_C3 = bytes.fromhex("59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766")
_KNOWN_C2 = bytes.fromhex("21886CA989CA9C7D58087307CA93092D651EFA")
_KNOWN_PLAINTEXT = b"encryption standard"


def self_test(backend: LibCrypto) -> None:
    """Known answers of GB/T 32918.5 and a fresh signature.

    Raises:
        BackendRefused: one of them came out otherwise.
    """
    known = sm2_der.signature_from_raw(_KNOWN_SIGNATURE)
    cipher = sm2_der.ciphertext_from_parts(_KNOWN_C1, _KNOWN_C3, _KNOWN_C2)
    try:
        fresh = backend.sign(_KNOWN_D, _KNOWN_XY, _KNOWN_ID, _KNOWN_MESSAGE)
        passed = (
            backend.public_key(_KNOWN_D) == _KNOWN_XY
            and backend.verify(_KNOWN_XY, _KNOWN_ID, _KNOWN_MESSAGE, known)
            and not backend.verify(_KNOWN_XY, _KNOWN_ID, b"other message", known)
            and not backend.verify(_KNOWN_XY, b"", _KNOWN_MESSAGE, known)
            and backend.verify(_KNOWN_XY, _KNOWN_ID, _KNOWN_MESSAGE, fresh)
            and backend.decrypt(_KNOWN_D, _KNOWN_XY, cipher) == _KNOWN_PLAINTEXT
        )
    except (MalformedKey, MalformedCiphertext) as error:
        raise BackendRefused("libcrypto failed its SM2 self-test") from error
    if not passed:
        raise BackendRefused("libcrypto failed its SM2 self-test")


def load() -> LibCrypto:
    """The first libcrypto of this machine that passes `self_test`; searched for once.

    Raises:
        BackendRefused: there is none.
    """
    found = _search()
    if isinstance(found, BackendRefused):
        raise found
    return found


@functools.cache
def _search() -> LibCrypto | BackendRefused:
    refused = BackendRefused("no libcrypto was found")
    for name in _candidates():
        try:
            backend = LibCrypto(ctypes.CDLL(name))
            self_test(backend)
        except OSError:
            continue
        except BackendRefused as error:
            refused = error
            continue
        return backend
    return refused


def _candidates() -> Iterator[str]:
    found = ctypes.util.find_library("crypto")
    if found:
        yield found
    yield "libcrypto.so.3"
    # Without a linker cache: the symbols of the libcrypto that Python itself stands on can be
    # reached through its extension module.
    try:
        import _ssl
    except ImportError:
        return
    origin = getattr(_ssl, "__file__", None)
    if isinstance(origin, str):
        yield origin
