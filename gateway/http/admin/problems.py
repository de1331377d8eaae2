"""Errors as operators see them: what tenants' clients are told, and why it is so."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from litestar import Request, Response

from gateway.http.problems import INVALID_INPUT, Problem, answer_problem, problem_of
from tenants.errors import BrokenObjectError, Fault, InvalidTenantError
from tenants.registry import layout
from tenants.registry.objects import ObjectsUnavailableError
from tenants.releases.errors import (
    OffboardingError,
    PublishConflictError,
    TenantExistsError,
    TooManyKeysError,
    UnannouncedError,
    UnknownRevisionError,
    WorkingFormError,
)

_POINTER = layout.POINTERS.rpartition("*")[2]


def _broken(error: BrokenObjectError) -> str:
    if error.name.endswith(_POINTER):
        return f"{error}: roll back to a revision by its number, which writes it anew."
    return str(error)


def _conflict(error: PublishConflictError) -> str:
    if error.revision is None:
        return "The tenant is not published, or no longer: look at it, then try again."
    return f"Revision {error.revision} is in force, by {error.by}: look at it, then try again."


def _unknown_revision(error: UnknownRevisionError) -> str:
    if error.revision is None:
        return "None was published before the one in force."
    return f"There is no revision {error.revision}, or it is remembered no longer."


# What is wrong, and how to mend it.
_DETAILS: Mapping[type[Exception], Callable[[Any], str]] = {
    InvalidTenantError: str,
    BrokenObjectError: _broken,
    ObjectsUnavailableError: lambda error: error.detail,
    UnannouncedError: lambda error: error.detail,
    WorkingFormError: lambda error: (
        f"{error.tenant_id} is served as its directory stands: publish it by "
        f"POST /admin/api/tenants/{error.tenant_id}/revisions, then this can be done."
    ),
    OffboardingError: lambda _: "Its deletion has begun: delete it once more, which finishes it.",
    TenantExistsError: lambda error: (
        f"There is a tenant {error.tenant_id} already: publish to it, or take another id."
    ),
    PublishConflictError: _conflict,
    UnknownRevisionError: _unknown_revision,
    TooManyKeysError: lambda error: (
        f"It has {error.most} live keys: revoke those that nobody uses."
    ),
}


def operators_problem(error: Exception) -> Problem:
    """The problem of any error, with what is for operators alone."""
    problem, detail = problem_of(error), _DETAILS.get(type(error))
    if isinstance(error, InvalidTenantError):
        problem = INVALID_INPUT.extended(errors=[_fault(each) for each in error.faults])
    return attrs.evolve(problem, detail=detail(error)) if detail else problem


def answer_operator(request: "Request[Any, Any, Any]", error: Exception) -> "Response[bytes]":
    """Answer any error of an operator's route."""
    return answer_problem(request, error, operators_problem(error))


def _fault(fault: Fault) -> dict[str, Any]:
    """Where it is, and how to mend it."""
    return {
        "field": fault.field,
        "message": fault.message,
        "file": fault.file,
        "line": fault.line,
    }
