"""The signature of a data pack: which files it has, the SM3 of each, signed by SM2 with SM3.

``pack.sig`` is text::

    yikatong-pack 1 sm2-sm3
    key <SM3 of the signer's public key, hex>
    <SM3, hex>  items.toml
    <SM3, hex>  pack.toml
    signature <r ‖ s, hex>

Files stand in order of their names; every file of the folder but ``pack.sig`` is there. Signed
are the bytes before the last line, with the user ID ``1234567812345678``.

``python -m kiosk.pack_signature sign FOLDER --key KEY.pem`` signs a pack anew after a change.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from apdu.crypto import sm2, sm3
from apdu.crypto.errors import MalformedKey
from kiosk.toml_tables import FileProblem

SIGNATURE_FILE = "pack.sig"

_HEAD = "yikatong-pack 1 sm2-sm3"
_ENTRY = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)")
_RAW = sm2.SignatureEncoding.RAW


class PackError(FileProblem):
    """A data pack is malformed, altered, expired, or not signed by the configured root."""


def fingerprint(key: sm2.PublicKey) -> str:
    """Hex SM3 of a public key's x ‖ y."""
    return sm3.digest(key.xy).hex()


def sign(folder: Path, key: sm2.PrivateKey) -> None:
    """Write ``pack.sig`` for the folder as it is. Raises PackError, BackendRefused, OSError."""
    lines = [_HEAD, f"key {fingerprint(key.public_key())}"]
    lines += [f"{digest}  {name}" for name, digest in _digests(folder).items()]
    body = "".join(f"{line}\n" for line in lines)
    signature = sm2.sign(key, body.encode("ascii"), encoding=_RAW).hex()
    (folder / SIGNATURE_FILE).write_text(f"{body}signature {signature}\n", "ascii")


def verify(folder: Path, root: sm2.PublicKey) -> str:
    """Check signature and files; return the hex SM3 of what was signed, the pack's digest.

    Raises:
        PackError: unsigned, signed by another key, or a file was changed, added or taken away.
    """
    file = folder / SIGNATURE_FILE
    try:
        text = file.read_text("ascii")
    except OSError as problem:
        raise PackError(file, "", f"cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise PackError(file, "", "is not ASCII text") from None
    body, mark, last = text.rpartition("signature ")
    lines = body.split("\n")
    if not mark or len(lines) < 4 or lines[0] != _HEAD or lines[-1]:
        raise PackError(file, "", f'is no signature of the form "{_HEAD}"')
    if lines[1] != f"key {fingerprint(root)}":
        raise PackError(file, "key", "the pack is not signed by the configured root key")
    if not re.fullmatch(r"[0-9a-f]{128}\n", last) or not sm2.verify(
        root, body.encode("ascii"), bytes.fromhex(last.strip()), encoding=_RAW
    ):
        raise PackError(file, "signature", "the signature is wrong")
    _compare(folder, file, lines[2:-1])
    return sm3.digest(body.encode("ascii")).hex()


def _compare(folder: Path, file: Path, entries: list[str]) -> None:
    signed: dict[str, str] = {}
    for entry in entries:
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise PackError(file, "", "has a line that is no digest and name")
        signed[match[2]] = match[1]
    found = _digests(folder)
    for name in sorted(signed.keys() | found.keys()):
        if name not in found:
            raise PackError(folder / name, "", "is missing, but was signed")
        if name not in signed:
            raise PackError(folder / name, "", "was added after signing")
        if found[name] != signed[name]:
            raise PackError(folder / name, "", "was changed after signing")


def _digests(folder: Path) -> dict[str, str]:
    """Name below the folder -> hex SM3, for all files but the signature."""
    if not folder.is_dir():
        raise PackError(folder, "", "there is no such folder")
    digests: dict[str, str] = {}
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise PackError(path, "", "is a link; a pack holds files only")
        if path.is_dir() or name == SIGNATURE_FILE:
            continue
        if not re.fullmatch(r"[A-Za-z0-9._/-]+", name):
            raise PackError(path, "", "has a name that a signature can't list")
        digests[name] = sm3.digest(path.read_bytes()).hex()
    return digests


def read_root(file: Path) -> sm2.PublicKey:
    """A root public key from a PEM file. Raises PackError."""
    try:
        return sm2.PublicKey.from_pem(file.read_text("ascii"))
    except OSError as problem:
        raise PackError(file, "", f"cannot be read ({problem.strerror})") from None
    except (UnicodeDecodeError, MalformedKey):
        raise PackError(file, "", "holds no SM2 public key") from None


def main(arguments: list[str] | None = None) -> int:
    """The developer's command ``python -m kiosk.pack_signature``."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.pack_signature")
    actions = parser.add_subparsers(dest="action", required=True)
    signing = actions.add_parser("sign", help="sign a pack folder anew")
    signing.add_argument("folder", type=Path)
    signing.add_argument("--key", type=Path, required=True, help="PEM of the root's private key")
    checking = actions.add_parser("verify", help="check a pack folder")
    checking.add_argument("folder", type=Path)
    checking.add_argument("--root", type=Path, required=True, help="PEM of the root's public key")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "sign":
            sign(chosen.folder, sm2.PrivateKey.from_pem(chosen.key.read_text("ascii")))
        else:
            sys.stdout.write(verify(chosen.folder, read_root(chosen.root)) + "\n")
    except (PackError, MalformedKey, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
