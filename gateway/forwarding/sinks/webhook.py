"""A webhook: CloudEvents structured JSON over HTTP/1.1, signed after Standard Webhooks."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from gateway.errors import PermanentError
from gateway.forwarding.sinks.port import Outcome, Verdict
from gateway.forwarding.sinks.thrift import TOO_LONG, ThriftyTransport
from gateway.storage import Stored

_PREFIX = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64
_TEMPORARY = frozenset({408, 409, 425, 429})
_LONGEST_WAIT_SECONDS = 60.0
_CONNECTIONS = 10
_KEEP_SECONDS = 60.0
_LONGEST_ANSWER = 64 * 1024
_DRAIN_SECONDS = 1.0
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class WebhookSink:
    """Sends events to one address over connections that are kept.

    Neither address nor body nor secret is ever in an outcome.

    Args:
        url: of the receiver; redirects are not followed.
        secrets: ``whsec_<base64 of 24-64 bytes>`` each, several (or one text with several, parted by blanks) while a
            secret is changed: each attempt is then signed with all of them. None: unsigned.
        timeout_seconds: for a whole attempt, from the name's look-up to the status of the answer.
        ca_file: certificates that the receiver's is checked with; the system's if absent.

    Raises:
        PermanentError: the address is none, a secret is none, or the CA file cannot be used.
    """

    def __init__(
        self, url: str, *, secrets: Sequence[str] = (), timeout_seconds: float = 10.0, ca_file: Path | None = None
    ) -> None:
        self._url = _address(url)
        self._keys = [_key(secret) for text in secrets for secret in text.split()]
        self._timeout = timeout_seconds
        self._kept = False
        self._client = httpx.AsyncClient(
            transport=ThriftyTransport(
                _context(ca_file) if self._url.scheme == "https" else None,
                connections=_CONNECTIONS,
                keep_seconds=_KEEP_SECONDS,
            ),
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def deliver(self, stored: Stored) -> Outcome:
        """One attempt: POST the event's JSON with its signature of this moment.

        A kept connection that the receiver has closed meanwhile is no failure of the receiver: once more on a new one.
        """
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    answer = await self._post(stored)
                except _BROKEN:
                    if not self._kept:
                        raise
                    self._kept = False
                    answer = await self._post(stored)
        except (httpx.TimeoutException, TimeoutError):
            return Outcome(Verdict.RETRY, "did not answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
            return Outcome(Verdict.RETRY, _unreachable(error))
        self._kept = True
        await _let_go(answer)
        return _judge(answer)

    async def _post(self, stored: Stored) -> httpx.Response:
        headers = {"Content-Type": "application/cloudevents+json", "User-Agent": "campus-gateway"}
        headers |= self.signature(stored.event.id, stored.body, int(time.time()))
        request = self._client.build_request("POST", self._url, content=stored.body, headers=headers)
        return await self._client.send(request, stream=True)

    def signature(self, identity: str, body: bytes, timestamp: int) -> dict[str, str]:
        """The headers of Standard Webhooks 1.0: id, timestamp in Unix seconds, and one ``v1,`` signature per secret."""
        headers = {"webhook-id": identity, "webhook-timestamp": str(timestamp)}
        signed = f"{identity}.{timestamp}.".encode() + body
        signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in self._keys]
        if signatures:
            headers["webhook-signature"] = " ".join(f"v1,{each}" for each in signatures)
        return headers

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


async def _let_go(answer: httpx.Response) -> None:
    """Read a short answer to its end, so that the connection can be kept; an endless one ends with its connection."""
    size = 0
    try:
        with suppress(TimeoutError, httpx.HTTPError, OSError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for chunk in answer.aiter_raw():
                    size += len(chunk)
                    if size > _LONGEST_ANSWER:
                        break
    finally:
        with suppress(httpx.HTTPError, OSError):
            await answer.aclose()


def _judge(answer: httpx.Response) -> Outcome:
    """A 4xx is meant for good; a redirect, a 5xx or what is no status says nothing about the event, which waits."""
    status = answer.status_code
    if answer.is_success:
        return Outcome(Verdict.ACCEPTED)
    if answer.is_redirect:
        return Outcome(Verdict.RETRY, f"answered HTTP {status}: redirects are not followed, enter the final address")
    if status in _TEMPORARY or answer.is_server_error:
        return Outcome(Verdict.RETRY, f"answered HTTP {status}", _wanted_wait(answer.headers.get("Retry-After", "")))
    return Outcome(Verdict.REFUSED if answer.is_client_error else Verdict.RETRY, f"answered HTTP {status}")


def _wanted_wait(text: str) -> float | None:
    """Seconds of a Retry-After (RFC 9110 §10.2.3: seconds or a date), bounded; None if there is none."""
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), int(_LONGEST_WAIT_SECONDS)))
    try:
        seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS)


def _unreachable(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        cause = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in cause:
            return "shows a certificate that is not trusted; name its CA in ca_file"
        return "cannot be reached"
    if str(error) == TOO_LONG:
        return "answers without end"
    return f"cannot be reached ({type(error).__name__})"


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
        usable = address.scheme in ("http", "https") and bool(address.host)
    except (httpx.InvalidURL, UnicodeError):
        usable = False
    if not usable:
        raise PermanentError("the url is no address", remedy="Enter https://host/path.")
    return address


def _key(secret: str) -> bytes:
    remedy = f"It is {_PREFIX} and 24 to 64 bytes in base64: printf '{_PREFIX}%s' \"$(openssl rand -base64 32)\"."
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST_SECRET <= len(key) <= _LONGEST_SECRET:
        raise PermanentError("a signing secret is none of Standard Webhooks", remedy=remedy) from None
    return key


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        if ca_file is not None and not ca_file.is_file():
            raise PermanentError("is no file of certificates", where=str(ca_file))
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError("holds no certificates", where=str(ca_file)) from error
