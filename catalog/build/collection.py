"""What the archive's own documents, and the report of a build, tell of one collection once its files are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from catalog.archive import Dataset, InputFile, Item
from catalog.build.report import PublishedCollection
from catalog.metadata import Facts
from catalog.pages import Card
from catalog.reports import Row, dataset_rows, dataset_summary
from schemas.definition import Bilingual, Definition
from schemas.messages import in_chinese


@dataclass(frozen=True, kw_only=True)
class CollectionFacts:
    """The part that follows from the result; JSON can hold it.

    Attributes
    ----------
    title : as the catalogue names it; of a synthetic dataset it says so.
    synthetic : whether it comes from the embedded sample.
    inputs : the raw inputs it was computed from.
    settings : of its processing, as the manifest states them.
    items : their ids.
    card : what the front page tells of it.
    summary : its part of ``build --json``.
    rows, rows_cn : quantity, value and note, as ``build`` shows them in English and in Chinese.
    """

    title: Bilingual
    synthetic: bool
    inputs: tuple[InputFile, ...]
    settings: dict[str, Any]
    items: tuple[str, ...]
    card: Card
    summary: dict[str, Any]
    rows: tuple[Row, ...]
    rows_cn: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Collection:
    """A written collection: its definition, and the facts of its result."""

    definition: Definition
    facts: CollectionFacts

    def published(self) -> PublishedCollection:
        """As the report of the build tells it."""
        facts, definition = self.facts, self.definition
        return PublishedCollection(
            collection_id=definition.id,
            title=definition.title.en,
            synthetic=facts.synthetic,
            items=facts.items,
            summary=facts.summary,
            rows=facts.rows,
            rows_cn=facts.rows_cn,
            title_cn=definition.title.cn,
        )


def _in_both(rows: list[Row]) -> dict[str, tuple[Row, ...]]:
    """The rows as plain text in each language, which a cache can hold."""
    chinese = [in_chinese(list(row)) for row in rows]
    return {
        "rows": tuple((str(name), str(value), str(note)) for name, value, note in rows),
        "rows_cn": tuple((name, value, note) for name, value, note in chinese),
    }


def facts_of(dataset: Dataset, facts: Facts, items: tuple[Item, ...], card: Card) -> CollectionFacts:
    """The facts of a collection whose files were just written."""
    return CollectionFacts(
        title=facts.title,
        synthetic=dataset.synthetic,
        inputs=tuple(sorted(dataset.inputs)),
        settings=dataset.settings,
        items=tuple(item.item_id for item in items),
        card=card,
        summary=dataset_summary(dataset),
        **_in_both(dataset_rows(dataset)),
    )


def facts_to_json(facts: CollectionFacts) -> dict[str, Any]:
    """As plain JSON values."""
    plain: dict[str, Any] = TypeAdapter(CollectionFacts).dump_python(facts, mode="json")
    return plain


def facts_from_json(plain: dict[str, Any]) -> CollectionFacts:
    """What ``facts_to_json`` made, read back.

    Errors
    ------
    ValueError : values of another shape.
    """
    return TypeAdapter(CollectionFacts).validate_python(plain)
