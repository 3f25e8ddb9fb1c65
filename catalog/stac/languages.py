"""The two languages of the catalogue: every document stands once in each, and each names the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog.archive import chinese_twin
from schemas.definition import Bilingual, Keywords
from schemas.messages import in_chinese


@dataclass(frozen=True)
class Language:
    """A language of the catalogue: its tag (RFC 5646), its name in itself and in English."""

    code: str
    name: str
    alternate: str

    def say(self, english: str, chinese: str) -> str:
        """The text in this language; English where there is no Chinese."""
        return chinese or english if self.code == "zh" else english

    def text(self, both: Bilingual) -> str:
        """The text in this language; English where there is no Chinese."""
        return self.say(both.en, both.cn)

    def document(self, said: dict[str, Any]) -> dict[str, Any]:
        """A part of a document with its messages said in this language."""
        spoken: dict[str, Any] = in_chinese(said) if self.code == "zh" else said
        return spoken

    def path(self, path: str) -> str:
        """Where the document that stands in English at ``path`` stands in this language."""
        return chinese_twin(path) if self.code == "zh" else path

    def to_dict(self) -> dict[str, str]:
        """The Language Object of the language extension."""
        return {"code": self.code, "name": self.name, "alternate": self.alternate, "dir": "ltr"}


ENGLISH = Language("en", "English", "English")
CHINESE = Language("zh", "中文", "Chinese")
LANGUAGES = (ENGLISH, CHINESE)


def other_than(language: Language) -> Language:
    """The other of the two."""
    return CHINESE if language == ENGLISH else ENGLISH


def keyword_list(keywords: Keywords, kinds: Iterable[str]) -> list[str]:
    """Keywords of these kinds together, each word once, in the source's order."""
    return list(dict.fromkeys(word for kind in kinds for word in getattr(keywords, kind)))
