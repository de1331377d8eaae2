"""Whatever operators send is read, or every fault of it is told."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.admin.bodies import _read
from gateway.http.admin.requests import REQUESTS, NewTenant, TenantQuery
from gateway.http.errors import BadInputError

NAMES = sorted({field.name for kind in REQUESTS for field in msgspec.structs.fields(kind)})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*NAMES, "x"]), inner),
)


@given(st.sampled_from(REQUESTS), JSON)
def test_nothing_else_is_raised(kind, value):
    """Either it is what was meant, or there is a fault with words."""
    read, faults = None, ()
    try:
        read = _read(value, kind, strict=True)
    except BadInputError as error:
        faults = error.faults

    assert isinstance(read, kind) != bool(faults)
    assert all(message for _, message in faults)


def test_faults_are_told_wherever_they_are():
    """In fields, in fields of fields, and in files by their names."""
    value = {"id": 1, "files": {"a.toml": None}, "key": {"scope": "all", "expires_at": 0}}

    with pytest.raises(BadInputError) as caught:
        _read(value, NewTenant, strict=True)

    assert [field for field, _ in caught.value.faults] == [
        *("id", "files[a.toml]", "key.scope", "key.expires_at"),
    ]


def test_texts_of_a_query_are_numbers_where_numbers_are_meant():
    """But nothing else is read into them; bodies say what they mean."""
    assert _read({"limit": "7"}, TenantQuery, strict=False).limit == 7
    with pytest.raises(BadInputError):
        _read({"limit": "7"}, TenantQuery, strict=True)
    with pytest.raises(BadInputError):
        _read({"limit": "seven"}, TenantQuery, strict=False)
