"""Run the command line with so little room that a bomb would burst it: `python -m tests.system.hostile.limited ARGS`.

The libraries are loaded first; from then on the process may take one more GB of addresses, a minute of processor time,
and write files of 300 MB; no socket may be connected.
"""

from __future__ import annotations

import resource
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

MORE_BYTES = 1_000_000_000
SECONDS = 60
LARGEST_FILE_BYTES = 300_000_000


def _refuse(*_: Any) -> NoReturn:
    raise SystemExit("a socket was used")


def main() -> int:
    import catalog.runs.single_run  # noqa: F401 - loaded before the limit is set
    import cli
    import pipeline.elevation_change.chain
    import pipeline.elevation_change.pairing.outlines
    import pipeline.mass_balance.chain  # noqa: F401 - as above

    socket.socket.connect = _refuse  # type: ignore[method-assign]  # this process does nothing else
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MORE_BYTES, size + MORE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
    return cli.run()


if __name__ == "__main__":
    sys.exit(main())
