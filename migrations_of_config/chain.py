"""From any schema version of ``tenant.toml`` to the newest, one frozen revision after the other."""

import copy
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import attrs

from migrations_of_config import revisions
from migrations_of_config.errors import BrokenChainError, NewerDocumentError, VersionError

Document = dict[str, Any]
FIRST_VERSION = 1


@attrs.frozen
class Revision:
    """One step.

    Args:
        revises: the schema version that it takes; it gives the next one.
        sentence: what it changes.
        upgrade: a pure function from document to document; the chain writes the version.
    """

    revises: int
    sentence: str
    upgrade: Callable[[Document], Document]


@attrs.frozen
class Chain:
    """Every revision in order, from version 1 without a gap."""

    revisions: tuple[Revision, ...] = ()

    @property
    def newest(self) -> int:
        """The schema version that an upgraded document has."""
        return FIRST_VERSION + len(self.revisions)

    def pending(self, document: Document) -> tuple[Revision, ...]:
        """What a document has not been through.

        Raises:
            VersionError: the document says no version, or one that never was.
            NewerDocumentError: it was written for a newer program.
        """
        version = document.get("schema_version")
        if type(version) is not int or version < FIRST_VERSION:
            raise VersionError(self.newest)
        if version > self.newest:
            raise NewerDocumentError(version, self.newest)
        return self.revisions[version - FIRST_VERSION :]

    def upgrade(self, document: Document) -> Document:
        """The document as the newest version has it; the one that is given stays as it is.

        Raises:
            VersionError: the document says no version, or one that never was.
            NewerDocumentError: it was written for a newer program.
        """
        pending = self.pending(document)
        document = copy.deepcopy(document)
        for revision in pending:
            changed = revision.upgrade(document)
            document = {**changed, "schema_version": revision.revises + 1}
        return document


def chain_of(found: Iterable[Revision]) -> Chain:
    """Order revisions.

    Raises:
        BrokenChainError: one is missing, or two revise the same version.
    """
    ordered = tuple(sorted(found, key=lambda revision: revision.revises))
    revises = tuple(revision.revises for revision in ordered)
    if revises != tuple(range(FIRST_VERSION, FIRST_VERSION + len(ordered))):
        raise BrokenChainError(revises)
    return Chain(ordered)


def released(package: ModuleType = revisions) -> Chain:
    """The chain of the modules in a package.

    Raises:
        BrokenChainError: one is missing, or two revise the same version.
    """
    names = [each.name for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    return chain_of(_revision(importlib.import_module(name)) for name in names)


def _revision(module: ModuleType) -> Revision:
    sentence = (module.__doc__ or "").strip().partition("\n")[0]
    return Revision(module.REVISES, sentence, module.upgrade)
