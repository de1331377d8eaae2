"""What ``tenantctl doctor`` looks at in a registry."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs

from tenants.cli.doctor_view import Check
from tenants.cli.output import Output
from tenants.cli.registry import preparing, unpublished
from tenants.cli.words import told
from tenants.compiled import CompiledTenant
from tenants.errors import BrokenObjectError, TenantsError, UnknownTenantError
from tenants.model import is_tenant_id
from tenants.registry import layout
from tenants.registry.objects import (
    NEW,
    ObjectChangedError,
    Objects,
    ObjectsUnavailableError,
)
from tenants.registry.places import RegistryPlace
from tenants.releases.loading import Loaded, load
from tenants.releases.pointers import find
from tenants.releases.release import prepare_directory

_AT_ONCE = 16
_REMEDY = (
    "Restore it from a backup, or choose a revision of `tenantctl history {0}` and: tenantctl "
    "rollback {0} REV, or: tenantctl publish {0} --from DIR"
)
R = TypeVar("R")


@attrs.frozen
class Tenants:
    """Which tenants are looked at.

    Args:
        place: of the registry.
        only: one tenant's id; None: all.
    """

    place: str
    objects: Objects
    private_upstreams: AbstractSet[str]
    only: str | None = None


@attrs.frozen
class _Finding:
    """One tenant.

    Args:
        tenant: None where nothing of it is served.
        fault: empty where it is whole.
        warning: what somebody should know of it.
    """

    tenant: CompiledTenant | None = None
    fault: str = ""
    warning: str = ""


def look_at_writing(objects: Objects) -> Check:
    """Whether the registry can be written, and refuses who comes second; leaves nothing."""
    name = f"probe-{secrets.token_hex(8)}.json"
    remedy = "two operators could undo each other's work: keep the registry somewhere else"
    try:
        try:
            first = objects.write(name, b"1", expected=NEW)
            kept = _refuses(objects, name, NEW)
            objects.write(name, b"2", expected=first)
            kept = kept and _refuses(objects, name, first)
        finally:
            objects.delete(name)
    except ObjectsUnavailableError as error:
        return Check("writing", "refused", (error.detail,))
    if not kept:
        return Check("writing", "unsafe", (f"Compare-and-swap does not hold, so {remedy}.",))
    return Check("writing", "allowed, and compare-and-swap holds")


def look_at_tenants(asked: Tenants, output: Output) -> tuple[list[CompiledTenant], Check]:
    """Whether each tenant's pointer, revision and keys are whole; and those that are.

    Raises:
        UnknownTenantError: the one that is asked for does not exist.
        ObjectsUnavailableError: the registry cannot be listed.
    """
    published, forms = _ids(asked)
    total = len(published) + len(forms)
    work = [
        *(partial(_published, asked, each) for each in published),
        *(partial(_working_form, asked, each) for each in forms),
    ]
    found = [*output.track(_at_once(work), "Tenants", total)]
    good = [each.tenant for each in found if each.tenant is not None]
    suspended = sum(each == _Finding() for each in found)
    words = f"{total} tenants, {len(good)} served, {suspended} suspended"
    faults = (*_misnamed(asked), *(each.fault for each in found if each.fault))
    warnings = tuple(each.warning for each in found if each.warning)
    return good, Check("tenants", words, faults, warnings)


def _refuses(objects: Objects, name: str, stale: int) -> bool:
    try:
        objects.write(name, b"3", expected=stale)
    except ObjectChangedError:
        return True
    return False


def _ids(asked: Tenants) -> tuple[list[str], list[str]]:
    """The ids of published tenants, and of those in working form alone."""
    published = [*filter(is_tenant_id, _names(asked, layout.POINTERS))]
    forms = [*unpublished(asked.place, {*published})]
    if asked.only is None:
        return published, forms
    one = {asked.only}
    if not one & {*published, *forms}:
        raise UnknownTenantError(asked.only)
    return [*one.intersection(published)], [*one.intersection(forms)]


def _names(asked: Tenants, pattern: str) -> list[str]:
    return [layout.tenant_of(each.name) for each in asked.objects.list(pattern)]


def _misnamed(asked: Tenants) -> Iterator[str]:
    """What lies where tenants lie, and can be none."""
    for name in sorted({*_names(asked, layout.POINTERS), *_names(asked, layout.WORKING_FORMS)}):
        if not is_tenant_id(name):
            yield (
                f"{name} is no tenant's id, so nobody is served from it: rename it, in lower-case "
                "letters, digits and inner hyphens."
            )


def _published(asked: Tenants, tenant_id: str) -> _Finding:
    try:
        found = load(asked.objects, tenant_id, private_upstreams=asked.private_upstreams)
        if isinstance(found, Loaded):
            return _Finding(found.tenant)
        held = find(asked.objects, tenant_id)
    except BrokenObjectError as error:
        return _Finding(fault=f"{error}. {_REMEDY.format(tenant_id)}")
    except TenantsError as error:
        return _Finding(fault=f"{tenant_id}: {told(error)}")
    if held is not None and held.pointer.offboarding:
        words = f"{tenant_id} is half deleted: tenantctl offboard {tenant_id} finishes it."
        return _Finding(warning=words)
    return _Finding()


def _working_form(asked: Tenants, tenant_id: str) -> _Finding:
    directory = Path(RegistryPlace.parse(asked.place).target) / tenant_id
    judged = preparing(asked.private_upstreams)
    try:
        return _Finding(prepare_directory(tenant_id, directory.resolve(), judged).compiled)
    except TenantsError as error:
        return _Finding(fault=told(error))


def _at_once(work: Iterable[Callable[[], R]]) -> Iterator[R]:
    """What each returns, in their order; some work at the same time."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            yield from threads.map(lambda each: each(), work)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
