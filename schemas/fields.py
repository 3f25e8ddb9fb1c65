"""What a column and a table are; the single place from which Table Schemas are generated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

FieldType = Literal["string", "integer", "number", "boolean", "date", "year"]
FIELD_TYPES: tuple[str, ...] = get_args(FieldType)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name (unit included), type, meaning and constraints."""

    name: str
    type: FieldType
    meaning: str
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[str, ...] = ()
    pattern: str = ""
    decimals: int | None = None  # published precision of a number

    def but(self, **changes: Any) -> Column:
        """The same column with some properties changed (``required=True`` in one table, say)."""
        return Column(**{**self.__dict__, **changes})

    def table_schema(self) -> dict[str, Any]:
        """The Frictionless Table Schema field descriptor."""
        limits = {
            "required": self.required or None,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "enum": list(self.enum) or None,
            "pattern": self.pattern or None,
        }
        constraints = {key: value for key, value in limits.items() if value is not None}
        described: dict[str, Any] = {"name": self.name, "type": self.type, "description": self.meaning}
        if self.unit:
            described["unit"] = self.unit
        if constraints:
            described["constraints"] = constraints
        return described


@dataclass(frozen=True)
class ForeignKey:
    """``columns`` of this table point at ``reference_columns`` of ``table``."""

    columns: tuple[str, ...]
    table: str
    reference_columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its name, what it holds, columns in order, primary key and foreign keys."""

    name: str
    title: str
    meaning: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...] = field(default=())

    def __post_init__(self) -> None:
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError(f"table {self.name}: a column is named twice")
        unknown = [key for key in self.primary_key if key not in names]
        if unknown:
            raise ValueError(f"table {self.name}: primary key {unknown} is not among its columns")
        strange = [name for key in self.foreign_keys for name in key.columns if name not in names]
        if strange:
            raise ValueError(f"table {self.name}: foreign key {strange} is not among its columns")

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def references(self, present: Iterable[str] | None = None) -> tuple[ForeignKey, ...]:
        """The foreign keys to tables in ``present`` (all when None): a reference to an absent table proves nothing."""
        known = None if present is None else set(present)
        return tuple(key for key in self.foreign_keys if known is None or key.table in known)

    def table_schema(self, present: Iterable[str] | None = None) -> dict[str, Any]:
        """The Frictionless Table Schema; foreign keys only to tables in ``present`` (all when None)."""
        schema: dict[str, Any] = {
            "fields": [column.table_schema() for column in self.columns],
            "primaryKey": list(self.primary_key),
            "missingValues": [""],
        }
        if keys := self.references(present):
            schema["foreignKeys"] = [
                {
                    "fields": list(key.columns),
                    "reference": {"resource": key.table, "fields": list(key.reference_columns)},
                }
                for key in keys
            ]
        return schema
