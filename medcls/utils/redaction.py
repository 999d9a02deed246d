"""Keep passwords, tokens and keys out of everything that is printed, logged or written."""

import re
import shlex
from urllib.parse import unquote, unquote_plus

HIDDEN = "***"
SHORTEST = 3  # characters of the shortest piece of a secret that is searched for in the message of a library

_WORD = (
    r"(?:[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|credentials?|signature|api[_-]?key"
    r"|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key|secret[_-]?key)|(?:[\w.-]*[_.-])?pass|odbc_connect)"
)
_SETTING = re.compile(
    rf"(?i)(?<![\w.-])(?P<name>{_WORD}(?:\s*=\s*|['\"]\s*[:=]\s*))(?P<value>'[^']*'|\"[^\"]*\"|[^\s'\"]+)"
)
_PARAMETER = re.compile(rf"(?i)[?&;#](?:{_WORD}|key|pw|sas|sig|auth|[\w.-]*%[\w.%-]*)=")
_URL = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<rest>\S*)")
_WHOLE_URL = re.compile(r"(?s)(?P<before>.*?[A-Za-z][\w+.-]*://)(?P<rest>.*)")


def text_without_secrets(text: str, *urls: str) -> str:
    """Return a text without the user names, passwords, tokens and keys in its URLs and settings.

    `scheme://name:password@host/database?password=...` becomes `scheme://host/database?password=***`, or less if it
    is not clear what the password is; `PASSWORD=...` becomes `PASSWORD=***`.

    Args:
        text: any text; a URL in it ends at a blank.
        urls: URLs that the text may repeat in pieces, as libraries do that misread them.
    """
    for url in urls:
        text = text.replace(url, without_secrets(url))
        for piece in _pieces(url):
            text = text.replace(piece, HIDDEN)
    text = _URL.sub(lambda url: url["scheme"] + _shown(url["rest"]), text)
    return _SETTING.sub(lambda setting: setting["name"] + HIDDEN, text)


def typed(*words: object) -> str:
    """Return a command for a shell: each word without its secrets, and quoted if necessary."""
    return shlex.join(without_secrets(str(word)) for word in words)


def without_secrets(argument: str) -> str:
    """Return one URL, or one argument of a command line, without its secrets; it may contain blanks."""
    url = _WHOLE_URL.fullmatch(argument)
    if url is not None:
        return url["before"] + _shown(url["rest"])
    setting = _SETTING.match(argument.lstrip("-"))
    return argument if setting is None else argument.partition("=")[0] + f"={HIDDEN}"


def _shown(rest: str) -> str:
    """Return the part of a URL after its scheme without its secrets."""
    secret = _PARAMETER.search(rest)
    if secret is None:
        return rest[_end_of_login(rest) :]
    before, value = rest[: secret.end()], rest[secret.end() :]
    if "@" in value and ":" in before:  # what looks like a parameter may stand in the password
        return HIDDEN
    return before[_end_of_login(before) :] + HIDDEN


def _end_of_login(rest: str) -> int:
    """Return where the host begins: after the last @, since people do not escape @ and / in passwords."""
    end = rest.rfind("@") + 1
    has_login = "@" in rest.partition("/")[0] or ":" in rest[:end]
    return end if has_login and not rest.startswith("/") else 0


def _pieces(url: str) -> list[str]:
    """Return the secrets of a URL, and the pieces that libraries may split them into, the longest first."""
    found = _WHOLE_URL.fullmatch(url)
    if found is None:
        return []
    rest = found["rest"]
    login, colon, password = rest[: _end_of_login(rest)].removesuffix("@").partition(":")
    secrets = [password if colon else login]
    parameter = _PARAMETER.search(rest)
    if parameter is not None:
        value = rest[parameter.end() :]
        secrets += [value, value.partition("&")[0]]
    pieces: set[str] = set()
    for secret in secrets:
        for form in (secret, unquote(secret), unquote_plus(secret)):
            pieces |= {form, *re.split(r"[^\w.~-]+", form)}
    return sorted((piece for piece in pieces if len(piece) >= SHORTEST), key=len, reverse=True)
