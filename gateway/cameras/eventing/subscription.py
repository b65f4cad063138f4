"""A subscription, and its operations as XML (ONVIF Core §9, WS-BaseNotification 1.3 §5, WS-Addressing 1.0)."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from html import escape

from lxml import etree

from gateway.cameras.soap import descendants, text_of

EVENTS = "http://www.onvif.org/ver10/events/wsdl"
NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
_MANAGER = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"
_PRODUCER = "http://docs.oasis-open.org/wsn/bw-2/NotificationProducer"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A living subscription.

    Attributes:
        address: of its manager, at a host and port that answer.
        parameters: XML of its reference parameters, sent back with each request.
        granted_seconds: how long it lives after the camera said so; None if what it said is no time.
        is_push: the camera sends, and is not asked.
    """

    address: str
    parameters: str = ""
    granted_seconds: float | None = None
    is_push: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An operation and its header blocks, as XML."""

    operation: str
    header: str


def create_pull_point(url: str, lasts: str) -> Request:
    """CreatePullPointSubscription for an xs:duration or xs:dateTime."""
    time = f"<t:InitialTerminationTime>{lasts}</t:InitialTerminationTime>"
    body = f'<t:CreatePullPointSubscription xmlns:t="{EVENTS}">{time}</t:CreatePullPointSubscription>'
    return Request(body, _header(f"{EVENTS}/EventPortType/CreatePullPointSubscriptionRequest", url))


def subscribe(url: str, consumer: str, lasts: str) -> Request:
    """Subscribe: the camera sends to the address `consumer`."""
    body = (
        f'<n:Subscribe xmlns:n="{NOTIFICATION}" xmlns:a="{ADDRESSING}"><n:ConsumerReference>'
        f"<a:Address>{escape(consumer)}</a:Address></n:ConsumerReference>"
        f"<n:InitialTerminationTime>{lasts}</n:InitialTerminationTime></n:Subscribe>"
    )
    return Request(body, _header(f"{_PRODUCER}/SubscribeRequest", url))


def pull_messages(subscription: Subscription, seconds: float, limit: int) -> Request:
    """PullMessages that waits at most `seconds`."""
    body = (
        f'<t:PullMessages xmlns:t="{EVENTS}"><t:Timeout>PT{seconds:g}S</t:Timeout>'
        f"<t:MessageLimit>{limit}</t:MessageLimit></t:PullMessages>"
    )
    return _managed(subscription, body, f"{EVENTS}/PullPointSubscription/PullMessagesRequest")


def synchronize(subscription: Subscription) -> Request:
    """SetSynchronizationPoint: tell all states again."""
    body = f'<t:SetSynchronizationPoint xmlns:t="{EVENTS}"/>'
    return _managed(subscription, body, f"{EVENTS}/PullPointSubscription/SetSynchronizationPointRequest")


def renew(subscription: Subscription, lasts: str) -> Request:
    """Renew for an xs:duration or xs:dateTime."""
    body = f'<n:Renew xmlns:n="{NOTIFICATION}"><n:TerminationTime>{lasts}</n:TerminationTime></n:Renew>'
    return _managed(subscription, body, f"{_MANAGER}/RenewRequest")


def unsubscribe(subscription: Subscription) -> Request:
    """Unsubscribe."""
    return _managed(subscription, f'<n:Unsubscribe xmlns:n="{NOTIFICATION}"/>', f"{_MANAGER}/UnsubscribeRequest")


def _managed(subscription: Subscription, body: str, action: str) -> Request:
    return Request(body, _header(action, subscription.address) + subscription.parameters)


def _header(action: str, to: str) -> str:
    """The addressing that Renew and Unsubscribe fail without on many cameras (WS-Addressing 1.0 §3.1)."""
    return (
        f'<a:Action xmlns:a="{ADDRESSING}">{action}</a:Action>'
        f'<a:MessageID xmlns:a="{ADDRESSING}">urn:uuid:{uuid.uuid4()}</a:MessageID>'
        f'<a:To xmlns:a="{ADDRESSING}">{escape(to)}</a:To>'
    )


def address_in(envelope: etree._Element) -> str:
    """The manager's address as the camera tells it, perhaps empty."""
    return text_of(envelope, "Address")


def parameters_in(envelope: etree._Element) -> str:
    """XML of all reference parameters; one that is not well-formed by itself cannot be sent back."""
    found = descendants(envelope, "ReferenceParameters")[:1]
    texts = (etree.tostring(each, encoding="unicode", with_tail=False) for parent in found for each in parent)
    return "".join(text for text in texts if _is_well_formed(text))


def granted_in(envelope: etree._Element) -> float | None:
    """Seconds from CurrentTime to TerminationTime; None if either is no time, or they are none apart."""
    now, ends = _time(text_of(envelope, "CurrentTime")), _time(text_of(envelope, "TerminationTime"))
    if now is None or ends is None:
        return None
    try:
        seconds = (ends - now).total_seconds()
    except TypeError:  # one with a zone and one without
        return None
    return seconds if seconds > 0 else None


def _is_well_formed(text: str) -> bool:
    try:
        etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return False
    return True


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
