"""What is stated of a manifest: an in-toto statement that names its bytes and how they came about.

The form is the in-toto Statement v1 with the predicate SLSA Provenance v1, which supply-chain programs read.
All of it follows from the manifest, which it names by sha256; it holds no date and no name of a machine.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.archive.forms import formed
from catalog.archive.layout import MANIFEST_JSON, STATEMENT_JSON
from catalog.archive.manifest import ADDRESSED_FROM, BASE_URL, parse_manifest

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:glacier-archive:build:1"
BUILDER = "urn:glacier-archive"


def statement_of(manifest: bytes) -> bytes:
    """The statement over a manifest: its sha256, the raw inputs, the settings, and the software.

    Parameters
    ----------
    manifest : the bytes of ``manifest.json``, one of ours.

    Errors
    ------
    ValueError : no manifest of ours.
    """
    content = parse_manifest(manifest)
    if content is None:
        raise ValueError("no manifest of ours")
    return _statement(content, sha256(manifest).hexdigest())


def statement_without_address(manifest: dict[str, Any]) -> bytes:
    """The statement over the manifest that an archive had before it was given its address: what was signed then."""
    before = {key: value for key, value in manifest.items() if key != ADDRESSED_FROM} | {BASE_URL: None}
    return _statement(before, str(manifest[ADDRESSED_FROM]["sha256"]))


def _statement(content: dict[str, Any], manifest_sha256: str) -> bytes:
    datasets = content.get("datasets", [])
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": MANIFEST_JSON, "digest": {"sha256": manifest_sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    BASE_URL: content.get(BASE_URL),
                    "datasets": [_asked_for(dataset) for dataset in datasets],
                },
                "resolvedDependencies": [
                    *_without_address(content),
                    *(_input(dataset, file) for dataset in datasets for file in dataset.get("inputs", ())),
                ],
            },
            "runDetails": {
                "builder": {
                    "id": BUILDER,
                    "version": {"glacier-archive": content.get("code_version"), **content.get("tools", {})},
                }
            },
        },
    }
    return (json.dumps(statement, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_statement(root: Path) -> None:
    """Write ``statement.json`` over the manifest that stands below ``root``."""
    (root / STATEMENT_JSON).write_bytes(statement_of((root / MANIFEST_JSON).read_bytes()))


def stated_sha256(statement: bytes) -> str | None:
    """The sha256 of the manifest that a statement names, or None where it names none."""
    try:
        subjects = formed(STATEMENT_JSON, json.loads(statement)).get("subject", ())
    except (ValueError, RecursionError):
        return None
    named = (one.get("digest", {}).get("sha256") for one in subjects if one.get("name") == MANIFEST_JSON)
    return next(named, None)


def _without_address(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The archive as it was before it had an address: its manifest, and the signatures that were made over that."""
    before = content.get(ADDRESSED_FROM)
    if not before:
        return []
    signatures = {"annotations": {"signatures": before["signatures"]}} if before["signatures"] else {}
    return [{"name": MANIFEST_JSON, "digest": {"sha256": before["sha256"]}, **signatures}]


def _asked_for(dataset: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "version", "kind", "synthetic", "settings", "definition")
    return {name: dataset[name] for name in names if name in dataset}


def _input(dataset: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"{dataset['id']}/{file['source']}/{file['name']}", "digest": {"sha256": file["sha256"]}}
