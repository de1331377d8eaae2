"""Whether upstream still serves the models that tenants name, and for how long."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
import msgspec

from tenants.cli.doctor_view import Check, named
from tenants.cli.errors import CliError
from tenants.cli.http import ask
from tenants.compiled import CompiledTenant


@attrs.frozen
class Account:
    """The operator's account upstream.

    Args:
        base_url: such as ``https://api.openai.com/v1``.
        key: empty: there is none.
    """

    base_url: str
    key: str = attrs.field(repr=False)


class _Model(msgspec.Struct):
    """OpenAI's ``Model``; the date is given where the model is to be shut down."""

    id: str
    shutdown_date: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


def look_at_models(account: Account, tenants: Sequence[CompiledTenant]) -> Check:
    """Whether the account's models include those of the tenants that are called with it."""
    used = _used(each for each in tenants if each.upstream.base_url in {None, account.base_url})
    if not used:
        return Check("models", "none is called with the operator's account")
    if not account.key:
        return Check("models", "not asked: OPENAI_API_KEY is not set")
    url = f"{account.base_url.rstrip('/')}/models"
    try:
        served = ask(_Models, "GET", url, {"Authorization": f"Bearer {account.key}"}).data
    except CliError as error:
        return Check("models", "not known", warnings=(str(error),))
    known = {each.id: each.shutdown_date for each in served}
    words = f"{len(used)} in use, {len(known)} served by {account.base_url}"
    return Check("models", words, warnings=tuple(_warnings(used, known)))


def _used(tenants: Iterable[CompiledTenant]) -> Mapping[str, list[str]]:
    """The ids of the tenants that use a model, by its name."""
    used: dict[str, list[str]] = defaultdict(list)
    for tenant in tenants:
        for model in dict.fromkeys(each.model for each in tenant.assistants.values()):
            used[model].append(tenant.tenant_id)
    return used


def _warnings(used: Mapping[str, list[str]], known: Mapping[str, str | None]) -> Iterator[str]:
    remedy = "name another, or put an alias for it under [models]"
    for model, tenants in sorted(used.items()):
        if model not in known:
            yield f"{model} is not served to this account, and {_named(tenants)}: {remedy}."
        elif ends := known[model]:
            yield f"{model} is shut down on {ends}, and {_named(tenants)}: {remedy}."


def _named(tenants: Sequence[str]) -> str:
    return f"{named(tenants)} {'use' if len(tenants) > 1 else 'uses'} it"
