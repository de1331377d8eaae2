"""What can go wrong with a stored document of any generation."""

import attrs


class MigrationsError(Exception):
    """Root of this package's errors."""


@attrs.frozen
class Fault:
    """One thing that keeps an earlier configuration from being read.

    Args:
        field: a path such as ``function_names[1]``; empty where the whole file is meant.
        message: what is wrong and how to mend it; it never quotes a value.
        line: from 1, where it is known.
    """

    field: str
    message: str
    line: int | None = None


@attrs.frozen
class EarlierConfigError(MigrationsError):
    """An earlier configuration cannot be read; carries everything that is wrong with it."""

    faults: tuple[Fault, ...]


@attrs.frozen
class NewerDocumentError(MigrationsError):
    """A document was written for a newer program.

    Args:
        version: the document's.
        newest: the newest that this program reads.
    """

    version: int
    newest: int


@attrs.frozen
class VersionError(MigrationsError):
    """A document says no version, or one that never was.

    Args:
        newest: the newest that this program reads.
    """

    newest: int


@attrs.frozen
class BrokenChainError(MigrationsError):
    """The revisions do not lead from version 1 to the newest, each once.

    Args:
        revises: what they revise, in order.
    """

    revises: tuple[int, ...]
