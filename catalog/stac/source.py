"""What the documents of one dataset draw on: definition, facts, software and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from pystac import Link

from catalog.archive import COLLECTION_JSON, CollectionFolder, Dataset, Item, part_id
from catalog.metadata import Facts
from catalog.stac.languages import Language, keyword_list
from schemas.definition import Bilingual, Definition

ITEMS_IN_A_PART = 500  # with titles of ordinary length a fifth of the megabyte that no document may exceed
_SYNTHETIC = {"en": "synthetic", "zh": "合成数据"}


@dataclass(frozen=True)
class Part:
    """A sub-catalogue: its id, the position of its first item in the collection (from 1), its items."""

    part_id: str
    first: int
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class DescribedDataset:
    """A dataset with its facts and items, written below ``root``; ``base`` is the address it is served from."""

    dataset: Dataset
    facts: Facts
    items: tuple[Item, ...]
    root: Path
    base: str
    software: dict[str, str]

    @property
    def definition(self) -> Definition:
        return self.dataset.definition

    @property
    def folder(self) -> CollectionFolder:
        return CollectionFolder(self.root, self.definition.id)

    @property
    def collection_path(self) -> str:
        return f"{self.definition.id}/{COLLECTION_JSON}"

    @property
    def is_large(self) -> bool:
        """Whether its items are too many to be named by the collection itself."""
        return len(self.items) > ITEMS_IN_A_PART

    @property
    def parts(self) -> tuple[Part, ...]:
        """Sub-catalogues in order; none where the collection itself can name all items."""
        if not self.is_large:
            return ()
        starts = range(0, len(self.items), ITEMS_IN_A_PART)
        return tuple(
            Part(part_id(number), start + 1, self.items[start : start + ITEMS_IN_A_PART])
            for number, start in enumerate(starts, 1)
        )

    def item_path(self, item: Item) -> str:
        return f"{self.definition.id}/{item.item_id}/{item.item_id}.json"

    def part_path(self, part: str) -> str:
        return f"{self.definition.id}/{part}.json"

    def keywords(self, language: Language) -> list[str]:
        """Keywords in one language, each once; of a synthetic dataset they say so."""
        return self._keywords(language, ("theme", "subject", "place", "time"))

    def item_keywords(self, item: Item, language: Language) -> list[str]:
        """Those of the dataset, with the item's own years in place of the dataset's."""
        year = item.properties.get("glacier:year")
        years = (item.start.year, item.end.year) if year is None else (year,)
        words = self._keywords(language, ("theme", "subject", "place"))
        return list(dict.fromkeys([*words, *map(str, years)]))

    def _keywords(self, language: Language, kinds: tuple[str, ...]) -> list[str]:
        listed = self.definition.keywords
        words = (keyword_list(listed.cn, kinds) if language.code == "zh" else []) or keyword_list(listed.en, kinds)
        return [*words, *([_SYNTHETIC[language.code]] if self.dataset.synthetic else [])]

    def licence_link(self, language: Language) -> Link:
        """The link to the licence's text; to the publisher where it is none of the listed ones."""
        definition = self.definition
        other = definition.licence == "other"
        href = definition.publisher_url if other else f"https://spdx.org/licenses/{definition.licence}.html"
        stated = Bilingual(en=definition.licence_note, cn=definition.licence_note_cn)
        title = language.text(stated) or f"{language.say('Licence: ', '许可：')}{definition.licence}"
        return Link("license", href, "text/html", title)


def first_second(day: date) -> datetime:
    """A day's beginning, UTC."""
    return datetime.combine(day, time.min, UTC)


def last_second(day: date) -> datetime:
    """A day's end, UTC."""
    return datetime.combine(day, time(23, 59, 59), UTC)
