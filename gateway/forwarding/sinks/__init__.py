"""One file per kind of receiver; each turns a stored event into one attempt and its outcome."""

from gateway.forwarding.sinks.making import UnusableSink, make_sink
from gateway.forwarding.sinks.port import Outcome, Sink, Verdict
from gateway.forwarding.sinks.webhook import WebhookSink

__all__ = ["Outcome", "Sink", "UnusableSink", "Verdict", "WebhookSink", "make_sink"]
