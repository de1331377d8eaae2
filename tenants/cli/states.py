"""How a tenant stands, in words for people."""

from collections.abc import Mapping

from tenants.releases.states import State

WORDS: Mapping[State, str] = {
    "in_force": "in force",
    "suspended": "suspended",
    "offboarding": "half deleted",
    "broken": "broken",
    "working_form": "working form",
}
