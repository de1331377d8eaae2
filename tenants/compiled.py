"""A tenant as requests see it: frozen, prepared once a revision, nothing left to parse."""

import sys
import zlib
from collections.abc import Mapping

import attrs

from tenants.keys import Keyring
from tenants.model import SecretRef

NO_KEYS = Keyring()


@attrs.frozen(eq=False)
class ToolSource:
    """A tool module's source as it was compiled, so that a later, broken file changes nothing.

    Args:
        file: its name, such as ``tools.py``.
        packed: the source, compressed by zlib.
    """

    file: str
    packed: bytes

    @property
    def source(self) -> bytes:
        """The Python source."""
        return zlib.decompress(self.packed)


def packed(file: str, source: bytes) -> ToolSource:
    """A tool module's source, as it is kept."""
    return ToolSource(sys.intern(file), zlib.compress(source))


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
        functions: the names of what the gateway runs for it.
        tools: the Responses API's ``tools`` array, encoded once as JSON; its elements are
            ``{"type": "function", "name", "description", "parameters", "strict"}``.
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
    functions: tuple[str, ...]
    tools: bytes
    timeout_seconds: float
    max_rounds: int


@attrs.frozen
class TokenIssuer:
    """Who issues the end users' own tokens (JWT), and what they are issued for."""

    issuer: str
    audience: str


@attrs.frozen(eq=False)
class CompiledTenant:
    """One revision of one tenant.

    Args:
        revision: the SHA-256 of its files, in hexadecimal.
        tool_module: None where it has no tools.
        assistants: by alias; ``default`` is always there.
        allowed_origins: what a browser's ``Origin`` may be, besides the gateway's own.
        expose_tool_calls: whether end users see the functions' arguments and outputs.
        public_chat: whether the chat page lets anybody in.
        token_issuer: None where end users bring no tokens of their own.
        keys: the tenant's API keys; they change without a new revision, and the whole value is
            replaced then.
    """

    tenant_id: str
    display_name: str
    revision: str
    assistants: Mapping[str, Assistant]
    upstream: Upstream
    tool_module: ToolSource | None
    allowed_origins: frozenset[str]
    expose_tool_calls: bool
    public_chat: bool = False
    token_issuer: TokenIssuer | None = None
    keys: Keyring = NO_KEYS

    @property
    def default(self) -> Assistant:
        """The assistant of the conversation routes."""
        return self.assistants["default"]
