"""Ed25519 signatures over the statement of an archive, in the envelope of DSSE, with the keys to prove them.

A signature covers the DSSE pre-authentication encoding of the statement, "DSSEv1 LEN(type) type LEN(payload) payload",
as in-toto asks for. A key is named by the fingerprint that ``ssh-keygen -l`` prints of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from schemas.errors import BadInput

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ModuleNotFoundError:  # an extra of its own: few archives are signed
    LIBRARY_IS_THERE = False
else:
    LIBRARY_IS_THERE = True

PAYLOAD_TYPE = "application/vnd.in-toto+json"
INSTALL_SIGNING = "pip install 'glacier-archive[sign]'"
_MAKE_ONE = "make one with: ssh-keygen -t ed25519 -f KEY"
_A_KEY = "an Ed25519 key, in OpenSSH's form or as PEM"


@dataclass(frozen=True)
class Signed:
    """A statement with its signatures.

    Attributes
    ----------
    statement : the bytes that were signed.
    signatures : signature by the fingerprint of its key.
    keys : public keys by fingerprint, as they were published beside the signatures.
    """

    statement: bytes
    signatures: dict[str, bytes]
    keys: dict[str, Ed25519PublicKey]

    def broken(self) -> Iterator[str]:
        """Fingerprints of the keys whose signature does not hold, or cannot be proved since the key is not there."""
        message = _to_sign(self.statement)
        for name, signature in self.signatures.items():
            key = self.keys.get(name)
            if key is None or not _holds(key, signature, message):
                yield name

    def with_signature(self, key: Ed25519PrivateKey) -> Signed:
        """The same with one signature more; the same key signs the same bytes the same way."""
        public = key.public_key()
        name = fingerprint(public)
        signature = key.sign(_to_sign(self.statement))
        return Signed(self.statement, {**self.signatures, name: signature}, {**self.keys, name: public})

    def envelope(self) -> bytes:
        """The DSSE envelope, as it is written."""
        content = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(self.statement).decode(),
            "signatures": [
                {"keyid": name, "sig": base64.b64encode(signature).decode()}
                for name, signature in sorted(self.signatures.items())
            ],
        }
        return (json.dumps(content, indent=2) + "\n").encode()

    def public_keys(self) -> bytes:
        """The keys, one a line in OpenSSH's form, in the order of the signatures."""
        return b"".join(_openssh(self.keys[name]) + b"\n" for name in sorted(self.signatures))


def told_signatures(signed: Signed) -> list[dict[str, str]]:
    """Signatures with their keys, as a document tells of them: sorted by the keys' names."""
    return [
        {
            "keyid": name,
            "sig": base64.b64encode(signature).decode(),
            "key": _openssh(signed.keys[name]).decode(),
        }
        for name, signature in sorted(signed.signatures.items())
    ]


def signed_as_told(statement: bytes, told: Sequence[dict[str, str]]) -> Signed:
    """What ``told_signatures`` tells, over the statement that was signed.

    Errors
    ------
    ValueError : no signatures, or no keys.
    """
    keys = dict(_keys_in("\n".join(entry["key"] for entry in told).encode()))
    return Signed(statement, {entry["keyid"]: _decoded(entry["sig"]) for entry in told}, keys)


def read_signed(envelope: bytes, keys: bytes) -> Signed:
    """A published envelope and the keys beside it.

    Errors
    ------
    ValueError : no DSSE envelope of an in-toto statement, or no OpenSSH keys.
    """
    content = json.loads(envelope)
    if not isinstance(content, dict) or content.get("payloadType") != PAYLOAD_TYPE:
        raise ValueError(f"no envelope of the type {PAYLOAD_TYPE}")
    entries = content.get("signatures")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("no list of signatures")
    signatures = {str(entry.get("keyid")): _decoded(entry.get("sig")) for entry in entries}
    return Signed(_decoded(content.get("payload")), signatures, dict(_keys_in(keys)))


def fingerprint(key: Ed25519PublicKey) -> str:
    """Name of a key as ``ssh-keygen -l`` prints it: "SHA256:" and its digest in base64.

    Parameters
    ----------
    key : the public half.
    """
    encoded = base64.b64decode(_openssh(key).split()[1])
    return "SHA256:" + base64.b64encode(sha256(encoded).digest()).decode().rstrip("=")


def signatures_can_be_read() -> bool:
    """Whether the library for signatures, which is an extra, is installed."""
    return LIBRARY_IS_THERE


def _require_library(where: str) -> None:
    if not signatures_can_be_read():
        raise BadInput(where, "a key, and not the library that reads it", "cryptography", INSTALL_SIGNING)


def read_private_key(content: bytes, where: str, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """A private key from PEM or OpenSSH's form.

    Errors
    ------
    BadInput : another kind of key or of file, or one that its passphrase does not open; no library for it.
    """
    _require_library(where)
    load = serialization.load_ssh_private_key if b"OPENSSH" in content[:60] else serialization.load_pem_private_key
    try:
        key = load(content, password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if load is serialization.load_ssh_private_key and _is_locked(content):
            remedy = "make one with: openssl genpkey -algorithm ed25519 -aes-256-cbc -out KEY.pem"
            raise BadInput(where, "an OpenSSH key under a passphrase", "an encrypted key as PEM", remedy) from None
        raise BadInput(where, f"no key that can be read ({error})", f"{_A_KEY}, private", _MAKE_ONE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(where, "a private key of another kind", _A_KEY, _MAKE_ONE)
    return key


def is_encrypted(content: bytes) -> bool:
    """Whether a private key in PEM asks for a passphrase."""
    return content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") or b"Proc-Type: 4,ENCRYPTED" in content


def read_public_key(content: bytes, where: str) -> Ed25519PublicKey:
    """A public key from PEM or one line of OpenSSH's form.

    Errors
    ------
    BadInput : another kind of key or of file; no library for it.
    """
    _require_library(where)
    if b"PRIVATE KEY" in content:
        raise BadInput(where, "a private key", f"{_A_KEY}, public", "give the file that ends in .pub")
    load = serialization.load_pem_public_key if content.startswith(b"-----") else serialization.load_ssh_public_key
    try:
        key = load(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(where, f"no key that can be read ({error})", f"{_A_KEY}, public", _MAKE_ONE) from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(where, "a public key of another kind", _A_KEY, _MAKE_ONE)
    return key


def _is_locked(content: bytes) -> bool:
    """Whether a private key in OpenSSH's form names a cipher, which stands behind its magic word."""
    try:
        plain = base64.b64decode(b"".join(content.split(b"-----")[2].split()))
    except (IndexError, binascii.Error):
        return False
    magic = b"openssh-key-v1\0"
    return plain.startswith(magic) and plain[len(magic) + 4 :][:4] != b"none"


def _openssh(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def _keys_in(content: bytes) -> Iterator[tuple[str, Ed25519PublicKey]]:
    for line in content.splitlines():
        key = serialization.load_ssh_public_key(line)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("a key that is not of Ed25519")
        yield fingerprint(key), key


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _to_sign(statement: bytes) -> bytes:
    """The pre-authentication encoding of DSSE 1.0."""
    parts: Sequence[bytes] = (PAYLOAD_TYPE.encode(), statement)
    return b" ".join([b"DSSEv1", *(piece for part in parts for piece in (str(len(part)).encode(), part))])


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("no text in base64")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from None
