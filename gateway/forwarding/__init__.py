"""One loop per destination over the journal, at least once; one file per kind of receiver."""

from gateway.forwarding.fleet import Forwarders
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.intake import wants
from gateway.forwarding.sinks import Outcome, Sink, UnusableSink, Verdict, WebhookSink, make_sink
from gateway.forwarding.standing import DestinationStatus

__all__ = [
    "DestinationStatus",
    "Forwarder",
    "Forwarders",
    "Outcome",
    "Sink",
    "UnusableSink",
    "Verdict",
    "WebhookSink",
    "make_sink",
    "wants",
]
