"""The one redactor: takes secrets out of texts that are logged, shown, dumped or kept as fixtures."""

import re

_MARK = "***"
# The userinfo runs to the LAST @ before white space: passwords in the field hold ':', '/', '#' and '@'.
_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<userinfo>[^\s\"'<>]*)@")
_TOKENS = re.compile(r"(whsec_|gw_[A-Za-z0-9]+_)[A-Za-z0-9+/=_-]+")
_PAIRS = re.compile(
    r"(?P<key>(?:pass(?:word|wd)?|secret|token|authorization|cookie)[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|(?:Bearer |Basic |Digest )?[^\s,;&\"']+)",
    re.IGNORECASE,
)
_WSSE = re.compile(r"(<[^>]*Password[^>]*>)[^<]*(<)")


def redact(text: str) -> str:
    """Return `text` with passwords, tokens, signing secrets and credentials in URLs replaced by ``***``.

    A URL keeps its user name's place but neither user name nor password:
    ``rtsp://admin:p@ss:w/rd#1@10.0.0.5/live`` becomes ``rtsp://***@10.0.0.5/live``.
    """
    text = _URL.sub(lambda m: f"{m['scheme']}{_MARK}@", text)
    text = _TOKENS.sub(lambda m: f"{m[1]}{_MARK}", text)
    text = _WSSE.sub(rf"\1{_MARK}\2", text)
    return _PAIRS.sub(lambda m: f"{m['key']}{_MARK}", text)
