"""The writer of TOML, against the standard library's reader."""

import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_of_config.toml import dumps

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    TEXT
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC)).map(lambda each: each.replace(fold=0))
    | st.times().map(lambda each: each.replace(fold=0))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def exact(value):
    """A value with its types, since ``1 == True == 1.0``, and its keys in order."""
    match value:
        case dict():
            return {key: exact(value[key]) for key in sorted(value)}
        case list():
            return [*map(exact, value)]
    return type(value), repr(value)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_what_is_written_is_read_back(document):
    """Every document that TOML can say comes back equal, types and all."""
    assert exact(tomllib.loads(dumps(document))) == exact(document)


def test_values_come_before_tables():
    """A value after a table would belong to the table; an empty table is written too."""
    text = dumps({"a": {"b": {}, "c": 1}, "d": [{"e": True}]})

    assert text == "d = [{e = true}]\n\n[a]\nc = 1\n\n[a.b]\n"


@pytest.mark.parametrize("value", [None, [None], {"a": None}, b"x"])
def test_what_has_no_form_is_refused(value):
    """TOML has no null."""
    with pytest.raises(TypeError):
        dumps({"key": value})
