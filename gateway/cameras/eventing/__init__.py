"""A camera's events over ONVIF: subscriptions, notices, what they mean, and the feed that keeps them coming."""

from gateway.cameras.eventing.feed import EventFeed, FeedEnds
from gateway.cameras.eventing.findings import Finding, FindingBook
from gateway.cameras.eventing.notices import Notice, read_notices
from gateway.cameras.eventing.port import CameraEvents
from gateway.cameras.eventing.push import PushReceiver
from gateway.cameras.eventing.topics import Kind, kind_of

__all__ = [
    "CameraEvents",
    "EventFeed",
    "FeedEnds",
    "Finding",
    "FindingBook",
    "Kind",
    "Notice",
    "PushReceiver",
    "kind_of",
    "read_notices",
]
