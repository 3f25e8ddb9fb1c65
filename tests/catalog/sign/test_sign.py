"""Signatures over an archive, made and proved with OpenSSL and OpenSSH as well as with our own commands."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from catalog.archive import read_public_key
from catalog.archive.layout import MANIFEST_JSON, SIGNATURES_JSON, SIGNERS_PUB, STATEMENT_JSON
from catalog.archive.statement import write_statement
from catalog.checks import validate
from catalog.publish import publish
from catalog.sign import asks_for_passphrase, sign_archive
from schemas.errors import BadInput, FailedCheck
from tests.made.tiny_archive import CSV_PATH, write_archive, write_manifest

CHECKS = ("statement", "signatures")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
needs_openssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    root.mkdir()
    write_archive(root, raster=False)
    _reseal(root)
    return root


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path / "key")


def _reseal(root: Path) -> None:
    """The manifest of a tiny archive with its own sha256, as a build writes it."""
    from catalog.archive.manifest import sealed

    write_manifest(root)
    path = root / MANIFEST_JSON
    path.write_bytes(sealed(json.loads(path.read_text())))
    write_statement(root)


def make_key(path: Path) -> Path:
    """An Ed25519 pair in PEM, written by the library itself: ``path`` and ``path.pub``."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public + b" curator@example.org\n")
    return path


def failed(root: Path, signed_by: Path | None = None) -> dict[str, str]:
    """What the two checks find; the tiny archive fails most of the others."""
    report = validate(root, signed_by=signed_by)
    return {one.name: str(one.failures[0]) for one in report.results if one.name in CHECKS and one.failures}


def test_a_signed_archive_says_who_signed_it_and_signing_again_changes_no_byte(archive: Path, key: Path) -> None:
    report = sign_archive(archive, key)
    assert report.manifest_sha256 == sha256((archive / MANIFEST_JSON).read_bytes()).hexdigest()
    assert validate(archive).signed_by == (report.signed_by,)
    assert failed(archive) == failed(archive, key.with_suffix(".pub")) == {}
    before = (archive / SIGNATURES_JSON).read_bytes()
    sign_archive(archive, key)
    assert (archive / SIGNATURES_JSON).read_bytes() == before


def test_two_people_sign_one_archive(archive: Path, key: Path, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    first, second = sign_archive(archive, key), sign_archive(archive, other)
    assert set(second.signers) == {first.signed_by, second.signed_by}
    assert failed(archive, key.with_suffix(".pub")) == failed(archive, other.with_suffix(".pub")) == {}


def test_nobody_signs_what_was_altered(archive: Path, key: Path) -> None:
    with (archive / CSV_PATH).open("ab") as file:
        file.write(b"G9,1.0\n")
    with pytest.raises(FailedCheck, match=CSV_PATH):
        sign_archive(archive, key)
    assert not (archive / SIGNATURES_JSON).exists()


def test_a_forger_who_makes_all_checksums_fit_breaks_the_signature(archive: Path, key: Path) -> None:
    sign_archive(archive, key)
    with (archive / CSV_PATH).open("ab") as file:
        file.write(b"G9,1.0\n")
    _reseal(archive)
    assert "a signature over other bytes" in failed(archive)["signatures"]
    assert validate(archive).signed_by == ()


def test_a_forger_who_signs_anew_is_another_person(archive: Path, key: Path, tmp_path: Path) -> None:
    sign_archive(archive, key)
    sign_archive(archive, make_key(tmp_path / "forger"))
    (archive / SIGNATURES_JSON).unlink()
    report = sign_archive(archive, tmp_path / "forger")
    assert failed(archive) == {}
    assert report.signed_by in failed(archive, key.with_suffix(".pub"))["signatures"]


def test_a_foreign_signature_under_the_right_name_does_not_hold(archive: Path, key: Path, tmp_path: Path) -> None:
    """The forger claims the trusted key's name for his own signature, and leaves the true key beside it."""
    right = sign_archive(archive, key)
    keys = (archive / SIGNERS_PUB).read_bytes()
    envelope = json.loads((archive / SIGNATURES_JSON).read_text())
    other = sign_archive(archive, make_key(tmp_path / "other"))
    theirs = next(
        one["sig"]
        for one in json.loads((archive / SIGNATURES_JSON).read_text())["signatures"]
        if one["keyid"] == other.signed_by
    )
    envelope["signatures"] = [{"keyid": right.signed_by, "sig": theirs}]
    (archive / SIGNATURES_JSON).write_text(json.dumps(envelope))
    (archive / SIGNERS_PUB).write_bytes(keys)
    assert "does not hold" in failed(archive)["signatures"]
    assert "does not hold" in failed(archive, key.with_suffix(".pub"))["signatures"]


@pytest.mark.parametrize("name", [MANIFEST_JSON, STATEMENT_JSON, SIGNATURES_JSON, SIGNERS_PUB])
def test_one_flipped_byte_in_any_of_the_four_is_found(archive: Path, key: Path, name: str) -> None:
    sign_archive(archive, key)
    content = bytearray((archive / name).read_bytes())
    missed = []
    for place in range(40, len(content) - 2, max(1, len(content) // 12)):
        flipped = content.copy()
        flipped[place] ^= 1
        (archive / name).write_bytes(flipped)
        report = validate(archive, signed_by=key.with_suffix(".pub"))
        caught = {"statement", "signatures", "manifest-intact", "is-archive"} & set(report.failed_checks())
        # the comment behind a public key is no part of it
        missed += [] if caught else [place]
    assert missed == []


def test_an_archive_without_the_signature_that_is_asked_for_fails(archive: Path, key: Path) -> None:
    assert failed(archive) == {}
    assert "no such file" in failed(archive, key.with_suffix(".pub"))["signatures"]


def test_a_statement_that_tells_another_build_is_found(archive: Path) -> None:
    statement = json.loads((archive / STATEMENT_JSON).read_text())
    statement["predicate"]["runDetails"]["builder"]["version"]["glacier-archive"] = "9.9"
    (archive / STATEMENT_JSON).write_text(json.dumps(statement, indent=2) + "\n")
    assert "another account" in failed(archive)["statement"]


def test_signatures_are_published_with_the_archive_and_stale_ones_removed(
    archive: Path, key: Path, tmp_path: Path
) -> None:
    sign_archive(archive, key)
    there = tmp_path / "there"
    publish(archive, str(there))
    assert failed(there, key.with_suffix(".pub")) == {}
    with (archive / CSV_PATH).open("ab") as file:
        file.write(b"G9,1.0\n")
    _reseal(archive)
    (archive / SIGNATURES_JSON).unlink()
    (archive / SIGNERS_PUB).unlink()
    report = publish(archive, str(there), delete=True)
    assert {SIGNATURES_JSON, SIGNERS_PUB} <= set(report.deleted)
    assert failed(there) == {}


def test_a_statement_of_another_manifest_is_not_published(archive: Path, tmp_path: Path) -> None:
    with (archive / CSV_PATH).open("ab") as file:
        file.write(b"G9,1.0\n")
    write_manifest(archive)
    with pytest.raises(FailedCheck, match="another manifest"):
        publish(archive, str(tmp_path / "there"))


@needs_openssl
def test_openssl_proves_the_signature(archive: Path, tmp_path: Path) -> None:
    """OpenSSL makes the key, and proves our signature over the encoding that DSSE prescribes."""
    key, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    sign_archive(archive, key)
    envelope = json.loads((archive / SIGNATURES_JSON).read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    message = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    (tmp_path / "message").write_bytes(message)
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin"]
    files = ["-in", tmp_path / "message", "-sigfile", tmp_path / "signature"]
    assert b"Verified Successfully" in subprocess.run([*command, *files], check=True, capture_output=True).stdout
    assert failed(archive, public) == {}
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    digest = sha256((archive / MANIFEST_JSON).read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": MANIFEST_JSON, "digest": {"sha256": digest}}]


@needs_openssh
def test_a_key_of_openssh_is_named_as_openssh_names_it(archive: Path, tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    listed = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True).stdout
    assert sign_archive(archive, key).signed_by == listed.split()[1]
    assert not asks_for_passphrase(key)


@needs_openssl
def test_an_encrypted_key_asks_for_its_passphrase(archive: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    make = ["openssl", "genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass", "pass:glacier", "-out", key]
    subprocess.run(make, check=True)
    assert asks_for_passphrase(key)
    for wrong in ("moraine", None):
        with pytest.raises(BadInput, match="no key that can be read"):
            sign_archive(archive, key, wrong)
    assert sign_archive(archive, key, "glacier").signers


@needs_openssh
def test_an_encrypted_key_of_openssh_is_refused_with_what_to_do(archive: Path, tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "glacier", "-f", key], check=True)
    with pytest.raises(BadInput, match="openssl genpkey"):
        sign_archive(archive, key)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_bad_input(archive: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="Ed25519"):
        sign_archive(archive, path)
    with pytest.raises(BadInput, match="Ed25519"):
        read_public_key(content, str(path))


def test_a_key_of_another_kind_is_refused(archive: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    key = generate_private_key(SECP256R1())
    path = tmp_path / "key"
    path.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    with pytest.raises(BadInput, match="another kind"):
        sign_archive(archive, path)
