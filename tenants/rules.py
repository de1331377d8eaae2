"""What holds between the fields of ``tenant.toml``, and what is valid but not acted on yet.

These look at the document as TOML gave it, so that they speak up beside faults of single fields.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from tenants.addresses import upstream_fault
from tenants.lines import Path
from tenants.model import is_tenant_id

Raw = Mapping[str, Any]
_ID_RULE = "take 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end"
_NOT_YET = "not supported by this version yet: remove it"
_NO_CELLS = (
    'cells that isolate tools do not exist yet: set isolation = "inline",'
    " which is for your own, trusted code"
)
NO_INLINE_TOOLS = (
    "this gateway runs tools in cells alone (GATEWAY_TOOL_ISOLATION=required), which do not exist"
    " yet: publish without [tools] module, or set best-effort, which is for your own, trusted code"
)

_UNSUPPORTED: tuple[tuple[Path, Callable[[Any], bool]], ...] = (
    (("fallback",), lambda _: True),
    (("tools", "allowed_hosts"), bool),
    (("tools", "secrets"), bool),
    (("tools", "mcp"), lambda _: True),
    (("limits",), lambda _: True),
)


def broken_rules(
    raw: Raw, *, directory: str, private_upstreams: AbstractSet[str]
) -> Iterator[tuple[Path, str]]:
    """Every rule that a document breaks, as the field's path and what to do about it.

    Args:
        raw: the document.
        directory: the name of the directory that holds the document.
        private_upstreams: hosts that an upstream may have though they are private.
    """
    yield from _identity(raw, directory)
    yield from _assistants(raw)
    yield from _models(raw)
    yield from _upstream(raw, private_upstreams)
    yield from _tools(raw)
    yield from _hosted(raw)
    yield from _knowledge(raw)
    yield from _token_issuer(raw, private_upstreams)
    yield from _unsupported(raw)


def assistant_tables(raw: Raw) -> dict[Path, Raw]:
    """The assistants' tables, by their paths."""
    found: dict[Path, Any] = {("assistant",): raw.get("assistant")}
    for alias, table in at(raw, "assistants", {}).items():
        found["assistants", alias] = table
    return {path: table for path, table in found.items() if isinstance(table, dict)}


def at(raw: Any, key: str, default: Any) -> Any:  # noqa: ANN401  (TOML gives any of its types)
    """The value of a key, where it is there and of the default's type; else the default."""
    value = raw.get(key) if isinstance(raw, dict) else None
    return value if isinstance(value, type(default)) else default


def _identity(raw: Raw, directory: str) -> Iterator[tuple[Path, str]]:
    tenant_id = at(raw, "tenant_id", "")
    if not is_tenant_id(directory):
        yield (
            ("tenant_id",),
            f"{directory!r}, as the directory or the command has it, is no tenant's id: {_ID_RULE}",
        )
    elif tenant_id and tenant_id != directory:
        yield (
            ("tenant_id",),
            f'the directory or the command names {directory}: write tenant_id = "{directory}"',
        )


def _assistants(raw: Raw) -> Iterator[tuple[Path, str]]:
    seen: dict[str, Path] = {}
    for path, table in assistant_tables(raw).items():
        name = at(table, "id", "")
        if name and name in seen:
            yield (
                (*path, "id"),
                f"{'.'.join(map(str, seen[name]))} has this id already: each has its own",
            )
        seen.setdefault(name, path)
        if at(table, "engine", "") == "chat_completions":
            yield (*path, "engine"), _NOT_YET


def _models(raw: Raw) -> Iterator[tuple[Path, str]]:
    models = at(raw, "models", {})
    for alias, name in models.items():
        if isinstance(name, str) and name in models:
            yield (
                ("models", alias),
                f"{name} is an alias too: name the upstream's model itself",
            )


def _upstream(raw: Raw, private_upstreams: AbstractSet[str]) -> Iterator[tuple[Path, str]]:
    upstream = at(raw, "upstream", {})
    base_url = at(upstream, "base_url", "")
    if "base_url" in upstream and "api_key" not in upstream:
        yield (
            ("upstream", "api_key"),
            'required where base_url is named: write api_key = "secret:NAME"',
        )
    fault = upstream_fault(base_url, private_upstreams) if "base_url" in upstream else None
    if fault and isinstance(upstream["base_url"], str):
        yield ("upstream", "base_url"), fault


def _tools(raw: Raw) -> Iterator[tuple[Path, str]]:
    tools = at(raw, "tools", {})
    functions = at(tools, "functions", [])
    if "module" in tools and tools.get("isolation", "sandbox") == "sandbox":
        yield ("tools", "isolation"), _NO_CELLS
    if functions and "module" not in tools:
        yield ("tools", "module"), 'required where functions are named: write module = "tools.py"'
    for place, name in enumerate(functions):
        if name in functions[:place]:
            yield ("tools", "functions", place), f"{name} is named twice: remove one"


def _hosted(raw: Raw) -> Iterator[tuple[Path, str]]:
    hosted = at(at(raw, "tools", {}), "hosted", [])
    for place, name in enumerate(hosted):
        if name in hosted[:place]:
            yield ("tools", "hosted", place), f"{name} is named twice: remove one"


def _knowledge(raw: Raw) -> Iterator[tuple[Path, str]]:
    for place, pattern in enumerate(at(at(raw, "knowledge", {}), "files", [])):
        if isinstance(pattern, str) and not pattern.startswith("knowledge/"):
            path: Path = ("knowledge", "files", place)
            yield path, "knowledge lies in knowledge/: write a pattern such as knowledge/*.md"


def _token_issuer(raw: Raw, private_hosts: AbstractSet[str]) -> Iterator[tuple[Path, str]]:
    access = at(raw, "access", {})
    issuer, audience = at(access, "jwt_issuer", ""), at(access, "jwt_audience", "")
    if issuer and not audience:
        words = "required where jwt_issuer is named: write what its tokens are issued for"
        yield ("access", "jwt_audience"), words
    if audience and not issuer:
        yield ("access", "jwt_issuer"), "required where jwt_audience is named: write its URL"
    fault = upstream_fault(issuer, private_hosts) if issuer else None
    if fault:
        yield ("access", "jwt_issuer"), fault


def _unsupported(raw: Raw) -> Iterator[tuple[Path, str]]:
    for path, refused in _UNSUPPORTED:
        value: Any = raw
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and refused(value):
            yield path, _NOT_YET
