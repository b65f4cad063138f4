"""SOAP calls to one camera: sends an envelope, gives back a good one, turns everything else into named errors."""

from datetime import timedelta

from lxml import etree

from gateway.cameras.http import CameraHttp
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.soap import FaultError, NotSoapError, UsernameToken, read_reply, request
from gateway.cameras.states import CameraState, camera_error
from gateway.clock import Clock

_HEADERS = {"Content-Type": "application/soap+xml; charset=utf-8"}


class SoapCaller:
    """Calls operations of one camera; holds the token and the camera's clock offset for it; blocking."""

    def __init__(
        self, where: str, http: CameraHttp, token: UsernameToken | None, guard: PasswordGuard, clock: Clock
    ) -> None:
        self.where = where
        self._http = http
        self._token = token
        self._guard = guard
        self._clock = clock
        self.clock_offset = timedelta()

    def call(self, url: str, operation: str, *, anonymous: bool = False) -> etree._Element:
        """Send the XML of an operation, with the token unless `anonymous`; returns the reply's envelope.

        Raises:
            CameraError: with its state, also when the camera does not accept the credentials.
            FaultError: the camera answered any other fault.
        """
        return self.send(url, request(operation, "" if anonymous else self.security()), anonymous=anonymous)

    def security(self) -> str:
        """The Security header's XML for now by the camera's clock; empty for an open camera."""
        return self._token.header(self._clock.now() + self.clock_offset) if self._token else ""

    def send(self, url: str, envelope: bytes, *, anonymous: bool = False) -> etree._Element:
        """Send a whole envelope; as `call`."""
        holds_password = self._token is not None and not anonymous
        reply = self._http.post(url, envelope, _HEADERS, holds_password=holds_password)
        try:
            return read_reply(reply.content)
        except NotSoapError as error:
            what = f"the camera answered with status {reply.status_code} and {error}"
            raise camera_error(CameraState.NOT_ONVIF, what, where=self.where) from None
        except FaultError as fault:
            if not fault.is_about_credentials:
                raise
            if holds_password:
                self._guard.refused()
            what = "the camera does not accept the credentials" if self._token else "the camera asks for credentials"
            raise camera_error(CameraState.CREDENTIALS_WRONG, f"{what}: {fault.reason}", where=self.where) from None
