"""STAC documents checked against the published JSON Schemas, without a network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import NoSuchResource
from referencing.jsonschema import DRAFT7

from schemas.glacier_extension import PREFIX, SCHEMA_PATH, json_schema
from schemas.quick_schemas import QuickSchemas

Schemas = Registry[Any]

_CORE = {
    "Feature": "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json",
    "Collection": "https://schemas.stacspec.org/v1.1.0/collection-spec/json-schema/collection.json",
    "Catalog": "https://schemas.stacspec.org/v1.1.0/catalog-spec/json-schema/catalog.json",
}
_ACCURACY = "https://stac-extensions.github.io/accuracy/v1.0.0-beta.1/schema.json"
_ACCURACY_FIELDS = (
    "geometric_x_bias",
    "geometric_y_bias",
    "geometric_x_stddev",
    "geometric_y_stddev",
    "geometric_rmse",
    "measurement_relative",
    "measurement_absolute",
)


@dataclass(frozen=True)
class SchemaVerdict:
    """What the schemas say of one document.

    Attributes
    ----------
    failures : one line each: place in the document, what is wrong.
    not_at_hand : declared extensions whose schema could not be had offline, hence not checked.
    """

    failures: tuple[str, ...]
    not_at_hand: tuple[str, ...]


def schema_folder() -> Path | None:
    """The folder of extension schemas: ``GLACIER_STAC_SCHEMAS``, else ``stac-schemas``, where `fetch` puts them."""
    folder = Path(os.environ.get("GLACIER_STAC_SCHEMAS") or "stac-schemas")
    return folder if folder.is_dir() else None


def schemas_at_hand(folder: Path | None = None) -> Schemas:
    """The STAC core schemas, and those below ``folder`` (laid out by URL: ``<host>/<path>/schema.json``).

    The core comes with pystac; a schema in ``folder`` under the same URL takes precedence. The few fields of the
    accuracy extension are stated here where ``folder`` has no schema of it: it is rarely mirrored.
    """
    published = dict(_in_folder(folder)) if folder else {}
    at_hand = {**dict(_bundled()), **({_ACCURACY: _accuracy_schema()} if folder else {}), **published}
    registry: Schemas = Registry()
    return registry.with_resources(
        (url, DRAFT7.create_resource(content)) for url, content in sorted(at_hand.items())
    ).crawl()


def validate_stac(document: dict[str, Any], registry: Schemas) -> SchemaVerdict:
    """Check one Catalog, Collection or Item against the core, its extensions and the ``glacier:`` fields.

    Every failure is reported. An extension whose schema is not in ``registry`` is listed, not failed; our own schema
    is always at hand.
    """
    kind = document.get("type")
    if not isinstance(kind, str) or kind not in _CORE:
        return SchemaVerdict((f"type: found {kind!r}; expected one of {sorted(_CORE)}",), ())
    failures = list(_failures(document, registry[_CORE[kind]].contents, registry))
    missing = []
    declared = document.get("stac_extensions")
    for url in declared if isinstance(declared, list) else ():
        if not isinstance(url, str):
            continue  # the core schema has said so
        if url.endswith(SCHEMA_PATH):
            continue  # ours, checked below whether declared or not
        try:
            schema = registry[url].contents
        except NoSuchResource:
            missing.append(url)
            continue
        failures += [f"{failure} (extension {url})" for failure in _failures(document, schema, registry)]
    if _uses_own_fields(document):
        failures += [f"{failure} (glacier fields)" for failure in _failures(document, _own_schema(), registry)]
    return SchemaVerdict(tuple(dict.fromkeys(failures)), tuple(missing))


def _uses_own_fields(document: dict[str, Any]) -> bool:
    properties = document.get("properties", {})
    return any(key.startswith(PREFIX) for key in (*document, *(properties if isinstance(properties, dict) else ())))


@cache
def _own_schema() -> dict[str, Any]:
    return json_schema()


def _failures(document: dict[str, Any], schema: Any, registry: Schemas) -> Iterator[str]:
    if _quick(registry).accepts(schema, document):
        return
    for error in Draft7Validator(schema, registry=registry).iter_errors(document):
        cause = _cause(error)
        place = "/".join(str(part) for part in cause.absolute_path) or "document"
        yield f"{place}: {cause.message[:300]}"


def _quick(registry: Schemas) -> QuickSchemas:
    """The quick functions of a registry, made once for it and for no other."""
    kept = _QUICK.get("")
    if kept is None or kept[0] is not registry:
        kept = _QUICK[""] = (registry, QuickSchemas(registry))
    return kept[1]


_QUICK: dict[str, tuple[Schemas, QuickSchemas]] = {}


def _cause(error: ValidationError) -> ValidationError:
    """What is wrong in the branch of a ``oneOf`` or ``anyOf`` that was meant: the one for this type of document."""
    while error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = [inner for branch in branches.values() if not any(map(_wrong_type, branch)) for inner in branch]
        error = max(meant or error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _wrong_type(error: ValidationError) -> bool:
    return error.validator in ("const", "enum") and list(error.absolute_path) == ["type"]


def _accuracy_schema() -> dict[str, Any]:
    """What the accuracy extension 1.0.0-beta.1 says of its fields: each is a number, and there is no other."""
    number = {"type": "number"}
    fields = {
        "properties": {f"accuracy:{name}": number for name in _ACCURACY_FIELDS},
        "patternProperties": {"^(?!accuracy:)": {}},
        "additionalProperties": False,
    }
    assets = {"type": "object", "additionalProperties": fields}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"properties": fields, "assets": assets, "item_assets": assets},
    }


def _bundled() -> Iterator[tuple[str, Any]]:
    folder = resources.files("pystac.validation") / "jsonschemas"
    for entry in _json_files(folder):
        content = json.loads(entry.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "$id" in content:
            # by file name: the common.json that pystac bundles calls itself "commonjson"
            yield f"{str(content['$id']).rpartition('/')[0]}/{entry.name}", content


def _json_files(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _json_files(entry)
        elif entry.name.endswith(".json"):
            yield entry


def _in_folder(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*.json")):
        # the URL it is served from, not its $id: some published schemas carry the $id of another version
        yield f"https://{path.relative_to(folder).as_posix()}", json.loads(path.read_text(encoding="utf-8"))
