"""Patterns of names, against a matcher that tries everything."""

from hypothesis import example, given
from hypothesis import strategies as st

from tenants.registry.patterns import Pattern

TEXTS = st.text("ab*/.", max_size=7)


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches, by the words of the port's documentation."""
    if not pattern:
        return not name
    if pattern.startswith("**"):
        return matches(pattern[2:], name) or (bool(name) and matches(pattern, name[1:]))
    if pattern.startswith("*"):
        goes_on = name[:1] not in ("", "/") and matches(pattern, name[1:])
        return matches(pattern[1:], name) or goes_on
    return name[:1] == pattern[0] and matches(pattern[1:], name[1:])


@given(pattern=TEXTS, name=st.text("ab/.", max_size=7))
@example(pattern="tenants/*/current.json", name="tenants/acme/current.json")
@example(pattern="a.b", name="axb")
@example(pattern="***", name="a/b")
def test_star_and_stars_mean_what_they_say(pattern, name):
    """One star never crosses a slash, two do, and nothing else is special."""
    assert Pattern(pattern).matches(name) == matches(pattern, name)


@given(pattern=TEXTS, name=st.text("ab/.", max_size=7))
def test_fixed_start_and_parts_leave_nothing_out(pattern, name):
    """Whatever matches begins with the fixed start and lies where a walk looks for it."""
    wanted = Pattern(pattern)
    if wanted.matches(name):
        parts = name.split("/")
        assert name.startswith(wanted.fixed_start)
        assert all(wanted.may_match_below(parts[:end]) for end in range(1, len(parts)))
