"""Checks of what vouches for the manifest: the statement over it, and the signatures over that."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from catalog.archive import (
    ADDRESSED_FROM,
    INSTALL_SIGNING,
    MANIFEST_JSON,
    SIGNATURES_JSON,
    SIGNERS_PUB,
    STATEMENT_JSON,
    Archive,
    File,
    Signed,
    fingerprint,
    read_signed,
    signatures_can_be_read,
    signed_as_told,
    stated_sha256,
    statement_of,
    statement_without_address,
    whole,
)
from catalog.checks.result import Failure, NotChecked, check

_REBUILD = "build the archive again, or fetch the file anew"
_SIGN_ADDRESSED = "check who addressed it, and sign it with the sign command"
_SIGN = "sign the archive again once it is known to be right"


@check(
    "statement",
    "the statement names the manifest's sha256, inputs, settings and software, as the manifest states them",
    whole,
)
def statement_agrees(root: File) -> Iterator[Failure]:
    files = root.archive.files
    root.archive.require_form(MANIFEST_JSON, root.archive.parsed_manifest)
    statement, manifest = files.read(STATEMENT_JSON), files.read(MANIFEST_JSON) or b""
    if statement is None:
        raise NotChecked("the archive was made before statements were")
    digest = sha256(manifest).hexdigest()
    if stated_sha256(statement) != digest:
        yield Failure(STATEMENT_JSON, f"sha256 {stated_sha256(statement)}", f"{digest}, of {MANIFEST_JSON}", _REBUILD)
    elif statement != statement_of(manifest):
        expected = f"inputs, settings and software as in {MANIFEST_JSON}"
        yield Failure(STATEMENT_JSON, "another account of the build", expected, _REBUILD)


def _signed_before(archive: Archive) -> Signed | None:
    """The signatures that were made over the archive before it was given its address; None where none were."""
    told = (archive.manifest.get(ADDRESSED_FROM) or {}).get("signatures")
    if not told:
        return None
    if not signatures_can_be_read():
        raise NotChecked(f"the library for signatures is not installed: {INSTALL_SIGNING}")
    return signed_as_told(statement_without_address(archive.manifest), told)


def signers_of(archive: Archive) -> tuple[str, ...]:
    """Fingerprints of the keys whose signature over the archive's own statement holds."""
    if not signatures_can_be_read():
        return ()
    try:
        signed = read_signed(archive.files.read(SIGNATURES_JSON) or b"", archive.files.read(SIGNERS_PUB) or b"")
    except (ValueError, RecursionError):
        return ()
    if signed.statement != archive.files.read(STATEMENT_JSON):
        return ()
    return tuple(sorted({*signed.signatures} - {*signed.broken()}))


@check("signatures", "every signature over the statement holds, and the key that is asked for has signed it", whole)
def signatures_hold(root: File) -> Iterator[Failure]:
    files, asked = root.archive.files, root.archive.signed_by
    before = _signed_before(root.archive)
    for name in before.broken() if before else ():
        told = f"a signature from before it had an address that does not hold, of {name}"
        yield Failure(MANIFEST_JSON, told, "one that holds", _REBUILD)
    envelope = files.read(SIGNATURES_JSON)
    if envelope is None:
        if asked is not None and before and fingerprint(asked) in before.signatures:
            told = "a signature by that key over the archive before it had its address"
            yield Failure(SIGNATURES_JSON, told, f"one over {STATEMENT_JSON} as it is now", _SIGN_ADDRESSED)
        elif asked is not None:
            remedy = "ask its publisher for the signed archive, or sign it with the sign command"
            yield Failure(SIGNATURES_JSON, "no such file", f"a signature by {fingerprint(asked)}", remedy)
        return
    if not signatures_can_be_read():
        raise NotChecked(f"the library for signatures is not installed: {INSTALL_SIGNING}")
    signed = read_signed(envelope, files.read(SIGNERS_PUB) or b"")
    if signed.statement != files.read(STATEMENT_JSON):
        yield Failure(SIGNATURES_JSON, "a signature over other bytes", f"one over {STATEMENT_JSON}", _SIGN)
    # keys go by their own fingerprint: the signature of the one that is asked for is proved with that very key
    for name in signed.broken():
        yield Failure(SIGNATURES_JSON, f"a signature that does not hold, of {name}", "one that holds", _SIGN)
    if asked is not None and fingerprint(asked) not in signed.signatures:
        signers = f"signatures by {', '.join(signed.signatures)}"
        yield Failure(SIGNATURES_JSON, signers, f"one by {fingerprint(asked)}", "trust it no more than its signers")
