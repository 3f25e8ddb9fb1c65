"""Sentences with values, said in English and in Chinese from the same call: neither can say what the other does not.

The English words with their placeholders are the key; the Chinese ones stand in ``schemas.sentences_cn``. A message is
its English text, and goes wherever text goes: into JSON, tables and logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from schemas.sentences_cn import SENTENCES_CN


class Message(str):
    """A sentence made from words with ``{placeholders}`` and the values that fill them.

    Attributes
    ----------
    words : the English sentence with its placeholders, as ``"moved by {east:.2f} m"``.
    values : what fills them; a value that has a ``cn``, as another message, is said in the sentence's language.

    Errors
    ------
    KeyError : a placeholder without a value.
    """

    __slots__ = ("values", "words")
    words: str
    values: dict[str, Any]

    def __new__(cls, words: str, /, **values: Any) -> Self:
        """Make the sentence; its text is English."""
        said = super().__new__(cls, words.format(**{name: _english(value) for name, value in values.items()}))
        said.words, said.values = words, values
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.words, self.values)

    @property
    def en(self) -> str:
        """The sentence in English."""
        return str(self)

    @property
    def cn(self) -> str:
        """The sentence in Chinese; empty where ``sentences_cn`` does not have its words."""
        return SENTENCES_CN.get(self.words, "").format(**{name: _chinese(v) for name, v in self.values.items()})


class Advice(Message):
    """A sentence that says what the user can do for a better result, and names the option that does it."""

    __slots__ = ()


class Listed(str):
    """Texts and messages one after the other, as a value of a message or a note of its own.

    Attributes
    ----------
    parts : the texts.
    between, between_cn : what stands between two of them in English and in Chinese.
    """

    __slots__ = ("between", "between_cn", "parts")
    parts: tuple[str, ...]
    between: str
    between_cn: str

    def __new__(cls, parts: Iterable[str], between: str = ", ", between_cn: str = "、") -> Self:
        """Join the texts; their English is the text."""
        listed = tuple(parts)
        said = super().__new__(cls, between.join(listed))
        said.parts, said.between, said.between_cn = listed, between, between_cn
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.parts, self.between, self.between_cn)

    @property
    def en(self) -> str:
        """The English text."""
        return str(self)

    @property
    def cn(self) -> str:
        """The Chinese text; what has no Chinese words stands in English."""
        return self.between_cn.join(_chinese(part) for part in self.parts)


def word(text: str) -> Message:
    """One of a fixed set of words, as the value of a setting is: ``word("earlier")``."""
    return Message(text)


def _again(kind: type[Message], words: str, values: dict[str, Any]) -> Message:
    return kind(words, **values)


def _english(value: Any) -> Any:
    return getattr(value, "en", value)


def _chinese(value: Any) -> Any:
    return getattr(value, "cn", "") or _english(value)


def paragraph(messages: Iterable[Message]) -> Listed:
    """Sentences in their order: parted by spaces in English, by nothing in Chinese."""
    return Listed(messages, " ", "")


def chinese_of(text: str) -> str:
    """What a message says in Chinese; empty for plain text, which is nobody's message."""
    return text.cn if isinstance(text, Message | Listed) else ""


def in_chinese(value: Any) -> Any:
    """A document with its messages said in Chinese, within mappings and sequences too; all else stays as it is."""
    if isinstance(value, dict):
        return {key: in_chinese(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [in_chinese(part) for part in value]
    return chinese_of(value) or value if isinstance(value, str) else value
