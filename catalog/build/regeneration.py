"""From definitions and raw inputs to a published archive, computing only what changed since an earlier build."""

from __future__ import annotations

from pathlib import Path

from catalog.archive import differs_from_published, open_draft
from catalog.build.cache import Cache, cache_dropped, keep_if_possible
from catalog.build.fingerprint import archive_key
from catalog.build.order import Order, require_distinct
from catalog.build.report import BuildReport, report_from_json, report_to_json
from catalog.versions import refuse_to_replace
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from schemas.errors import BadInput
from schemas.inside import lies_inside


def regenerate(
    order: Order, out: Path, resources: Resources, *, cache: Cache | None = None, tell: Tell = silent
) -> BuildReport:
    """Build an archive and publish it at ``out``; until the last rename whatever stood there stays as it was.

    With a cache, a collection whose inputs, definition, code and libraries are those of an earlier build is taken from
    there, and so is an archive all of whose collections are: the same bytes, and its checks passed then.

    Errors
    ------
    BadInput : a bad or missing input, a target that cannot be published to, another build on it, a full disk.
    FailedCheck : a check or quality gate did not pass, or published values would change without a new version; nothing
        was published.
    """
    require_distinct(order.definitions)
    if cache:
        _refuse_cache_within(out, cache)
    with open_draft(out) as draft:
        refuse_to_replace(out, order.definitions, synthetic=order.synthetic)
        keys = order.keys() if cache else ()
        whole = archive_key(keys)
        kept = cache.restore(whole, draft.folder, cache_dropped(tell)) if cache else None
        if kept is not None:
            tell("the same as an earlier build: taken from the cache")
            report = report_from_json(out, kept)
            if differs_from_published(out, draft.folder):
                from catalog.versions import refuse_unversioned_change  # loads pandas

                refuse_unversioned_change(out, draft.folder)
        else:
            # two seconds of libraries that a finished archive does not need
            from catalog.build.assembly import assemble, proved

            assembly = assemble(order, draft.folder, resources, keys, cache, tell)
            report = proved(assembly, draft.folder, out, tell)
            # raw inputs that changed while they were read belong to no key
            if cache and keys == tuple(order.key(part.definition, part.facts.inputs) for part in assembly.collections):
                keep_if_possible(cache, whole, draft.folder, report_to_json(report), tell)
        tell("publishing")
        draft.publish()
    return report


def _refuse_cache_within(out: Path, cache: Cache) -> None:
    """The archive is replaced as a whole, and holds nothing that its manifest does not list."""
    if lies_inside(cache.folder, out):
        raise BadInput(
            str(cache.folder), "a cache within the archive", "a folder elsewhere", "name another with --cache"
        )
