"""Who may enter: HTTP Digest, token or both, and the words in which a camera refuses."""

from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.onvif.device import SimulatedDevice
from gateway.simulators.camera.onvif.http import HTML, HttpReply, HttpRequest
from gateway.simulators.camera.onvif.security import TokenGuard
from gateway.simulators.camera.onvif.soap import SoapFault, SoapRequest


class Door:
    """Lets requests in.

    Attributes:
        wrong_tries: wrong passwords so far; in a row, they may lock the camera.
        is_locked: whether nobody is let in any more.
    """

    def __init__(self, device: SimulatedDevice, tokens: TokenGuard, realm: DigestRealm) -> None:
        self._device = device
        self._tokens = tokens
        self._realm = realm
        self._in_a_row = 0
        self.wrong_tries = 0

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong passwords came in a row."""
        limit = self._device.quirks.value("locks-out")
        return limit is not None and self._in_a_row >= limit

    def refusal(self, request: HttpRequest, asked: SoapRequest) -> HttpReply | None:
        """The reply that refuses a SOAP request; None lets it in.

        Raises:
            SoapFault: NotAuthorized, or what a quirk says in its place.
        """
        if self._realm.is_open:
            return None
        quirks = self._device.quirks
        authorization = request.headers.get("authorization", "")
        by_digest = not self.is_locked and self._realm.accepts(request.method, authorization)
        if not by_digest and ("http-digest" in quirks or "digest-and-token" in quirks):
            self._count(tried=bool(authorization))
            return self.unauthorized()
        if (by_digest and "digest-and-token" not in quirks) or self._has_token(asked):
            self._in_a_row = 0
            return None
        self._count(tried=asked.header is not None and asked.header.find(".//{*}Username") is not None)
        return self._refused()

    def _has_token(self, asked: SoapRequest) -> bool:
        good = not self.is_locked and self._tokens.is_good(asked, self._device.now())
        if good:
            self._device.clock.note_login()
        return good

    def snapshot_refusal(self, request: HttpRequest) -> HttpReply | None:
        """The reply that refuses a snapshot; None lets it be seen."""
        authorization = request.headers.get("authorization", "")
        if "basic-snapshot" in self._device.quirks:
            return None if self._realm.accepts_basic(authorization) else self.unauthorized(basic=True)
        return None if self._realm.accepts(request.method, authorization) else self.unauthorized()

    def unauthorized(self, *, basic: bool = False) -> HttpReply:
        """Status 401 with a challenge and a page."""
        challenge = self._realm.basic_challenge() if basic else self._realm.challenge()
        page = b"<html><body>401 Unauthorized</body></html>"
        return HttpReply(401, HTML, page, {"WWW-Authenticate": challenge})

    def _refused(self) -> HttpReply:
        if "bare-403" in self._device.quirks:
            return HttpReply(403, HTML, b"<html><body>403 Forbidden</body></html>")
        if "wordy-refusal" in self._device.quirks:
            raise SoapFault("Sender", ("OperationProhibited",), "Authority failure: check user")
        raise SoapFault("Sender", ("NotAuthorized",), "Sender not Authorized")

    def _count(self, *, tried: bool) -> None:
        if tried:
            self.wrong_tries += 1
            self._in_a_row += 1
