"""What a test does that needs a program which is not installed."""

import pytest

NAME = "no-program-has-this-name"


def test_missing_program_skips_with_a_reason(require_program, monkeypatch):
    """On a developer's machine the rest of the suite goes on."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=f"{NAME} is not installed"):
        require_program(NAME)


def test_missing_program_fails_where_everything_must_be_there(require_program, monkeypatch):
    """With ``CI=true`` nothing is passed over in silence."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=f"{NAME} is not installed"):
        require_program(NAME)
