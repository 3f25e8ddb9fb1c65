"""Text of a source as one line of Markdown: it reads as it stands, whatever marks it holds."""

from __future__ import annotations

import re

from catalog.metadata.facts import one_line, without_turns

# what opens a span, a link, markup, a character reference or a table's next cell, wherever it stands
_MARKS = re.compile(r"[\\`*_\[\]<>|#&~$]")
# what opens a list, a rule or the underline of a heading where a line begins with it
_OPENING = re.compile(r"([-+=:])|(\d{1,9})([.)])(?=\s|$)")


def markdown_line(text: object) -> str:
    """The text on one line, every mark of Markdown (CommonMark and the common extensions) escaped."""
    line = _MARKS.sub(r"\\\g<0>", one_line(without_turns(str(text))))
    if opening := _OPENING.match(line):
        mark, number, delimiter = opening.groups()
        line = (f"\\{mark}" if mark else f"{number}\\{delimiter}") + line[opening.end() :]
    # an address would become a link by itself, a name with an at sign one to a mailbox
    return line.replace("://", "\\://").replace("www.", "www\\.").replace("@", "\\@")
