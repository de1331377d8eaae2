"""Where tenants' secrets are kept, as an operator names it: ``env``, ``dir:PATH``, ``gcp:PROJECT``.

``GATEWAY_SECRETS`` and ``tenantctl secrets --secrets`` are written in it.
"""

import re
from typing import Literal, Self

import attrs

from tenants.errors import SecretMissingError
from tenants.model import SecretRef, is_secret_name, is_secret_version, is_tenant_id

_PROJECT = re.compile(r"[a-z0-9]([a-z0-9.:-]{0,61}[a-z0-9])?")


@attrs.frozen
class SecretPlace:
    """A place of secrets.

    Args:
        kind: ``env``: variables; ``dir``: files, as Kubernetes mounts them; ``gcp``: Google's
            Secret Manager.
        target: the directory's path, or the project; empty for ``env``.
    """

    kind: Literal["env", "dir", "gcp"] = "env"
    target: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what an operator wrote.

        Raises:
            ValueError: with how it is to be written.
        """
        kind, _, target = text.partition(":")
        if text == "env":
            return cls()
        if kind == "dir" and target and "\0" not in target:
            return cls("dir", target)
        if kind == "gcp" and _PROJECT.fullmatch(target):
            return cls("gcp", target)
        raise ValueError("env, dir:PATH or gcp:PROJECT")

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}" if self.target else self.kind

    @property
    def described(self) -> str:
        """In words, for an operator."""
        if self.kind == "env":
            return "environment variables AGW_<ID>__<NAME>"
        return self.target if self.kind == "dir" else f"Secret Manager of {self.target}"

    def home(self, tenant_id: str, name: str) -> str:
        """Where one secret lives, in words; see contract 9 for the names."""
        if self.kind == "env":
            return f"the variable {variable(tenant_id, name)}"
        if self.kind == "dir":
            return f"the file {self.target}/{stored_name(tenant_id, name)}"
        return f"the secret {stored_name(tenant_id, name)} of the project {self.target}"


def stored_name(tenant_id: str, name: str) -> str:
    """What a secret is called in Secret Manager, and its file in a directory.

    Neither a tenant's id nor a secret's name holds an underscore, so no two are called the same.
    """
    return f"{prefix(tenant_id)}{name}"


def prefix(tenant_id: str) -> str:
    """How the stored names of all of a tenant's secrets begin, and nobody else's."""
    return f"agw_{tenant_id}_"


def variable(tenant_id: str, name: str) -> str:
    """The environment variable that holds a secret.

    No name holds two hyphens in a row, so two different pairs never have the same variable.
    """
    return f"AGW_{_folded(tenant_id)}__{_folded(name)}"


def _folded(name: str) -> str:
    return name.upper().replace("-", "_")


def expect_names(tenant_id: str, ref: SecretRef) -> None:
    """Let nothing outside the grammars reach a store, where it could mean something else.

    Raises:
        SecretMissingError: no secret can have this name, or this version.
    """
    version_fits = is_secret_version(ref.version)
    if not (is_tenant_id(tenant_id) and is_secret_name(ref.name) and version_fits):
        raise SecretMissingError(tenant_id, ref.name, "no secret can have this name")
