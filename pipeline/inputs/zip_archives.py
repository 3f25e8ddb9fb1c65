"""Zip archives that others made: looked at before they are unpacked, so that a small file cannot become a huge one."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from schemas.errors import BadInput
from schemas.inside import leads_inside, plainly

# what the reader of zip files raises for one that is damaged, encrypted or packed in an unknown way
ZIP_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, LookupError, NotImplementedError,
    OSError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
# the list of members is read into memory whole: at most 87 000 of them, which take 60 MB
MOST_DIRECTORY_BYTES = 4_000_000
_END, _LARGER_END = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_COMMENT = 65_535


@contextmanager
def opened_zip(path: Path | IO[bytes], where: str, most_unpacked_bytes: int | None = None) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose list of members, and whose members in all, are not larger than stated.

    The size that a member declares binds: what goes beyond it is not unpacked.

    Parameters
    ----------
    path : of the archive, or the opened file.
    where : how errors name it.
    most_unpacked_bytes : what its members may take together; None for no limit of its own.

    Errors
    ------
    BadInput : too long a list of members, or too much unpacked.
    zipfile.BadZipFile and others of ``ZIP_DAMAGE`` : no zip archive, or a damaged one.
    """
    directory = _directory_bytes(path)
    if directory > MOST_DIRECTORY_BYTES:
        raise BadInput(
            where,
            f"a list of members of {directory} bytes",
            f"a zip archive whose list is at most {MOST_DIRECTORY_BYTES}",
        )
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if most_unpacked_bytes is not None and unpacked > most_unpacked_bytes:
            raise BadInput(
                where,
                f"{unpacked} bytes when unpacked",
                f"at most {most_unpacked_bytes} bytes",
                "is it what it claims?",
            )
        yield archive


def _directory_bytes(path: Path | IO[bytes]) -> int:
    """Size of the list of members as the end of the archive states it; 0 where there is no such end."""
    with path.open("rb") if isinstance(path, Path) else nullcontext(path) as file:
        size = file.seek(0, 2)
        start = max(0, size - _LONGEST_COMMENT - 22)
        file.seek(start)
        tail = file.read(size - start)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 16:
        return 0
    # an archive of the larger form states 0xFFFFFFFF only where its list is longer than that
    stated = int(struct.unpack_from("<I", tail, place + 12)[0])
    larger = tail.rfind(_LARGER_END, 0, place)
    return stated if larger < 0 else max(stated, *struct.unpack_from("<Q", tail, larger + 40))


def stays_inside(member: str) -> bool:
    """Whether the name of a member leads to no place outside the archive.

    Parameters
    ----------
    member : its path, as the archive's list states it.
    """
    return leads_inside(plainly(member)) and not set("{}\n") & set(member)


def headers_agree(path: Path, entry: zipfile.ZipInfo) -> bool:
    """Whether the header in front of a member says the same of it as the list at the archive's end.

    Python goes by the list; GDAL by both, and it comes to grief where they differ.

    Parameters
    ----------
    path : of the archive.
    entry : of its list.
    """
    try:
        with path.open("rb") as file:
            file.seek(entry.header_offset)
            header = file.read(30)
    except (OSError, ValueError):  # an offset before the file's begin
        return False
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        return False
    _, flags, method, _, _, crc, packed, unpacked, _, _ = struct.unpack_from("<5H3I2H", header, 4)
    if (flags, method) != (entry.flag_bits, entry.compress_type):
        return False
    # written as a stream, a member's sizes follow it; of the larger form, they stand elsewhere in the header
    later = bool(flags & 8) or 0xFFFFFFFF in (packed, unpacked)
    return later or (crc, packed, unpacked) == (entry.CRC, entry.compress_size, entry.file_size)
