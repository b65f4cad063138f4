"""SOAP calls to one camera: sends an envelope, gives back a good one, turns everything else into named errors."""

from collections.abc import Callable

from lxml import etree

from gateway.cameras import camera_time
from gateway.cameras.clock_offset import ClockOffset
from gateway.cameras.http import CameraHttp
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.soap import FaultError, NotSoapError, UsernameToken, read_reply, request
from gateway.cameras.states import CameraError, CameraState, camera_error

_HEADERS = {"Content-Type": "application/soap+xml; charset=utf-8"}
Make = Callable[[str], bytes]
"""Makes an envelope around the XML of a Security header, which may be empty."""


class SoapCaller:
    """Calls operations of one camera; blocking, for one thread at a time.

    Args:
        where: the camera, for messages.
        device_service: where the camera is asked for its time.
        http: the connection.
        token: the credentials; None for an open camera.
        guard: counts refusals.
        offset: the camera's clock, by which tokens are made.
    """

    def __init__(
        self,
        where: str,
        device_service: str,
        http: CameraHttp,
        token: UsernameToken | None,
        guard: PasswordGuard,
        offset: ClockOffset,
    ) -> None:
        self.where = where
        self.http = http
        self.offset = offset
        self._device_service = device_service
        self._token = token
        self._guard = guard

    def call(self, url: str, operation: str, header: str = "") -> etree._Element:
        """Send the XML of an operation with the token; returns the reply's envelope.

        Args:
            url: of the service.
            operation: XML of the body.
            header: XML of more header blocks.

        Raises:
            CameraError: with its state, also when the camera does not accept the credentials.
            FaultError: the camera answered any other fault.
        """
        return self.send(url, lambda security: request(operation, security + header))

    def ask_time(self, anonymous: bool) -> etree._Element:  # as `clock_offset.Ask`
        """GetSystemDateAndTime; raises as `call`."""
        holds_password = self._token is not None and not anonymous

        def make() -> bytes:
            return request(camera_time.OPERATION, self._security() if holds_password else "")

        return self._once(self._device_service, make, holds_password=holds_password)

    def learn_clock(self) -> None:
        """Learn the camera's clock.

        Raises:
            CameraError: the camera cannot be asked.
        """
        try:
            self.offset.learn(self.ask_time)
        except _RefusedError as refused:
            raise self._refusal(refused) from None

    def send(self, url: str, make: Make) -> etree._Element:
        """Send what `make` makes; a refusal counts only if the camera's clock is as it was. Raises as `call`."""
        try:
            return self._once(url, lambda: make(self._security()), holds_password=self._token is not None)
        except _RefusedError as refused:
            if self._token is None or not self.offset.has_moved(self.ask_time):
                raise self._refusal(refused) from None
        try:
            return self._once(url, lambda: make(self._security()), holds_password=True)
        except _RefusedError as refused:
            raise self._refusal(refused) from None

    def _refusal(self, refused: "_RefusedError") -> CameraError:
        if self._token is not None:
            self._guard.refused()
        return camera_error(CameraState.CREDENTIALS_WRONG, refused.what, where=self.where)

    def _security(self) -> str:
        """The Security header's XML for now by the camera's clock; empty for an open camera."""
        return self._token.header(self.offset.now()) if self._token else ""

    def _once(self, url: str, make: Callable[[], bytes], *, holds_password: bool) -> etree._Element:
        reply = self.http.post(url, make, _HEADERS)
        if reply.is_refusal and b"Envelope" not in reply.content:
            raise _RefusedError(f"the camera answered with status {reply.status_code}", self.where)
        try:
            return read_reply(reply.content)
        except NotSoapError as error:
            what = f"the camera answered with status {reply.status_code} and {error}"
            raise camera_error(CameraState.NOT_ONVIF, what, where=self.where) from None
        except FaultError as fault:
            if not fault.is_about_credentials:
                raise
            verdict = "the camera does not accept the credentials" if holds_password else "it asks for credentials"
            raise _RefusedError(f"{verdict}: {fault.reason}", self.where) from None


class _RefusedError(CameraError):
    """Refused; whether the password is wrong is not known yet."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(CameraState.CREDENTIALS_WRONG, what, where=where)
