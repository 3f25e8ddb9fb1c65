"""A quick yes to what follows a JSON Schema (draft 7); whoever needs to know what is wrong asks the slow validator.

Each schema is turned into one function, once. It says yes only where every keyword that it meets is one it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from referencing import Registry
from referencing._core import Resolver
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7

Accepts = Callable[[Any], bool]
_Schemas = Registry[Any]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}
# keywords that say nothing of a document, or that only a validator told to check formats looks at
_SILENT = {
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "definitions",
    "format",
    "$refs",
}


class Unknown(Exception):
    """A keyword that is not known here."""


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


class QuickSchemas:
    """The functions made of the schemas of a registry."""

    def __init__(self, registry: _Schemas) -> None:
        self._registry = registry
        self._made: dict[int, Accepts] = {}
        self._kept: list[Any] = []  # a function is found by its schema, which therefore stays

    def accepts(self, schema: Any, document: Any) -> bool:
        """Whether a document certainly follows a schema; False also where that cannot be told quickly."""
        try:
            resource = DRAFT7.create_resource(schema)
            return self._function(schema, self._registry.resolver_with_root(resource))(document)
        except (Unknown, Unresolvable, RecursionError):
            return False

    def _function(self, schema: Any, resolver: Resolver[Any]) -> Accepts:
        made = self._made.get(id(schema))
        if made is None:
            holder: list[Accepts] = []
            # a schema may name itself: until it is made, its name leads to what it will be

            def later(value: Any) -> bool:
                return holder[0](value)

            self._made[id(schema)] = later
            self._kept.append(schema)
            try:
                holder.append(self._make(schema, resolver))
            except BaseException:
                del self._made[id(schema)]
                raise
            made = self._made[id(schema)] = holder[0]
        return made

    def _make(self, schema: Any, resolver: Resolver[Any]) -> Accepts:
        if isinstance(schema, bool):
            return lambda _: schema
        if "$ref" in schema:
            return self._referred(schema["$ref"], resolver)
        if "$id" in schema:
            resolver = resolver.in_subresource(DRAFT7.create_resource(schema))
        parts = list(self._parts(schema, resolver))
        if len(parts) == 1:
            return parts[0]
        return lambda value: all(part(value) for part in parts)

    def _referred(self, reference: str, resolver: Resolver[Any]) -> Accepts:
        """What a reference leads to, looked up when it is first needed: some lead to schemas that are not at hand."""
        made: list[Accepts] = []

        def accepts(value: Any) -> bool:
            if not made:
                there = resolver.lookup(reference)
                made.append(self._function(there.contents, there.resolver))
            return made[0](value)

        return accepts

    def _parts(self, schema: dict[str, Any], resolver: Resolver[Any]) -> Iterator[Accepts]:
        known = _SILENT | _OF_VALUES.keys() | _OF_OBJECTS | _OF_LISTS | _OF_SCHEMAS
        if unknown := schema.keys() - known:
            raise Unknown(", ".join(sorted(unknown)))
        for name in _OF_VALUES.keys() & schema.keys():
            yield _OF_VALUES[name](schema[name])
        if _OF_OBJECTS & schema.keys():
            yield self._object(schema, resolver)
        if _OF_LISTS & schema.keys():
            yield self._list(schema, resolver)
        yield from self._combined(schema, resolver)

    def _combined(self, schema: dict[str, Any], resolver: Resolver[Any]) -> Iterator[Accepts]:
        def made(inner: Any) -> Accepts:
            return self._function(inner, resolver)

        for inner in schema.get("allOf", ()):
            yield made(inner)
        if "anyOf" in schema:
            some = [made(inner) for inner in schema["anyOf"]]
            yield lambda value: any(one(value) for one in some)
        if "oneOf" in schema:
            each = [made(inner) for inner in schema["oneOf"]]
            yield lambda value: sum(one(value) for one in each) == 1
        if "not" in schema:
            refused = made(schema["not"])
            yield lambda value: not refused(value)
        if "if" in schema:
            asked, then, other = (made(schema.get(name, True)) for name in ("if", "then", "else"))
            yield lambda value: then(value) if asked(value) else other(value)

    def _object(self, schema: dict[str, Any], resolver: Resolver[Any]) -> Accepts:
        required = tuple(schema.get("required", ()))
        named = {key: self._function(inner, resolver) for key, inner in schema.get("properties", {}).items()}
        patterns = [
            (re.compile(pattern), self._function(inner, resolver))
            for pattern, inner in schema.get("patternProperties", {}).items()
        ]
        more = self._function(schema.get("additionalProperties", True), resolver)
        least, most = schema.get("minProperties", 0), schema.get("maxProperties", float("inf"))
        entailed = [
            (key, self._function({"required": inner} if isinstance(inner, list) else inner, resolver))
            for key, inner in schema.get("dependencies", {}).items()
        ]

        def accepts(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            if any(key not in value for key in required) or not least <= len(value) <= most:
                return False
            if not all(inner(value) for key, inner in entailed if key in value):
                return False
            for key, part in value.items():
                own = named.get(key)
                if own is not None and not own(part):
                    return False
                fitting = [inner for pattern, inner in patterns if pattern.search(key)]
                if not all(inner(part) for inner in fitting):
                    return False
                if own is None and not fitting and not more(part):
                    return False
            return True

        return accepts

    def _list(self, schema: dict[str, Any], resolver: Resolver[Any]) -> Accepts:
        items = schema.get("items", True)
        first = [self._function(inner, resolver) for inner in items] if isinstance(items, list) else []
        rest = schema.get("additionalItems", True) if isinstance(items, list) else items
        others = self._function(rest, resolver)
        contained = self._function(schema["contains"], resolver) if "contains" in schema else None
        least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
        unique = bool(schema.get("uniqueItems"))

        def accepts(value: Any) -> bool:
            if not isinstance(value, list):
                return True
            if not least <= len(value) <= most or (unique and _repeated(value)):
                return False
            if contained is not None and not any(contained(part) for part in value):
                return False
            if not all(one(part) for one, part in zip(first, value, strict=False)):
                return False
            return all(others(part) for part in value[len(first) :])

        return accepts


def _repeated(values: list[Any]) -> bool:
    return any(_equal(one, other) for place, one in enumerate(values) for other in values[:place])


def _of_type(kinds: Any) -> Accepts:
    tests = [_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _of_text(test: Callable[[str], bool]) -> Accepts:
    return lambda value: not isinstance(value, str) or test(value)


def _of_number(test: Callable[[float], bool]) -> Accepts:
    return lambda value: not _TYPES["number"](value) or test(value)


def _pattern(pattern: str) -> Accepts:
    search = re.compile(pattern).search
    return _of_text(lambda text: search(text) is not None)


_OF_VALUES: dict[str, Callable[[Any], Accepts]] = {
    "type": _of_type,
    "const": lambda wanted: lambda value: _equal(value, wanted),
    "enum": lambda allowed: lambda value: any(_equal(value, one) for one in allowed),
    "minLength": lambda least: _of_text(lambda text: len(text) >= least),
    "maxLength": lambda most: _of_text(lambda text: len(text) <= most),
    "pattern": _pattern,
    "minimum": lambda least: _of_number(lambda number: number >= least),
    "maximum": lambda most: _of_number(lambda number: number <= most),
    "exclusiveMinimum": lambda least: _of_number(lambda number: number > least),
    "exclusiveMaximum": lambda most: _of_number(lambda number: number < most),
}
_OF_OBJECTS = {
    *("required", "properties", "patternProperties", "additionalProperties", "minProperties", "maxProperties"),
    "dependencies",
}
_OF_LISTS = {"items", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems"}
_OF_SCHEMAS = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
