"""JSON as the archive writes it: the same bytes for the same value, and inert wherever it is pasted."""

from __future__ import annotations

import json
import re
from typing import Any

# '<', '>' and '&' would end a <script> element; line separators end a JavaScript string; bidirectional controls make a
# text read otherwise than it stands; a byte order mark vanishes. All are written as \uXXXX, which changes no value.
_ACTIVE = re.compile("[<>&\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def inert(encoded: str) -> str:
    """Encoded JSON with the characters escaped that mean something to HTML, JavaScript, YAML or a reader's eye."""
    return _ACTIVE.sub(lambda match: f"\\u{ord(match.group()):04x}", encoded)


def json_text(value: Any) -> str:
    """Indented JSON in the order of its keys, ending with a line feed; NaN is refused."""
    return inert(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
