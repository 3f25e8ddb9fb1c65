"""The draft folder, its lock, and the rename that publishes: nothing half-made is ever taken for an archive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.archive import draft as drafting
from catalog.archive.draft import Output, Places, open_draft, preflight, replace_folder
from schemas.errors import BadInput
from tests.root import ROOT


def put_archive(folder: Path, text: str) -> None:
    """The least that counts as an archive of ours."""
    folder.mkdir(exist_ok=True)
    (folder / "data.txt").write_text(text)
    manifest = {"archive": "glacier-archive", "files": [{"path": "data.txt"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def publish(out: Path, text: str, before: Callable[[], None] = lambda: None) -> None:
    """A build in small; ``before`` happens when the draft is complete and not published yet."""
    with open_draft(out) as draft:
        put_archive(draft.folder, text)
        before()
        draft.publish()


def fail(error: BaseException) -> Callable[[], None]:
    def failing() -> None:
        raise error

    return failing


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_publishes_where_nothing_stood(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    assert (tmp_path / "archive/data.txt").read_text() == "one"
    assert names(tmp_path) == ["archive"]


def test_publishes_into_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    publish(tmp_path / "archive", "one")
    assert names(tmp_path / "archive") == ["data.txt", "manifest.json"]


def test_replaces_an_archive_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    publish(tmp_path / "archive", "two")
    assert (tmp_path / "archive/data.txt").read_text() == "two"
    assert names(tmp_path) == ["archive"]


def test_target_through_a_symbolic_link_is_updated_where_it_lies(tmp_path: Path) -> None:
    publish(tmp_path / "real", "one")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    publish(tmp_path / "link", "two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/data.txt").read_text() == "two"


def test_replaces_without_the_exchange_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "_exchange", lambda one, other: False)
    publish(tmp_path / "archive", "one")
    publish(tmp_path / "archive", "two")
    assert (tmp_path / "archive/data.txt").read_text() == "two"
    assert names(tmp_path) == ["archive"]


def test_a_failure_leaves_the_previous_archive_and_no_draft(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    with pytest.raises(ZeroDivisionError):
        publish(tmp_path / "archive", "two", fail(ZeroDivisionError()))
    assert (tmp_path / "archive/data.txt").read_text() == "one"
    assert names(tmp_path) == ["archive"]


def test_a_keyboard_interrupt_cleans_up(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path / "archive", "two", fail(KeyboardInterrupt()))
    assert names(tmp_path) == []


def test_a_draft_that_is_not_published_is_removed(tmp_path: Path) -> None:
    with open_draft(tmp_path / "archive") as draft:
        put_archive(draft.folder, "two")
    assert names(tmp_path) == []


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no space left on the disk"):
        publish(tmp_path / "archive", "one", fail(OSError(28, "No space left on device")))
    assert names(tmp_path) == []


def test_a_crash_between_two_renames_is_put_right(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    places = Places(tmp_path / "archive")
    os.rename(places.target, places.previous)  # where the fallback stands between its two renames
    put_archive(places.draft, "half")
    with open_draft(tmp_path / "archive"):
        assert (tmp_path / "archive/data.txt").read_text() == "one"
    assert names(tmp_path) == ["archive"]


def test_a_crash_after_both_renames_is_put_right(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "two")
    put_archive(Places(tmp_path / "archive").previous, "one")
    publish(tmp_path / "archive", "three")
    assert (tmp_path / "archive/data.txt").read_text() == "three"
    assert names(tmp_path) == ["archive"]


def test_an_interrupt_between_two_renames_puts_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "archive", "one")
    rename = os.rename

    def interrupted(one: Path, other: Path) -> None:
        if Path(one).parent.name.endswith("glacier-draft"):
            raise KeyboardInterrupt
        rename(one, other)

    monkeypatch.setattr(drafting, "_exchange", lambda one, other: False)
    monkeypatch.setattr(drafting.os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path / "archive", "two")
    assert (tmp_path / "archive/data.txt").read_text() == "one"
    assert names(tmp_path) == ["archive"]


def test_something_else_that_comes_to_stand_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def write_thesis() -> None:
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive/thesis.doc").write_text("years of work")

    with pytest.raises(BadInput, match="not an archive"):
        publish(tmp_path / "archive", "two", write_thesis)
    assert (tmp_path / "archive/thesis.doc").read_text() == "years of work"


# --- refusals ----------------------------------------------------------------------------------------------------


def test_refuses_a_folder_that_is_no_archive_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/thesis.doc").write_text("years of work")
    with pytest.raises(BadInput, match=r"a folder that is not an archive.*nothing was deleted"):
        preflight(tmp_path / "archive")
    assert (tmp_path / "archive/thesis.doc").read_text() == "years of work"


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"archive": "another"}', "\xff"])
def test_refuses_a_folder_with_a_foreign_manifest(tmp_path: Path, content: str) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises(BadInput, match="not an archive"):
        preflight(tmp_path / "archive")


def test_refuses_an_archive_to_which_files_were_added(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    (tmp_path / "archive/notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"notes\.txt, which the archive's manifest does not list.*move the added files"):
        preflight(tmp_path / "archive")
    assert (tmp_path / "archive/notes.txt").read_text() == "mine"


def test_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("x")
    with pytest.raises(BadInput, match="found a file; expected a folder"):
        preflight(tmp_path / "archive")


def test_refuses_a_missing_parent(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder; expected a folder to put the archive in; create it first"):
        preflight(tmp_path / "no" / "archive")
    assert names(tmp_path) == []


def test_refuses_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="found a file; expected a folder to put the archive in"):
        preflight(tmp_path / "file" / "archive")


def test_refuses_a_parent_that_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting.os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(BadInput, match="a folder that is not writable"):
        preflight(tmp_path / "archive")


def test_refuses_a_read_only_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "archive", "one")
    monkeypatch.setattr(drafting.os, "access", lambda path, mode: Path(path) == tmp_path)
    with pytest.raises(BadInput, match="an archive that is read-only"):
        preflight(tmp_path / "archive")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_folder_without_write_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BadInput, match="a folder that is not writable"):
            preflight(tmp_path / "archive")
    finally:
        tmp_path.chmod(0o700)


def test_refuses_a_mount_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive").mkdir()
    monkeypatch.setattr(drafting.os.path, "ismount", lambda path: Path(path).name == "archive")
    with pytest.raises(BadInput, match="a mount point"):
        preflight(tmp_path / "archive")


def test_refuses_a_name_too_long(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a path that can be written to"):
        preflight(tmp_path / ("a" * 300))


def test_refuses_a_name_that_leaves_no_room_for_those_beside_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="File name too long"):
        preflight(tmp_path / ("b" * 245))


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_stands_in_the_lock_s_place_is_said(tmp_path: Path, kind: str) -> None:
    lock = Places(tmp_path / "archive").lock
    {"folder": lock.mkdir, "link": lambda: lock.symlink_to("elsewhere"), "pipe": lambda: os.mkfifo(lock)}[kind]()
    with pytest.raises(BadInput, match=r"\.archive\.glacier-lock: found (a folder|a symbolic link|no plain file)"):
        publish(tmp_path / "archive", "one")
    assert names(tmp_path) == [lock.name]


def test_refuses_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(BadInput):
        preflight(tmp_path / "one" / "archive")


def test_preflight_writes_nothing(tmp_path: Path) -> None:
    preflight(tmp_path / "archive")
    assert names(tmp_path) == []


# --- several processes -------------------------------------------------------------------------------------------


def start_build(out: Path, then: str) -> subprocess.Popen[str]:
    """Another process that opens a draft at ``out``, says so and goes on with ``then``."""
    program = textwrap.dedent(f"""
        import signal, sys, time
        from pathlib import Path
        from catalog.archive.draft import open_draft
        # a job in the background of a script inherits an ignored Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with open_draft(Path(sys.argv[1])) as draft:
            (draft.folder / "half.txt").write_text("half")
            print("open", flush=True)
            {then}
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def test_two_builds_on_one_target_are_not_let_in(tmp_path: Path) -> None:
    process = start_build(tmp_path / "archive", "time.sleep(60)")
    try:
        with pytest.raises(BadInput, match=rf"another build writing to it \(process {process.pid}\).*wait until"):
            publish(tmp_path / "archive", "two")
        assert (tmp_path / ".archive.glacier-draft/archive/half.txt").exists(), "the other's draft was touched"
    finally:
        process.kill()
        process.communicate()


def test_what_a_killed_build_left_is_cleaned_by_the_next(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "one")
    process = start_build(tmp_path / "archive", "time.sleep(60)")
    process.kill()
    process.communicate()
    assert ".archive.glacier-draft" in names(tmp_path)
    assert (tmp_path / "archive/data.txt").read_text() == "one"
    publish(tmp_path / "archive", "two")
    assert (tmp_path / "archive/data.txt").read_text() == "two"
    assert names(tmp_path) == ["archive"]


def test_ctrl_c_of_a_build_stops_it_and_cleans_up(tmp_path: Path) -> None:
    process = start_build(tmp_path / "archive", "time.sleep(60)")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)  # half of what it would sleep
    assert names(tmp_path) == []


@pytest.mark.slow
def test_killed_at_any_moment_the_target_is_one_whole_archive(tmp_path: Path) -> None:
    publish(tmp_path / "archive", "0")
    program = textwrap.dedent("""
        import sys
        sys.path.insert(0, ".")
        from pathlib import Path
        from tests.catalog.archive.test_draft import publish
        for number in range(1, 100000):
            publish(Path(sys.argv[1]), str(number))
            print(number, flush=True)
    """)
    for delay in range(20):
        command = [sys.executable, "-c", program, str(tmp_path / "archive")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        time.sleep(0.0013 * delay)
        process.kill()
        process.communicate()
        assert (tmp_path / "archive/data.txt").read_text().isdigit()
        assert names(tmp_path / "archive") == ["data.txt", "manifest.json"]
    publish(tmp_path / "archive", "last")
    assert names(tmp_path) == ["archive"]


def test_replace_folder_keeps_both_until_the_swap(tmp_path: Path) -> None:
    put_archive(tmp_path / "archive", "one")
    put_archive(tmp_path / "new", "two")
    seen: list[str] = []

    def exchange(new: Path, old: Path) -> bool:
        seen.append((old / "data.txt").read_text() + (new / "data.txt").read_text())
        return drafting._exchange(new, old)

    replace_folder(tmp_path / "new", Places(tmp_path / "archive"), exchange)
    assert seen == ["onetwo"]
    assert (tmp_path / "archive/data.txt").read_text() == "two"


def put_output(folder: Path, output: Output) -> dict[str, str]:
    """The least that a command leaves, told apart by what its manifest lists."""
    folder.mkdir(exist_ok=True)
    names = {
        Output.archive: ["catalog.json"],
        Output.difference: ["summary.json", "elevation_change.tif"],
        Output.balance: ["summary.json", "tables/balances.csv"],
    }[output]
    datasets = [{"id": "real", "version": "1.0.0", "synthetic": False}] if output is Output.archive else []
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{output}: {name}")
    manifest = {"archive": "glacier-archive", "datasets": datasets, "files": [{"path": name} for name in names]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {name: (folder / name).read_text() for name in names}


@pytest.mark.parametrize("there", list(Output))
@pytest.mark.parametrize("wanted", list(Output))
def test_each_command_replaces_only_its_like(tmp_path: Path, there: Output, wanted: Output) -> None:
    before = put_output(tmp_path / "out", there)
    if wanted is there:
        with open_draft(tmp_path / "out", wanted) as draft:
            put_output(draft.folder, wanted)
            draft.publish()
        return
    for refused in (
        lambda: preflight(tmp_path / "out", wanted),
        lambda: open_draft(tmp_path / "out", wanted).__enter__(),
    ):
        with pytest.raises(BadInput, match=rf"found {there}; expected {wanted} made earlier.*nothing was deleted"):
            refused()
    assert {name: (tmp_path / "out" / name).read_text() for name in before} == before
    assert names(tmp_path) == ["out"]
