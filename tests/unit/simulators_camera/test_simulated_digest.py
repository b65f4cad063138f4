"""The server's side of Digest, against the client's arithmetic of RFC 2617."""

import hashlib
import re

from gateway.simulators.camera.digest import DigestRealm


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _answer(challenge: str, password: str, *, qop: bool, method: str = "DESCRIBE") -> str:
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    secret, request = _md5(f"u:{said['realm']}:{password}"), _md5(f"{method}:rtsp://h/main")
    middle = f"{said['nonce']}:00000001:abc:auth" if qop else said["nonce"]
    response = _md5(f"{secret}:{middle}:{request}")
    more = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="u", realm="{said["realm"]}", nonce="{said["nonce"]}", uri="rtsp://h/main", '
        f'response="{response}"{more}'
    )


def test_the_right_password_enters_with_and_without_qop() -> None:
    realm = DigestRealm("cam", "u", "p@ss:w/rd#1")

    for qop in (True, False):
        assert realm.accepts("DESCRIBE", _answer(realm.challenge(), "p@ss:w/rd#1", qop=qop))


def test_a_wrong_password_another_method_and_a_foreign_nonce_are_refused() -> None:
    realm = DigestRealm("cam", "u", "right")

    assert not realm.accepts("DESCRIBE", _answer(realm.challenge(), "wrong", qop=True))
    assert not realm.accepts("PLAY", _answer(realm.challenge(), "right", qop=True))
    assert not realm.accepts("DESCRIBE", _answer(DigestRealm("cam", "u", "right").challenge(), "right", qop=True))


def test_nonsense_is_refused_and_not_a_crash() -> None:
    realm = DigestRealm("cam", "u", "right")

    for header in ("", "Digest", "Digest a", "Basic dTpyaWdodA==", 'Digest username="u", nonce="é"', "Digest =,=,"):
        assert not realm.accepts("DESCRIBE", header)


def test_without_a_user_everybody_may_enter() -> None:
    assert DigestRealm("cam", "", "").accepts("DESCRIBE", "")
