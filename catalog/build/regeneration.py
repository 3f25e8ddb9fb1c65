"""From definitions and raw inputs to a published archive, computing only what changed since an earlier build."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from catalog.address import base_of
from catalog.archive import differs_from_published, list_files, open_draft
from catalog.build.cache import Cache, cache_dropped, keep_if_possible
from catalog.build.fingerprint import archive_key
from catalog.build.order import Order, require_distinct
from catalog.build.report import BuildReport, FailedBuild, report_from_json, report_to_json
from catalog.versions import refuse_to_replace
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from schemas.errors import BadInput, FailedCheck
from schemas.inside import lies_inside


def regenerate(
    order: Order, out: Path, resources: Resources, *, cache: Cache | None = None, tell: Tell = silent
) -> BuildReport:
    """Build an archive and publish it at ``out``; until the last rename whatever stood there stays as it was.

    With a cache, a collection whose inputs, definition, code and libraries are those of an earlier build is taken from
    there, and so is an archive all of whose collections are: the same bytes, and its checks passed then. What another
    user or machine kept is checked again, and dropped and computed where it does not pass.

    An address is written into what was built or kept, with no science: the order's digests do not know it.

    Errors
    ------
    BadInput : a bad or missing input or base URL, a target that cannot be published to, another build on it, a full
        disk.
    FailedCheck : a check or quality gate did not pass, or published values would change without a new version; nothing
        was published.
    """
    require_distinct(order.definitions)
    base = base_of(order.base_url)
    if cache:
        _refuse_cache_within(out, cache)
    with open_draft(out) as draft:
        refuse_to_replace(out, order.definitions, synthetic=order.synthetic)
        keys = order.keys() if cache else ()
        report = _from_cache(keys, cache, draft.folder, out, tell) if cache else None
        if report is None:
            report = _computed(order, keys, cache, draft.folder, out, resources, tell)
        if base:
            report = _addressed(report, base, draft.folder, tell)
        tell("publishing")
        draft.publish()
    return report


def _addressed(report: BuildReport, base: str, draft: Path, tell: Tell) -> BuildReport:
    """What is told of the archive in the draft once its documents state its address."""
    from catalog.address import address_archive  # libraries that an archive without one does not need

    address_archive(draft, base, draft, tell)
    files = list_files(draft)
    return replace(report, files=len(files), size=sum(file.size for file in files))


def _from_cache(keys: Sequence[str], cache: Cache, draft: Path, out: Path, tell: Tell) -> BuildReport | None:
    """The whole archive as an earlier build kept it, in the draft; None where there is none that can be trusted.

    What this user kept passed its checks then; whatever else lies in a cache is checked again.
    """
    whole = archive_key(keys)
    entry = cache.restored(whole, draft, cache_dropped(tell))
    if entry is None:
        return None
    tell("the same as an earlier build: taken from the cache")
    try:
        if not entry.own:
            from catalog.build.assembly import prove  # seconds of libraries

            tell("checking it, since another user or machine kept it")
            prove(draft, out, tell)
        report = report_from_json(out, entry.facts)
    except (FailedBuild, LookupError, TypeError, ValueError) as error:
        cache_dropped(tell)(f"it does not pass its checks: {error}" if isinstance(error, FailedBuild) else "no report")
        cache.drop(whole)
        _empty(draft)
        return None
    if differs_from_published(out, draft):
        from catalog.versions import refuse_unversioned_change  # loads pandas

        refuse_unversioned_change(out, draft)
    return report


def _computed(
    order: Order, keys: Sequence[str], cache: Cache | None, draft: Path, out: Path, resources: Resources, tell: Tell
) -> BuildReport:
    """The archive in the draft, its collections computed or, as far as they are kept, taken from the cache."""
    # two seconds of libraries that a finished archive does not need
    from catalog.build import assembly as assembling

    assembly = assembling.assemble(order, draft, resources, keys, cache, tell)
    try:
        report = assembling.proved(assembly, draft, out, tell)
    except FailedCheck as failed:
        if cache is None or not assembly.foreign:
            raise
        cache_dropped(tell)(f"what another user or machine kept does not pass: {failed}")
        for definition, key in zip(order.definitions, keys, strict=True):
            if definition.id in assembly.foreign:
                cache.drop(key)
        _empty(draft)
        assembly = assembling.assemble(order, draft, resources, keys, cache, tell)
        report = assembling.proved(assembly, draft, out, tell)
    # raw inputs that changed while they were read belong to no key
    if cache and tuple(keys) == tuple(order.key(part.definition, part.facts.inputs) for part in assembly.collections):
        keep_if_possible(cache, archive_key(keys), draft, report_to_json(report), tell)
    return report


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _refuse_cache_within(out: Path, cache: Cache) -> None:
    """The archive is replaced as a whole, and holds nothing that its manifest does not list."""
    if lies_inside(cache.folder, out):
        raise BadInput(
            str(cache.folder), "a cache within the archive", "a folder elsewhere", "name another with --cache"
        )
