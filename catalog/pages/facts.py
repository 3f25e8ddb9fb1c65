"""What the front page tells of a collection: a picture, numbers, verdicts, and what the search finds it by."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.figures import Words
from catalog.pages.search import Searchable
from catalog.reports import KeyNumber
from schemas.definition import Bilingual


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image of a page: its path from the page, what it shows, its size (pixels), and its words in both languages."""

    href: str
    title: Bilingual
    description: Bilingual
    width: int
    height: int
    words: Words = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A quality gate: how many were judged, of what kind, how many failed, the worst value and the limit."""

    name: Bilingual
    passed: bool
    count: int
    failed: int
    worst: float | None
    limit: float
    unit: str
    meaning: Bilingual
    judged: Bilingual


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the front page tells of a collection.

    Attributes
    ----------
    href : its page, from the front page.
    synthetic : whether it comes from the embedded sample.
    picture : its best thumbnail.
    numbers, gates : its key numbers, and the verdicts of its quality gates.
    count : number of items.
    search : what the search of the front page finds it and its items by.
    """

    href: str
    synthetic: bool
    picture: Picture | None
    numbers: tuple[KeyNumber, ...]
    gates: tuple[Verdict, ...]
    count: int
    search: Searchable
