"""What becomes of tenants' revisions in this process, as metrics count it."""

from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["loaded", "copied", "rejected", "removed", "forgotten"]
"""Of a revision: in force; in force from a last good copy; refused; its tenant is gone; idle."""
