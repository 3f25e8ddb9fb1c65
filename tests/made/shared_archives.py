"""Archives that many tests look at: each is built once a test run, and nobody may change it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.made.once import made_once
from tests.root import ROOT


def whole_archive() -> Path:
    """Both small datasets."""
    from tests.made.whole_archive import build

    return made_once("whole-archive", lambda draft: build(draft / "archive")) / "archive"


def change_archive() -> Path:
    """The small elevation change alone: half the time of both."""
    from tests.made.whole_archive import make_datasets, publish_datasets

    def make(draft: Path) -> None:
        publish_datasets(make_datasets()[:1], draft / "archive")

    return made_once("change-archive", make) / "archive"


def parted_archive() -> Path:
    """Both small datasets with their long lists in parts, as a large archive has them."""
    from tests.made.large_archive import build_parted

    return made_once("parted-archive", lambda draft: build_parted(draft / "archive")) / "archive"


def large_archive() -> Path:
    """Both datasets, the elevation change with rasters of many tiles."""
    from tests.made.large_archive import build_large

    return made_once("large-archive", lambda draft: build_large(draft / "archive")) / "archive"


@dataclass(frozen=True)
class Sample:
    """The embedded sample as `build` makes it: its folder, and what was seen of the build."""

    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def cache(self) -> Path:
        """The cache that the build found empty and left filled."""
        return self.folder / "cache"

    @property
    def report(self) -> dict[str, Any]:
        """What the command printed with ``--json``."""
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))

    @property
    def opened(self) -> list[str]:
        """Every file that Python opened and every module that it imported."""
        return json.loads((self.folder / "opened.json").read_text(encoding="utf-8"))


# the command line, which writes down what it opens
_LISTENING = """
import json, sys
opened = []
def hear(event, arguments):
    if event in ("open", "import") and arguments and isinstance(arguments[0], str):
        opened.append(arguments[0])
sys.addaudithook(hear)
import cli
code = cli.run()
with open("opened.json", "w", encoding="utf-8") as file:
    json.dump(list(opened), file)
sys.exit(code)
"""


def sample() -> Sample:
    """The one full build of the embedded sample, from nothing, that all tests of a run share."""
    return Sample(made_once("sample", _build_sample))


def _build_sample(folder: Path) -> None:
    words = ("build", "--out", "archive", "--cache", "cache", "--workers", "2", "--json", "--quiet")
    done = subprocess.run(
        [sys.executable, "-c", _LISTENING, *words], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout, encoding="utf-8")
