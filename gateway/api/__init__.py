"""The HTTP interface: accounts, events, incidents, watch-list, installation, live stream, console."""

from gateway.api.app import create_app
from gateway.api.calibration import Calibrations, calibration_request, counted_rows, sealed_rows
from gateway.api.figures import told, told_rate
from gateway.api.hub import EventHub
from gateway.api.installation import Installation, Register
from gateway.api.parts import ApiParts
from gateway.api.server import ApiServer
from gateway.api.tls import TlsFiles, ensure_tls
from gateway.api.walktests import WalkTests
from gateway.api.watchlist import PhotoRefusedError, WatchList

__all__ = [
    "ApiParts",
    "ApiServer",
    "Calibrations",
    "EventHub",
    "Installation",
    "PhotoRefusedError",
    "Register",
    "TlsFiles",
    "WalkTests",
    "WatchList",
    "calibration_request",
    "counted_rows",
    "create_app",
    "ensure_tls",
    "sealed_rows",
    "told",
    "told_rate",
]
