"""By which forms a secret is known in any text: a key's own, and the place where it stands."""

import base64
import binascii
import re
from collections.abc import Iterator

MARK = "[quarantined]"

_NAMES = (
    r"(?:api[_-]?key|(?:admin|access|private|secret|signing|encryption)[_-]?key|token|secrets?"
    r"|password|passwd|passphrase|pwd|credentials?|authorization)"
)
_NAME = re.compile(rf"(?:.*[_.-])?{_NAMES}", re.IGNORECASE | re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Only the beginning of a word is tried, and not too far, so that long texts take linear time.
_WORD = rf"(?<![\w.-])[\w.-]{{0,64}}?{_NAMES}"

_KEYS = re.compile(
    r"(?<![A-Za-z0-9])sk-[\w-]{6,}"
    r"|(?<![A-Za-z0-9])(?:sk|rk|pk)_(?:live|test)_\w{8,}"
    r"|(?<![A-Za-z0-9])(?:agw|ags)_[a-z0-9-]+_[0-9A-Za-z_]{20,}"
    r"|(?<![A-Za-z0-9])(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|GOCSPX-|ya29\."
    r"|whsec_|hf_|SG\.)[\w-]{12,}"
    r"|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|-----BEGIN[^-]*PRIVATE KEY-----.*?(?:-----END[^-]*-----|\Z)",
    re.DOTALL | re.ASCII,
)
# What the first group holds is the secret; the rest says so.
_QUOTED = r"(?:\"([^\"\n]{6,})\"|'([^'\n]{6,})')"
_GIVEN = r"\s*(?::\s*[\w\[\]., |]{1,60}?\s*=|[:=])\s*[bfru]{0,2}"
_LINE = (r"(?:^|(?<=\\n))(?:export )?", r"(?=$|\\)")  # also as code writes it
_PLACES = (
    re.compile(r"(?<=://)([^\s/@?#\"']+)(?=@)"),
    # A word of prose has no digit, and no capital within.
    re.compile(
        r"(?<![A-Za-z])(?i:bearer|basic)\s+(?=\S*(?:[\d=]|[a-z][A-Z]))([A-Za-z0-9._~+/=-]{12,})"
    ),
    re.compile(
        rf"[?&](?:[\w.-]{{0,64}}?{_NAMES}|(?:[\w.-]{{0,64}}?[_.-])?(?:key|sig|signature))"
        r"=([^&\s\"'#]+)",
        re.IGNORECASE,
    ),
    re.compile(rf"{_WORD}[\"']?{_GIVEN}{_QUOTED}", re.IGNORECASE),
    re.compile(
        rf"{_LINE[0]}[A-Z0-9_]{{0,64}}?{_NAMES.upper()}"
        rf"=((?=\S*\d)[^\s()\[\]{{}}\"'\\]{{8,}}){_LINE[1]}",
        re.MULTILINE,
    ),
)
_REFERENCE = re.compile(r"secret:[a-z0-9-]+(?:@\w+)?")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}={0,2}")
_DEEPEST = 3


def names_secret(name: str) -> bool:
    """Whether what stands under a name is a secret by it: ``crm_token``, ``clientSecret``."""
    return _NAME.fullmatch(_CAMEL.sub("_", name)) is not None


def without_secrets(text: str) -> str:
    """A text with a mark in place of all that has the form of a secret."""
    for start, end in reversed([*_spans_of_base64(text)]):
        text = f"{text[:start]}{MARK}{text[end:]}"
    text = _KEYS.sub(MARK, text)
    for place in _PLACES:
        text = place.sub(_blanked, text)
    return text


def _blanked(match: re.Match[str]) -> str:
    group = match.lastindex or 0
    if match[group].startswith(MARK) or _REFERENCE.fullmatch(match[group]):
        return match[0]
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return f"{match[0][:start]}{MARK}{match[0][end:]}"


def _spans_of_base64(text: str) -> Iterator[tuple[int, int]]:
    for match in _BASE64.finditer(text):
        if _hides_key(match[0], _DEEPEST):
            yield match.span()


def _hides_key(text: str, depth: int) -> bool:
    """Whether a text in base64 stands for one that has a key in it."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return False
    if _KEYS.search(decoded) is not None:
        return True
    return depth > 1 and any(_hides_key(each[0], depth - 1) for each in _BASE64.finditer(decoded))
