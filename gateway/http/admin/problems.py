"""Errors as operators see them: what tenants' clients are told, and why it is so."""

from typing import Any

import attrs
from litestar import Request, Response

from gateway.http.problems import INVALID_INPUT, Problem, answer_problem, problem_of
from tenants.errors import BrokenObjectError, Fault, InvalidTenantError
from tenants.registry.objects import ObjectsUnavailableError
from tenants.releases.errors import OffboardingError, UnannouncedError, WorkingFormError


def operators_problem(error: Exception) -> Problem:
    """The problem of any error, with what is for operators alone."""
    match error:
        case InvalidTenantError():
            invalid = attrs.evolve(INVALID_INPUT, detail=str(error))
            return invalid.extended(errors=[_fault(each) for each in error.faults])
        case BrokenObjectError():
            return attrs.evolve(problem_of(error), detail=str(error))
        case ObjectsUnavailableError() | UnannouncedError():
            return attrs.evolve(problem_of(error), detail=error.detail)
        case WorkingFormError():
            detail = (
                f"{error.tenant_id} is served as its directory stands: publish it by "
                f"POST /admin/api/tenants/{error.tenant_id}/revisions, then this can be done."
            )
            return attrs.evolve(problem_of(error), detail=detail)
        case OffboardingError():
            detail = "Its deletion has begun: delete it once more, which finishes it."
            return attrs.evolve(problem_of(error), detail=detail)
        case _:
            return problem_of(error)


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
