"""Folders of one machine in a text: nobody else has them, and they tell who worked where."""

from __future__ import annotations

import re

# a drive alone is none: "A:" before a line's end is written in JSON as "A:\n"
_FOLDER = re.compile(
    r"file://"
    r"|(?<![\w./:~-])/(?:home|root|tmp|work|Users|var|mnt|opt|private|srv)/\w"
    r"|\b[A-Za-z]:\\{1,2}(?i:users|documents and settings|windows|programdata|program files|temp|tmp|home|work)\b"
)


def machine_folders(text: str) -> tuple[str, ...]:
    """How each folder of a machine begins that a text names, in order; none where the text holds for everybody.

    The text may be written as it is, in JSON or in HTML: what is returned is the same in each but for the backslashes
    of JSON, which are given singly.
    """
    return tuple(match.group().replace("\\\\", "\\") for match in _FOLDER.finditer(text))
