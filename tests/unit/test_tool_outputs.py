"""The bound of what a model is told."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.tools.outputs import LONGEST_OUTPUT_BYTES, bounded


@given(st.text(alphabet="aé€😀", max_size=4), st.integers(65_520, 65_560))
def test_every_cut_is_within_the_bound_and_valid(text, size):
    """At any mixture of characters around the bound the output is UTF-8 within it."""
    whole = "x" * size + text

    cut = bounded(whole)

    assert len(cut.encode()) <= LONGEST_OUTPUT_BYTES
    assert (cut == whole) == (len(whole.encode()) <= LONGEST_OUTPUT_BYTES)
