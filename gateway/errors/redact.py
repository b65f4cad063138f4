"""The one redactor: takes secrets out of texts that are logged, shown, dumped or kept as fixtures."""

import re

_MARK = "***"
# Texts come from outside and may be long, so nothing here takes more than linear time.
_WORD = re.compile(r"[^\s\"'<>]++")
_TOKENS = re.compile(r"(whsec_|gw_[A-Za-z0-9]+_)[A-Za-z0-9+/=_-]+")
_PAIRS = re.compile(
    r"(?P<key>(?:pass(?:word|wd)?|secret|token|authorization|cookie)[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|(?:Bearer |Basic |Digest )?[^\s,;&\"']+)",
    re.IGNORECASE,
)
_WSSE = re.compile(r"(<(?=[^<>]*Password)[^<>]*+>)[^<]*(<)")


def redact(text: str) -> str:
    """Return `text` with passwords, tokens, signing secrets and credentials in URLs replaced by ``***``.

    A URL keeps its user name's place but neither user name nor password:
    ``rtsp://admin:p@ss:w/rd#1@10.0.0.5/live`` becomes ``rtsp://***@10.0.0.5/live``.
    """
    text = _WORD.sub(_without_userinfo, text) if "://" in text else text
    text = _TOKENS.sub(lambda m: f"{m[1]}{_MARK}", text)
    text = _WSSE.sub(rf"\1{_MARK}\2", text)
    return _PAIRS.sub(lambda m: f"{m['key']}{_MARK}", text)


def _without_userinfo(word: re.Match[str]) -> str:
    """The userinfo runs to the LAST @ of a word: passwords in the field hold ':', '/', '#' and '@'."""
    scheme, mark, rest = word[0].partition("://")
    _userinfo, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{_MARK}@{host}" if at else word[0]
