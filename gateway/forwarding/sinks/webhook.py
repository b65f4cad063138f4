"""A webhook: CloudEvents structured JSON over HTTP, signed after Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from gateway.errors import PermanentError
from gateway.forwarding.sinks.port import Outcome, Verdict
from gateway.storage import Stored

_PREFIX = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64
_TEMPORARY = {408, 409, 425, 429}
_LONGEST_WAIT_SECONDS = 60.0


class WebhookSink:
    """Sends events to one address.

    Args:
        url: of the receiver; redirects are not followed.
        secrets: ``whsec_<base64 of 24-64 bytes>``; several while a secret is changed. None: unsigned.
        timeout_seconds: for each phase of an attempt.
        ca_file: certificates that the receiver's is checked with; the system's if absent.

    Raises:
        PermanentError: a secret is none, or the CA file cannot be used.
    """

    def __init__(
        self, url: str, *, secrets: Sequence[str] = (), timeout_seconds: float = 10.0, ca_file: Path | None = None
    ) -> None:
        self._url = url
        self._keys = [_key(secret) for secret in secrets]
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=8)
        self._client = httpx.AsyncClient(
            verify=_context(ca_file) if url.startswith("https:") else False,
            timeout=timeout_seconds,
            limits=limits,
            follow_redirects=False,
            trust_env=False,
        )

    async def deliver(self, stored: Stored) -> Outcome:
        """One attempt: POST the event's JSON with its signature of this moment."""
        headers = {"Content-Type": "application/cloudevents+json", "User-Agent": "campus-gateway"}
        headers |= self.signature(stored.event.id, stored.body, int(time.time()))
        try:
            answer = await self._client.post(self._url, content=stored.body, headers=headers)
        except httpx.TimeoutException:
            return Outcome(Verdict.RETRY, "did not answer in time")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return Outcome(Verdict.RETRY, f"cannot be reached ({type(error).__name__})")
        return _judge(answer)

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


def _judge(answer: httpx.Response) -> Outcome:
    status = answer.status_code
    if answer.is_success:
        return Outcome(Verdict.ACCEPTED)
    if status in _TEMPORARY or answer.is_server_error:
        return Outcome(Verdict.RETRY, f"answered HTTP {status}", _wanted_wait(answer))
    return Outcome(Verdict.REFUSED, f"answered HTTP {status}")


def _wanted_wait(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT_SECONDS) if text.isdigit() else None


def _key(secret: str) -> bytes:
    remedy = f"It is {_PREFIX} and 24 to 64 bytes in base64: printf '{_PREFIX}%s' \"$(openssl rand -base64 32)\"."
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST_SECRET <= len(key) <= _LONGEST_SECRET:
        raise PermanentError("a signing secret is none of Standard Webhooks", remedy=remedy)
    return key


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError("holds no certificates", where=str(ca_file)) from error
