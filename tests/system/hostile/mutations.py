"""Damage to the bytes of a file, drawn from a seed: the same seed gives the same damage on every machine."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.inputs.zip_archives import ZIP_DAMAGE

Mutation = Callable[[bytes, random.Random], bytes]

# what readers trip over: signs, limits of integers, special numbers, text that means something to a shell or a path
NUMBERS = (
    *(b"NaN", b"nan", b"Infinity", b"-Infinity", b"inf", b"1e999", b"-1e308", b"0", b"-0.0", b"-1"),
    *(b"99999999999999999999", b"2147483648", b"-2147483649", b"1" * 5000, b"0x10", b"\xd9\xa1\xd9\xa2", b""),
)
WORDS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"../../../etc/hostname", b"/etc/hostname", b"file:///etc/hostname"),
    *(b"http://127.0.0.1:9/x", b"/vsicurl/http://127.0.0.1:9/x", b"%s%n{0}", b"=1+1", b"\r\n", b'"', b"'", b"\xe5\x86"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 1e308, -1e308, float("nan"), float("inf"), "", "x", "\x00", "\ud800"),
    *("../../etc/hostname", "/etc/hostname", "http://127.0.0.1:9/x", "9999-99-99", [], {}, [[]], [None], {"": None}),
    *([1, 2, 3], "a" * 3000, "冰川", {"href": 5}, -180.0001, 1e-320),
)


def flip_bits(content: bytes, draw: random.Random) -> bytes:
    """One to sixteen bits turned over."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def flip_head_bits(content: bytes, draw: random.Random) -> bytes:
    """A few bits turned over in the first 512 bytes, where formats keep what they count."""
    return flip_bits(content[:512], draw) + content[512:]


def overwrite(content: bytes, draw: random.Random) -> bytes:
    """A field of 1, 2, 4 or 8 bytes set to an extreme value."""
    width = draw.choice((1, 2, 4, 8))
    value = draw.choice(
        (0, 1, (1 << 8 * width) - 1, 1 << (8 * width - 1), (1 << (8 * width - 1)) - 1, 0x7FFF % (1 << 8 * width))
    )
    place = draw.randrange(max(1, len(content) - width))
    return content[:place] + value.to_bytes(width, draw.choice(("little", "big"))) + content[place + width :]


def overwrite_head(content: bytes, draw: random.Random) -> bytes:
    """As ``overwrite``, within the first 512 bytes."""
    return overwrite(content[:512], draw) + content[512:]


def truncate(content: bytes, draw: random.Random) -> bytes:
    """Cut off anywhere, to nothing at times."""
    return content[: draw.choice((0, 1, draw.randrange(len(content)), draw.randrange(len(content))))]


def splice(content: bytes, draw: random.Random) -> bytes:
    """A piece moved, doubled or taken out."""
    start = draw.randrange(len(content))
    piece = content[start : start + draw.choice((1, 7, 64, 512, 4096))]
    place = draw.randrange(len(content))
    kept = content if draw.random() < 0.5 else content[:start] + content[start + len(piece) :]
    return kept if draw.random() < 0.2 else kept[:place] + piece + kept[place:]


def insert_word(content: bytes, draw: random.Random) -> bytes:
    """Something with a meaning of its own put anywhere."""
    place = draw.randrange(len(content))
    return content[:place] + draw.choice(WORDS) + content[place:]


def change_number(content: bytes, draw: random.Random) -> bytes:
    """One number written in digits replaced."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", content))
    if not found:
        return flip_bits(content, draw)
    chosen = draw.choice(found)
    return content[: chosen.start()] + draw.choice(NUMBERS) + content[chosen.end() :]


def recode(content: bytes, draw: random.Random) -> bytes:
    """The text in another encoding, with or without a mark of it."""
    text = content.decode("utf-8", "replace")
    encoding = draw.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk", "gb18030", "big5", "latin-1", "utf-7", "cp037")
    )
    return text.encode(encoding, "replace")


def drop_or_double_line(content: bytes, draw: random.Random) -> bytes:
    """A line left out, doubled, or put elsewhere."""
    lines = content.split(b"\n")
    line = lines[draw.randrange(len(lines))]
    if draw.random() < 0.5:
        lines.remove(line)
    if draw.random() < 0.7:
        lines.insert(draw.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def change_cell(content: bytes, draw: random.Random) -> bytes:
    """One cell of a CSV file replaced, cells added or taken away."""
    lines = [line.split(b",") for line in content.split(b"\n")]
    cells = lines[draw.randrange(len(lines))]
    if draw.random() < 0.7:
        cells[draw.randrange(len(cells))] = draw.choice((*NUMBERS, *WORDS, b"2004-02-30", b"-", b"#REF!", b"1,5"))
    else:
        cells.extend([b""] * draw.choice((1, 3, 20_000)))
    return b"\n".join(b",".join(line) for line in lines)


def change_json(content: bytes, draw: random.Random) -> bytes:
    """A value of a JSON document replaced, a key renamed, dropped or given twice."""
    document = json.loads(content)
    places = list(_places(document))
    for _ in range(draw.choice((1, 1, 2, 5))):
        holder, key = draw.choice(places)
        if (isinstance(holder, list) and key >= len(holder)) or (isinstance(holder, dict) and key not in holder):
            continue
        action = draw.random()
        if action < 0.7:
            holder[key] = draw.choice(VALUES)
        elif action < 0.85:
            del holder[key]
        elif isinstance(holder, dict):
            holder[f"{key}{draw.choice(('', 's', ' ', '.'))}"] = holder.pop(key)
    text = json.dumps(document, allow_nan=True)
    if draw.random() < 0.1:
        text = '{"type": "x", ' + text[1:]
    return text.encode("utf-8", "surrogatepass")


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        keys: Sequence[Any] = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
    return found


def within_zip(*inner: Mutation) -> Mutation:
    """Damage to one member of a zip file, which is packed again with a right checksum."""

    def mutated(content: bytes, draw: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
        chosen = draw.randrange(len(members))
        name, body = members[chosen]
        action = draw.random()
        if action < 0.85:
            members[chosen] = (name, draw.choice(inner)(body, draw) if body else b"x")
        elif action < 0.92:
            del members[chosen]
        else:
            members[chosen] = (draw.choice(("../x", "/x", name.upper(), name + "/", "x" * 300, "con")), body)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
            for name, body in members:
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), body)
        return packed.getvalue()

    return mutated


def within_gzip(*inner: Mutation) -> Mutation:
    """Damage to what a gzip file holds."""

    def mutated(content: bytes, draw: random.Random) -> bytes:
        return gzip.compress(draw.choice(inner)(gzip.decompress(content), draw), 1, mtime=0)

    return mutated


def change_tiff_tag(content: bytes, draw: random.Random) -> bytes:
    """One entry of the first directory of a classic little-endian TIFF changed: its tag, type, count or value."""
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2))):
        entry = start + 2 + 12 * draw.randrange(count)
        offset, width = draw.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 4)))
        value = draw.choice(
            (0, 1, 2, 3, 0xFFFF, 0x8000, 65_537 % (1 << 8 * width), (1 << 8 * width) - 1, draw.getrandbits(8 * width))
        )
        struct.pack_into("<H" if width == 2 else "<I", changed, entry + offset, value % (1 << 8 * width))
    return bytes(changed)


def change_tiff_doubles(content: bytes, draw: random.Random) -> bytes:
    """One of the numbers of a TIFF's georeferencing (pixel scale, tie point) replaced by an extreme one."""
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    entries = [struct.unpack_from("<HHII", content, start + 2 + 12 * number) for number in range(count)]
    doubles = [(offset, length) for _, kind, length, offset in entries if kind == 12]
    if not doubles:
        return flip_bits(content, draw)
    offset, length = draw.choice(doubles)
    value = draw.choice(
        (float("nan"), float("inf"), -float("inf"), 0.0, -30.0, 1e-300, 1e300, 1e9, 1e-9, 180.0, 0.1, -0.0)
    )
    changed = bytearray(content)
    struct.pack_into("<d", changed, offset + 8 * draw.randrange(length), value)
    return bytes(changed)


BYTES: tuple[Mutation, ...] = (flip_bits, flip_head_bits, overwrite, overwrite_head, truncate, splice, insert_word)
TEXT: tuple[Mutation, ...] = (flip_bits, truncate, splice, insert_word, change_number, recode, drop_or_double_line)
JSON: tuple[Mutation, ...] = (change_json, change_json, change_json, *TEXT)
CSV: tuple[Mutation, ...] = (change_cell, change_cell, change_cell, *TEXT)
TIFF: tuple[Mutation, ...] = (change_tiff_tag, change_tiff_tag, change_tiff_doubles, *BYTES)


def mutated(content: bytes, mutations: Sequence[Mutation], seed: str) -> bytes:
    """The content with one or two damages that the seed chooses."""
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 1, 1, 2))):
        if content:
            try:
                content = draw.choice(mutations)(content, draw)
            except ZIP_DAMAGE:
                content = flip_bits(content, draw)  # an earlier damage left no structure to damage
    return content
