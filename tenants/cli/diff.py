"""``tenantctl diff``: what differs between revisions, or a directory and a revision."""

from collections.abc import Mapping
from pathlib import Path

import attrs
import rich_click as click

from tenants.cli.diffs import shown
from tenants.cli.frame import Command
from tenants.cli.options import json_option, registry_option, tenant_argument
from tenants.cli.output import Output
from tenants.cli.registry import opened
from tenants.registry.objects import Objects
from tenants.releases.differing import differences
from tenants.releases.files import collect
from tenants.releases.pointers import Held
from tenants.releases.reading import read_whole, revision_of, show
from tenants.releases.release import with_state
from tenants.releases.switching import previous

_Side = int | Path


def _side(_: click.Context, __: click.Parameter, text: str | None) -> _Side | None:
    if text is None:
        return None
    if text.isdecimal():
        return int(text)
    if not Path(text).is_dir():
        raise click.BadParameter(f"{text} is neither a revision's number nor a directory.")
    return Path(text)


@click.command(cls=Command)
@tenant_argument()
@click.argument("one", metavar="[A]", required=False, callback=_side)
@click.argument("other", metavar="[B]", required=False, callback=_side)
@registry_option
@json_option
def diff(
    tenant_id: str, one: _Side | None, other: _Side | None, registry: str, *, as_json: bool
) -> None:
    """Show what differs from A to B, each the number of a revision or a directory.

    With A alone: from revision A to the one in force, or from the one in force to directory A,
    which is what a publish would change. With neither: what the revision in force has changed.

    Example: tenantctl diff acme 3 4
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    held = show(objects, tenant_id)
    before, after = _sides(held, one, other)
    base, files = _files(objects, held, before), _files(objects, held, after)
    if isinstance(after, Path):
        files = with_state(files, base)  # as a publish would
    changes = [*differences(base, files)]
    output.lines(shown(changes))
    output.done(
        {
            "id": tenant_id,
            "from": str(before),
            "to": str(after),
            "files": [attrs.asdict(each) for each in changes],
        },
        [] if changes else [f"{before} and {after} are the same."],
    )


def _sides(held: Held, one: _Side | None, other: _Side | None) -> tuple[_Side, _Side]:
    now = held.pointer.revision
    if one is None:
        return previous(held).revision, now
    if other is not None:
        return one, other
    return (now, one) if isinstance(one, Path) else (one, now)


def _files(objects: Objects, held: Held, side: _Side) -> Mapping[str, bytes]:
    if isinstance(side, Path):
        return collect(side.resolve()).files
    return read_whole(objects, held.tenant_id, revision_of(held, side)).files
