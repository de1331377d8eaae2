"""Proxies are those of the environment, as every other program takes them."""

import pytest

from gateway.engines.proxies import Proxies


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.openai.com/v1", "http://proxy:3128"),
        ("http://vllm.internal/v1", "http://fallback:1"),
        ("https://exempt.example/v1", None),
        ("https://deep.exempt.example:8443/v1", None),
        ("https://notexempt.example/v1", "http://proxy:3128"),
        ("http://127.0.0.1:8080/v1", None),
        ("http://127.9.9.9/v1", None),
        ("http://[::1]:8080/v1", None),
        ("http://localhost/v1", None),
    ],
)
def test_environment(monkeypatch, url, proxy):
    """The proxy goes by scheme; exempt hosts and this machine go without."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("ALL_PROXY", "http://fallback:1")
    monkeypatch.setenv("NO_PROXY", "other.example, exempt.example")
    for name in ("https_proxy", "http_proxy", "HTTP_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    assert Proxies.from_environment().before(url) == proxy


def test_none():
    """Without proxies every upstream is called directly."""
    assert Proxies({}).before("https://api.openai.com/v1") is None
