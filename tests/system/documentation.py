"""The code blocks of the documentation, and a folder in which they run as a reader would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.root import ROOT

DOCS = ROOT / "docs"
# what the text says of a block that no test runs: it needs a server of others, or takes as long as a build
NOT_RUN = {"needs-server", "long"}
_FENCE = re.compile(r"^```(sh|python)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SECONDS = 540
# lines of many a page; the README's own test runs them
_BUILD = re.compile(r"^glacier-archive build --out archive(?: --quiet)?$", re.MULTILINE)
_VALIDATE = re.compile(r"^glacier-archive validate archive$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: where its code begins, its language, what is said of it, and the code."""

    line: int
    language: str
    marks: frozenset[str]
    code: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of every call of the command line in it, the command first."""
        calls = []
        for line in self.code.replace("\\\n", " ").splitlines():
            for part in line.split("&&"):
                words = shlex.split(part) if "glacier-archive " in part or "cli.py " in part else []
                if "glacier-archive" in words or "cli.py" in words:
                    name = "glacier-archive" if "glacier-archive" in words else "cli.py"
                    calls.append(words[words.index(name) + 1 :])
        return calls


def blocks_of(page: Path) -> list[Block]:
    """Every block of shell or Python on a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(text[: found.start(3)].count("\n") + 1, found[1], frozenset(found[2].split()), found[3])
        for found in _FENCE.finditer(text)
    ]


@dataclass
class Reader:
    """Somebody who copies blocks into a terminal whose folder is ``folder``; finished collections lie in ``cache``.

    Who has an ``archive``, checked already, takes a copy of it where a page would build it by the README's command.
    """

    folder: Path
    cache: Path
    archive: Path | None = None
    printed: str = ""  # by the last command

    @property
    def environment(self) -> dict[str, str]:
        """Of the terminal: `glacier-archive` and `python` on the path, the packages importable, no screen."""
        commands = self.folder.parent / f"{self.folder.name}-commands"
        commands.mkdir(exist_ok=True)
        script = commands / "glacier-archive"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "cli.py"}" "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        path = os.pathsep.join((str(commands), str(Path(sys.executable).parent), os.environ["PATH"]))
        ours = {"PATH": path, "PYTHONPATH": str(ROOT), "GLACIER_CACHE": str(self.cache), "MPLBACKEND": "agg"}
        return {**os.environ, **ours}

    def run(self, block: Block) -> None:
        """Run a block to its end; what serves is asked for a page and stopped.

        Raises ``AssertionError`` with everything that was printed when a command fails.
        """
        if block.language == "python":
            self._to_the_end([sys.executable, "-c", block.code])
            return
        for script in _parts(self._taken(block.code)):
            if "glacier-archive serve" in script:
                self._serve(script)
            else:
                self._to_the_end(["bash", "-euo", "pipefail", "-c", script])

    def _taken(self, code: str) -> str:
        """The code with what the README's test does to the same archive left to that."""
        if self.archive is None:
            return code
        return _VALIDATE.sub("true", _BUILD.sub(f"cp -r {shlex.quote(str(self.archive))} archive", code))

    def _to_the_end(self, command: list[str]) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        self.printed = done.stdout
        assert done.returncode == 0, f"{command[-1]}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"

    def _serve(self, script: str) -> None:
        with subprocess.Popen(
            shlex.split(script), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+/", line)))
                with urllib.request.urlopen(address) as answer:
                    assert b"<html" in answer.read()
            finally:
                server.terminate()


def _parts(code: str) -> Iterator[str]:
    """A block cut before and after every line that serves."""
    before: list[str] = []
    for line in code.replace("\\\n", " ").splitlines():
        if "glacier-archive serve" not in line:
            before.append(line)
            continue
        if before:
            yield "\n".join(before)
        yield line
        before = []
    if before:
        yield "\n".join(before)
