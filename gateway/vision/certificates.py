"""When a camera's TLS certificate ends: told once, thirty days before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module

from gateway.events import CameraFault, Severity, camera_source, derived_id
from gateway.wire import CameraAssigned

_TOLD_BEFORE = timedelta(days=30)
_REMEDY = (
    "Renew the certificate in the camera's settings; where its fingerprint is in tls_fingerprint, give the new one."
)


def end_of(shown: bytes) -> datetime | None:
    """When a DER certificate ends, aware, in UTC (RFC 5280 §4.1.2.5); None if there is none, or it cannot be read."""
    if not shown:
        return None
    x509 = import_module("cryptography.x509")  # 9 MB, for cameras with TLS only
    try:
        ends: datetime = x509.load_der_x509_certificate(shown).not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return None
    return ends


@dataclass(slots=True)
class CertificateWatch:
    """Of one camera, whoever looks at it: the id of what is told is made of the camera and the certificate's end.

    Attributes:
        ends: when the certificate that was shown last ends; None if there is none, or none that can be read.
    """

    assigned: CameraAssigned
    site: str
    ends: datetime | None = None
    _shown: bytes = b""
    _told: bool = False

    def days_left(self, now: datetime) -> int | None:
        """Whole days until it ends, negative behind its end; None if that is not known."""
        return None if self.ends is None else (self.ends - now).days

    def judge(self, shown: bytes, now: datetime) -> CameraFault | None:
        """The news about the certificate that the camera shows, in DER: it ends soon, or it was renewed in time."""
        if shown != self._shown:
            self._shown, renewed = shown, end_of(shown)
            news = self._told and renewed is not None and renewed - now > _TOLD_BEFORE
            self._told = self._told and renewed == self.ends
            self.ends = renewed
            if news and renewed is not None:
                return self._event("certificate_renewed", renewed, now)
        if self.ends is None or self._told or self.ends - now > _TOLD_BEFORE:
            return None
        self._told = True
        return self._event("certificate_ends", self.ends, now)

    def _event(self, state: str, ends: datetime, now: datetime) -> CameraFault:
        is_fault = state == "certificate_ends"
        days, assigned = (ends - now).days, self.assigned
        return CameraFault(
            id=derived_id(state, self.site, assigned.camera, ends.isoformat()),
            source=camera_source(self.site, assigned.camera),
            subject=assigned.camera,
            time=now,
            severity=Severity.MEDIUM if is_fault else Severity.INFO,
            camera=assigned.camera,
            name=assigned.name,
            place=assigned.place,
            state=state,
            remedy=_REMEDY if is_fault else "",
            detail=f"its certificate ends on {ends.date()}, days left: {days}",
            figures={"date": str(ends.date()), "days": days},
        )
