"""``tenantctl migrate``: tenants' documents to the newest schema version."""

import sys
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import attrs
import rich_click as click

from tenants.cli.diffs import unified
from tenants.cli.frame import Command
from tenants.cli.migrate_files import Migration, plan, written
from tenants.cli.options import (
    TenantOrDirectory,
    by_option,
    dry_run_option,
    json_option,
    private_upstreams_option,
    registry_option,
)
from tenants.cli.output import Line, Output
from tenants.cli.registry import intent, opened, preparing, unpublished
from tenants.cli.stopping import Stopping, finishing
from tenants.cli.words import told
from tenants.documents import FILE, released_chain
from tenants.registry.objects import Objects
from tenants.registry.places import RegistryPlace
from tenants.releases import migrating
from tenants.releases.errors import WorkingFormError
from tenants.releases.pointers import Intent
from tenants.releases.reading import list_tenants, show
from tenants.releases.release import Preparing

NEWEST = released_chain().newest


@attrs.frozen
class _Targets:
    """What is to be brought on.

    Args:
        documents: of tenants in working form.
        published: tenants' ids.
    """

    documents: tuple[Path, ...] = ()
    published: tuple[str, ...] = ()


@click.command(cls=Command)
@click.argument("tenant", metavar="[PATH|ID]", type=TenantOrDirectory(), required=False)
@click.option("--all", "everything", is_flag=True, help="Every tenant of the registry.")
@by_option
@dry_run_option
@private_upstreams_option
@registry_option
@json_option
def migrate(  # noqa: PLR0913  (each is an option)
    tenant: Path | str | None,
    *,
    everything: bool,
    by: str,
    dry_run: bool,
    private_upstreams: AbstractSet[str],
    registry: str,
    as_json: bool,
) -> None:
    """Bring the document of one tenant, or of all, to the newest schema version.

    PATH is a tenant's directory, whose document is written anew. ID is a tenant of the registry: a
    published one gets a new revision. What changes is shown. A document that is written anew keeps
    its values and loses its comments. One of a newer program is refused. Exits 0, or 1 where a
    document was refused.

    Example: tenantctl migrate --all --dry-run
    """
    if everything == (tenant is not None):
        raise click.UsageError("Name a tenant, or --all.")
    output = Output(as_json=as_json)
    targets = _all(registry) if tenant is None else _one(tenant, registry)
    with finishing("the tenants that were begun") as stopping:
        found = _migrated(
            targets,
            registry,
            intent(by, f"schema version {NEWEST}"),
            preparing(private_upstreams),
            stopping,
            dry_run=dry_run,
        )
        total = len(targets.documents) + len(targets.published)
        done = [*output.track(found, "Documents", total)]
    output.done(_json(done, dry_run=dry_run), _shown(done, dry_run=dry_run))
    if stopping.asked:
        output.failed([f"Stopped after {len(done)} of {total}: the same command goes on."])
    sys.exit(1 if stopping.asked or any(each.error for each in done) else 0)


def _one(tenant: Path | str, registry: str) -> _Targets:
    if isinstance(tenant, Path):
        return _Targets(documents=(tenant / FILE,))
    try:
        show(opened(registry), tenant)
    except WorkingFormError:
        return _Targets(documents=(_directory(registry) / tenant / FILE,))
    return _Targets(published=(tenant,))


def _all(registry: str) -> _Targets:
    objects = opened(registry)
    published = tuple(migrating.behind(objects))
    root = _directory(registry)
    known = {each.tenant_id for each in list_tenants(objects)}
    documents = (root / tenant_id / FILE for tenant_id in unpublished(registry, known))
    return _Targets(tuple(documents), published)


def _directory(registry: str) -> Path:
    return Path(RegistryPlace.parse(registry).target)


def _migrated(  # noqa: PLR0913  (what, where, who and how)
    targets: _Targets,
    registry: str,
    wanted: Intent,
    judged: Preparing,
    stopping: Stopping,
    *,
    dry_run: bool,
) -> Iterator[Migration]:
    chain = released_chain()
    for document in _until(stopping, targets.documents):
        planned = plan(document, chain)
        yield planned if dry_run else written(planned)
    if targets.published:
        ids = _until(stopping, targets.published)
        yield from _published(opened(registry), ids, wanted, judged, dry_run=dry_run)


def _published(
    objects: Objects, ids: Iterator[str], wanted: Intent, judged: Preparing, *, dry_run: bool
) -> Iterator[Migration]:
    for each in migrating.migrate(objects, ids, wanted, preparing=judged, dry_run=dry_run):
        yield Migration(
            place=each.tenant_id,
            before=each.before,
            after=each.after if each.steps else None,
            steps=each.steps,
            revision=each.revision,
            error=told(each.error) if each.error else "",
        )


def _until(stopping: Stopping, items: Iterable[Any]) -> Iterator[Any]:
    """The items, none more once the operator asked to stop."""
    for each in items:
        if stopping.asked:
            return
        yield each


def _json(done: list[Migration], *, dry_run: bool) -> dict[str, Any]:
    return {
        "newest": NEWEST,
        "dry_run": dry_run,
        "documents": [
            {
                "place": each.place,
                "changed": each.changed,
                "steps": each.steps,
                "revision": each.revision,
                "error": each.error,
            }
            for each in done
        ],
    }


def _shown(done: list[Migration], *, dry_run: bool) -> Iterator[Line]:
    for each in done:
        if each.error:
            yield f"{each.place}: {each.error}", "red"
        elif each.after is not None:
            yield from ((f"{each.place}: {step}", "bold") for step in each.steps)
            yield from unified(each.place, each.before, each.after)
    changed = sum(each.changed for each in done)
    refused = sum(bool(each.error) for each in done)
    if changed:
        words = "would be brought" if dry_run else "brought"
        yield f"{changed} of {len(done)} {words} to schema version {NEWEST}"
    elif not refused:
        yield f"Nothing to do: every document is at schema version {NEWEST}, the newest"
    if refused:
        yield f"{refused} of {len(done)} refused", "red"
