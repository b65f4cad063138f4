"""Replies as cameras send them: broken, faulty, or no SOAP at all."""

import base64
import hashlib
import re
from datetime import UTC, datetime

import pytest

from gateway.cameras.soap import FaultError, NotSoapError, UsernameToken, read_reply, request, text_of

OPEN = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
CLOSE = "</s:Body></s:Envelope>"


@pytest.mark.parametrize(
    "content",
    [
        (OPEN + '<a xmlns="urn:x"><b>text</b></a>' + CLOSE).encode(),
        ("\r\n\0" + OPEN + '<a xmlns="urn:x"><b>te\0xt</b></a>' + CLOSE + "\0").encode(),
        (OPEN + "<t:a><t:b>text</t:b></t:a>" + CLOSE).encode(),
        (OPEN + "<a kind=bare x:y=1><b>text</b></a>" + CLOSE).encode(),
        (OPEN + "<a><b>text</b><c>\xff\xfe</c></a>").encode("latin-1"),
        b"<Envelope><Body><a><b>text</b></a></Body></Envelope>",
        b"<SOAP-ENV:Envelope><SOAP-ENV:Body><a><b>text</b></a></SOAP-ENV:Body></SOAP-ENV:Envelope>",
    ],
)
def test_a_broken_reply_is_read_as_far_as_it_goes(content: bytes) -> None:
    assert "text" in "".join(str(part) for part in read_reply(content).itertext())


def test_attributes_without_quotes_are_kept() -> None:
    reply = read_reply((OPEN + "<a token=main_1 kind='x=y' other=\"a  b=c\"/>" + CLOSE).encode())

    assert {str(name): str(value) for name, value in reply[0][0].attrib.items()} == {
        "token": "main_1",
        "kind": "x=y",
        "other": "a  b=c",
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty answer"),
        (b"  \n", "an empty answer"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "a web page"),
        (b"<HTML><body>login", "a web page"),
        (b"TypeError: undefined\n at handler", "something that is no SOAP"),
        (b"\x89PNG\r\n", "something that is no SOAP"),
        (b"RTSP/1.0 400 Bad Request\r\n\r\n", "something that is no SOAP"),
        ((OPEN + CLOSE).encode(), "an empty SOAP envelope"),
        (b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', "an empty SOAP envelope"),
    ],
)
def test_what_is_no_soap_is_named(content: bytes, kind: str) -> None:
    with pytest.raises(NotSoapError, match=f"^{kind}$"):
        read_reply(content)


def _fault(subcode: str, reason: str, declared: str = "") -> bytes:
    return (
        OPEN + "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value" + declared + f">{subcode}</s:Value>"
        f"</s:Subcode></s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason></s:Fault>" + CLOSE
    ).encode()


def test_a_fault_is_raised_with_codes_and_words() -> None:
    with pytest.raises(FaultError) as caught:
        read_reply(_fault("ter:ActionNotSupported", " Optional \n Action "))

    assert caught.value.subcodes == ("Sender", "ActionNotSupported")
    assert caught.value.reason == "Optional Action"
    assert not caught.value.is_about_credentials


@pytest.mark.parametrize(
    ("subcode", "reason"),
    [
        ("ter:NotAuthorized", "error"),
        ("wsse:FailedAuthentication", "error"),
        ("x:y", "Sender not Authorized"),
        ("x:y", "The action requested requires authorization and the sender is not authorized"),
        ("x:y", "Unauthorised"),
        ("x:y", "Authority failure"),
    ],
)
def test_credentials_are_recognised_by_code_and_by_wording(subcode: str, reason: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_reply(_fault(subcode, reason))

    assert caught.value.is_about_credentials


def test_a_fault_of_soap_1_1_and_one_with_an_undeclared_prefix_are_faults() -> None:
    old = (
        b"<E:Envelope><E:Body><E:Fault><faultcode>E:NotAuthorized</faultcode><faultstring>no</faultstring>"
        b"</E:Fault></E:Body></E:Envelope>"
    )
    for content in (old, _fault("ter:NotAuthorized", "no").replace(b"</s:Fault>", b"<ter:Text/></s:Fault>")):
        with pytest.raises(FaultError) as caught:
            read_reply(content)
        assert caught.value.is_about_credentials


def test_a_token_proves_the_password_without_telling_it() -> None:
    header = UsernameToken("u<1>", "pä&ss").header(datetime(2026, 11, 23, 8, 0, 1, 999_999, UTC))

    said = dict(re.findall(r"<[su]:(\w+)[^>]*>([^<]+)</", header))
    assert (said["Username"], said["Created"]) == ("u&lt;1&gt;", "2026-11-23T08:00:01Z")
    proof = hashlib.sha1(
        base64.b64decode(said["Nonce"]) + said["Created"].encode() + "pä&ss".encode(), usedforsecurity=False
    )
    assert base64.b64decode(said["Password"]) == proof.digest()
    assert "pä" not in header


def test_a_token_has_a_new_nonce_each_time() -> None:
    token, now = UsernameToken("u", "p"), datetime(2026, 11, 23, tzinfo=UTC)

    assert token.header(now) != token.header(now)


def test_a_request_is_an_envelope_that_can_be_read() -> None:
    assert read_reply(request('<Ask xmlns="urn:x"/>', "<h/>")).find(".//{urn:x}Ask") is not None


@pytest.mark.parametrize("reference", ["&#xD800;", "&#55357;&#56832;", "&#0;", "&#xFFFF;", "&#x1;", "&#4294967295;"])
def test_references_to_what_is_no_character_are_read_as_such(reference: str) -> None:
    """Cameras make two halves of an emoji in a name; libxml2 takes them over and lxml then cannot decode them."""
    reply = read_reply((OPEN + f'<a name="{reference}x"><b>{reference}text</b></a>' + CLOSE).encode())

    assert text_of(reply, "b").endswith("text")
    assert reply[0][0].get("name", "").endswith("x")
