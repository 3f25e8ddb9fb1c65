"""A signature over an archive: who vouches for the bytes that its manifest lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.archive import (
    MANIFEST_JSON,
    SIGNATURES_JSON,
    SIGNERS_PUB,
    STATEMENT_JSON,
    FolderFiles,
    Signed,
    broken_seal,
    fingerprint,
    is_encrypted,
    read_private_key,
    read_signed,
    read_stored_manifest,
    statement_of,
)
from schemas.errors import BadInput, FailedCheck

_REBUILD = "run validate; build or fetch the archive again"


@dataclass(frozen=True)
class SignReport:
    """What was signed, and by which keys it is signed now.

    Attributes
    ----------
    archive : its folder.
    manifest_sha256 : of the bytes of its manifest, which list those of all other files.
    signed_by : fingerprint of the key.
    signers : fingerprints of all keys whose signature stands there.
    """

    archive: str
    manifest_sha256: str
    signed_by: str
    signers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person."""
        others = [name for name in self.signers if name != self.signed_by]
        beside = [f"also signed by {', '.join(others)}"] if others else []
        return [f"{self.archive}: signed by {self.signed_by}", f"manifest sha256 {self.manifest_sha256}", *beside]


def asks_for_passphrase(key: Path) -> bool:
    """Whether a private key is encrypted.

    Errors
    ------
    BadInput : no such file.
    """
    return is_encrypted(_content(key))


def sign_archive(archive: Path, key: Path, passphrase: str | None = None) -> SignReport:
    """Add a signature over the statement of an archive; the same key signs the same archive to the same bytes.

    Every file is read and must be as the manifest states: nobody signs what has been altered since it was built. What
    others have signed of the same statement stays.

    Errors
    ------
    BadInput : no archive; no private Ed25519 key, or one that its passphrase does not open.
    FailedCheck : a file that is not as the manifest states.
    """
    manifest = _intact_manifest(archive)
    own = read_private_key(_content(key), str(key), passphrase.encode() if passphrase else None)
    statement = statement_of(manifest)
    signed = _standing(archive, statement).with_signature(own)
    _replace(archive / STATEMENT_JSON, statement)
    _replace(archive / SIGNERS_PUB, signed.public_keys())
    _replace(archive / SIGNATURES_JSON, signed.envelope())
    name = fingerprint(own.public_key())
    return SignReport(str(archive), sha256(manifest).hexdigest(), name, tuple(sorted(signed.signatures)))


def _intact_manifest(archive: Path) -> bytes:
    """Bytes of the manifest, once every file that it lists has been read."""
    manifest, files = read_stored_manifest(archive), FolderFiles(archive)
    if broken_seal(manifest.content):
        raise FailedCheck(f"{archive}/{MANIFEST_JSON}", "altered since it was written", "as it was written", _REBUILD)
    for file in manifest.files:
        digest = files.sha256(file.path) or "of no file"
        if digest != file.sha256:
            place = str(archive / file.path)
            raise FailedCheck(place, f"sha256 {digest}", f"sha256 {file.sha256}, as listed", _REBUILD)
    return manifest.content


def _standing(archive: Path, statement: bytes) -> Signed:
    """The signatures that stand there already, where they are of the same statement and hold."""
    nothing = Signed(statement, {}, {})
    try:
        envelope, keys = (archive / SIGNATURES_JSON).read_bytes(), (archive / SIGNERS_PUB).read_bytes()
        signed = read_signed(envelope, keys)
    except (FileNotFoundError, ValueError):
        return nothing
    return signed if signed.statement == statement and not [*signed.broken()] else nothing


def _replace(path: Path, content: bytes) -> None:
    """Put the whole file in its place at once."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)


def _content(key: Path) -> bytes:
    if not key.is_file():
        raise BadInput(str(key), "no such file", "a private Ed25519 key", "make one with: ssh-keygen -t ed25519 -f KEY")
    return key.read_bytes()
