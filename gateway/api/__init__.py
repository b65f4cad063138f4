"""The HTTP interface: accounts, events, incidents, watch-list, installation, live stream, console."""

from gateway.api.app import create_app
from gateway.api.auth import check_new_password, hash_of, new_token
from gateway.api.hub import EventHub
from gateway.api.installation import Installation, Register
from gateway.api.parts import ApiParts
from gateway.api.routes.session import make_token
from gateway.api.server import ApiServer
from gateway.api.tls import TlsFiles, ensure_tls
from gateway.api.walktests import WalkTests
from gateway.api.watchlist import PhotoRefusedError, WatchList

__all__ = [
    "ApiParts",
    "ApiServer",
    "EventHub",
    "Installation",
    "PhotoRefusedError",
    "Register",
    "TlsFiles",
    "WalkTests",
    "WatchList",
    "check_new_password",
    "create_app",
    "ensure_tls",
    "hash_of",
    "make_token",
    "new_token",
]
