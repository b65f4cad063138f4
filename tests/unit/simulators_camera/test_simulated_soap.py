"""The simulated camera's SOAP: requests, faults, tokens with their clock window."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from gateway.simulators.camera.onvif import soap
from gateway.simulators.camera.onvif.security import TokenGuard

PASSWORD = "secret"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def _request(created: str, *, password: str = PASSWORD, username: str = "u") -> soap.SoapRequest:
    nonce = b"0123456789abcdef"
    proof = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()
    digest = base64.b64encode(proof).decode()
    return soap.read(
        f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Header><Security><UsernameToken><Username>{username}</Username>'
        f"<Password>{digest}</Password><Nonce>{base64.b64encode(nonce).decode()}</Nonce><Created>{created}</Created>"
        '</UsernameToken></Security></e:Header><e:Body><GetProfiles xmlns="urn:x"/></e:Body></e:Envelope>'.encode()
    )


def _guard(*, zulu_only: bool = False) -> TokenGuard:
    return TokenGuard("u", PASSWORD, zulu_only=zulu_only)


@pytest.mark.parametrize("created", ["2026-11-23T08:00:00Z", "2026-11-23T08:00:09.5Z", "2026-11-23T16:00:00+08:00"])
def test_a_right_token_near_the_cameras_time_passes(created: str) -> None:
    assert _guard().is_good(_request(created), NOW)


@pytest.mark.parametrize("created", ["2026-11-23T07:59:00Z", "2026-11-23T08:01:00Z", "yesterday", ""])
def test_a_token_of_another_time_is_refused(created: str) -> None:
    assert not _guard().is_good(_request(created), NOW)


@pytest.mark.parametrize("wrong", [{"password": "other"}, {"username": "root"}])
def test_wrong_credentials_are_refused(wrong: dict[str, str]) -> None:
    assert not _guard().is_good(_request("2026-11-23T08:00:00Z", **wrong), NOW)


def test_a_token_is_good_once_and_its_nonce_is_forgotten_after_the_window() -> None:
    guard, request = _guard(), _request("2026-11-23T08:00:00Z")
    assert guard.is_good(request, NOW)

    assert not guard.is_good(request, NOW)
    later = NOW + timedelta(minutes=1)
    assert guard.is_good(_request("2026-11-23T08:01:00Z"), later)


def test_zulu_only_refuses_an_offset_and_fractions() -> None:
    assert _guard(zulu_only=True).is_good(_request("2026-11-23T08:00:00Z"), NOW)
    for created in ("2026-11-23T08:00:00+00:00", "2026-11-23T08:00:00.123Z"):
        assert not _guard(zulu_only=True).is_good(_request(created), NOW)


@pytest.mark.parametrize("body", [b"", b"<html>", b"<a/>", b'<e:Envelope xmlns:e="urn:x"><e:Body/></e:Envelope>'])
def test_what_is_no_request_is_a_sender_fault(body: bytes) -> None:
    with pytest.raises(soap.SoapFault) as caught:
        soap.read(body)

    assert (caught.value.code, caught.value.subcodes, caught.value.status) == ("Sender", ("WellFormed",), 400)


def test_an_entity_bomb_is_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><e:Envelope xmlns:e="%s"><e:Body><b>&a;</b></e:Body></e:Envelope>'
    request = soap.read(bomb % soap.ENVELOPE.encode())

    assert "aaaa" not in (request.operation.text or "")


def test_a_fault_is_well_formed_and_nests_its_subcodes() -> None:
    fault = etree.fromstring(soap.SoapFault("Sender", ("InvalidArgVal", "NoProfile"), "a < b").encode())

    values = [element.text for element in fault.iter("{*}Value")]
    assert values == ["env:Sender", "ter:InvalidArgVal", "ter:NoProfile"]
    assert fault.findtext(".//{*}Text") == "a < b"
    assert fault.nsmap["ter"] == "http://www.onvif.org/ver10/error"
