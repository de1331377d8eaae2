"""What a worker sees of the gateway's environment: nothing secret, only what programs need."""

from collections.abc import Mapping

_PASSED_ON = frozenset(
    {
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LANG",
        "LD_LIBRARY_PATH",
        "NO_PROXY",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a worker gets.

    Args:
        environ: the gateway's, such as ``os.environ``.
    """
    return {
        name: text for name, text in environ.items() if name in _PASSED_ON or name.startswith("LC_")
    }
