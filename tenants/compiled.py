"""A tenant as requests see it: frozen, prepared once a revision, nothing left to parse."""

from collections.abc import Mapping
from typing import Any

import attrs

from tenants.model import SecretRef


@attrs.frozen
class Function:
    """One function of a tool module, as the model is told of it.

    Args:
        name: as in ``TOOL_MAP``.
        schema: the Responses API's tool object,
            ``{"type": "function", "name", "description", "parameters", "strict"}``.
    """

    name: str
    schema: Mapping[str, Any]


@attrs.frozen
class Upstream:
    """Where an assistant's model lives.

    Args:
        base_url: without a trailing slash, such as ``https://api.openai.com/v1``.
            None: the operator's.
        api_key: None: the operator's.
    """

    base_url: str | None = None
    api_key: SecretRef | None = None


@attrs.frozen(eq=False)
class Assistant:
    """One assistant of a tenant.

    Args:
        id: such as ``asst_acme_default``.
        alias: ``default``, or the name of its table under ``[assistants]``.
        model: the upstream's name of the model, aliases resolved.
        functions: what the gateway runs for it.
        tools: the Responses API's ``tools`` array, encoded once as JSON.
        timeout_seconds: for one call of a function.
        max_rounds: rounds of function calls in one run.
    """

    id: str
    alias: str
    engine: str
    model: str
    instructions: str
    initial_message: str
    temperature: float | None
    functions: tuple[Function, ...]
    tools: bytes
    timeout_seconds: float
    max_rounds: int


@attrs.frozen(eq=False)
class CompiledTenant:
    """One revision of one tenant.

    Args:
        revision: the SHA-256 of its files, in hexadecimal.
        tool_module: the path of ``tools.py``, or None.
        assistants: by alias; ``default`` is always there.
        allowed_origins: what a browser's ``Origin`` may be, besides the gateway's own.
        expose_tool_calls: whether end users see the functions' arguments and outputs.
    """

    tenant_id: str
    display_name: str
    revision: str
    assistants: Mapping[str, Assistant]
    upstream: Upstream
    tool_module: str | None
    allowed_origins: frozenset[str]
    expose_tool_calls: bool

    @property
    def default(self) -> Assistant:
        """The assistant of the conversation routes."""
        return self.assistants["default"]
