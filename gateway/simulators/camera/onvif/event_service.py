"""The ONVIF event service and its subscription managers (ONVIF Core §9, WS-BaseNotification 1.3, WS-Addressing 1.0)."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import escape

from gateway.simulators.camera.onvif import notification, soap
from gateway.simulators.camera.onvif.device import EVENT_PATH, SUBSCRIPTION_PATH, SimulatedDevice
from gateway.simulators.camera.onvif.soap import SoapFault, SoapRequest
from gateway.simulators.camera.onvif.subscriptions import Subscription, Subscriptions

NAMESPACE = "http://www.onvif.org/ver10/events/wsdl"
NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
NAMESPACES = frozenset({NAMESPACE, NOTIFICATION})
_PARAMETER = "http://simulated.invalid/subscription"
_NUMBER = re.compile(r"(\d+)$")
_MOST_MESSAGES = 100
_LONGEST_PULL_SECONDS = 60.0

OpenPort = Callable[[], Awaitable[int]]


class DroppedError(ConnectionError):
    """The camera closes the connection without an answer, as a quirk."""


class EventService:
    """Answers what is asked of the event service and of subscriptions.

    Args:
        device: the camera's facts.
        subscriptions: of this camera.
        open_port: opens one more port of the whole HTTP side, for a quirk.
    """

    def __init__(self, device: SimulatedDevice, subscriptions: Subscriptions, open_port: OpenPort) -> None:
        self._device = device
        self._subscriptions = subscriptions
        self._open_port = open_port
        self._pulls = 0

    async def answer(self, asked: SoapRequest, path: str, host: str, port: int) -> bytes:
        """The whole envelope of a reply.

        Raises:
            SoapFault: as the specification says, or as a quirk asks.
            DroppedError: there is no answer.
        """
        if asked.name in {"CreatePullPointSubscription", "Subscribe"} and path == EVENT_PATH:
            return await self._subscribe(asked, host)
        if path == EVENT_PATH:
            return self._of_service(asked)
        subscription = self._subscription(asked, path, port)
        if asked.name == "PullMessages" and not subscription.consumer:
            return await self._pull(asked, subscription)
        return self._of_subscription(asked, subscription)

    def _of_service(self, asked: SoapRequest) -> bytes:
        if asked.name == "GetServiceCapabilities":
            return self._reply(
                asked,
                "<tev:GetServiceCapabilitiesResponse><tev:Capabilities "
                'WSSubscriptionPolicySupport="true" WSPullPointSupport="true" MaxNotificationProducers="8" '
                'MaxPullPoints="8"/></tev:GetServiceCapabilitiesResponse>',
            )
        if asked.name == "GetEventProperties":
            return self._reply(asked, _EVENT_PROPERTIES)
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")

    async def _subscribe(self, asked: SoapRequest, host: str) -> bytes:
        quirks = self._device.quirks
        push = asked.name == "Subscribe"
        if quirks.metadata_only:
            raise SoapFault("Receiver", ("ActionNotSupported",), "Subscriptions are not supported")
        if not push and "push-only" in quirks:
            raise SoapFault("Receiver", ("ActionNotSupported",), "PullPoint is not supported")
        consumer = (asked.operation.findtext("{*}ConsumerReference/{*}Address") or "").strip() if push else ""
        if push and not consumer.startswith("http://"):
            raise SoapFault("Sender", ("SubscribeCreationFailedFault",), "The consumer's address is not valid")
        made = self._subscriptions.add(asked.argument("InitialTerminationTime"), consumer)
        if "moving-port" in quirks:
            made.port = await self._open_port()
        element = "wsnt:SubscribeResponse" if push else "tev:CreatePullPointSubscriptionResponse"
        reply = (
            f"<{element}><{'wsnt' if push else 'tev'}:SubscriptionReference>"
            f"<wsa:Address>{self._address(made, host)}</wsa:Address>{self._parameters(made)}"
            f"</{'wsnt' if push else 'tev'}:SubscriptionReference>{self._times(made)}</{element}>"
        )
        return self._reply(asked, reply)

    def _address(self, made: Subscription, host: str) -> str:
        number = "" if "reference-parameters" in self._device.quirks else f"/{made.number}"
        address = self._device.http_address(host, f"{SUBSCRIPTION_PATH}{number}")
        port = f":{self._device.http_port}"
        if made.port:
            return address.replace(port, f":{made.port}")
        if "double-port" in self._device.quirks:
            return address.replace(port, port * 2)
        if "empty-host" in self._device.quirks:
            return f"http://{port}{SUBSCRIPTION_PATH}{number}"
        return address

    def _parameters(self, made: Subscription) -> str:
        if "reference-parameters" not in self._device.quirks:
            return ""
        return (
            "<wsa:ReferenceParameters>"
            f'<dom0:SubscriptionId xmlns:dom0="{_PARAMETER}" kind="pull">{made.number}</dom0:SubscriptionId>'
            "</wsa:ReferenceParameters>"
        )

    def _times(self, made: Subscription) -> str:
        if "nonsense-times" in self._device.quirks:
            now, ends = "2000-01-01T00:61:16Z", "2485-13-13T00:00:00Z"
        else:
            at = self._device.now()
            now = notification.stamp(at)
            ends = notification.stamp(at + timedelta(seconds=made.ends - time.monotonic()))
        return f"<wsnt:CurrentTime>{now}</wsnt:CurrentTime><wsnt:TerminationTime>{ends}</wsnt:TerminationTime>"

    def _subscription(self, asked: SoapRequest, path: str, port: int) -> Subscription:
        if "reference-parameters" in self._device.quirks:
            said = "" if asked.header is None else asked.header.findtext(f"{{{_PARAMETER}}}SubscriptionId") or ""
        else:
            match = _NUMBER.search(path)
            said = match[1] if match else ""
        found = self._subscriptions.find(int(said) if said.strip().isdigit() else 0)
        if found.port and found.port != port:
            raise SoapFault("Sender", ("ResourceUnknownFault",), "The subscription is not served here")
        return found

    async def _pull(self, asked: SoapRequest, subscription: Subscription) -> bytes:
        quirks = self._device.quirks
        self._pulls += 1
        subscription.pulls += 1
        limit = quirks.value("pull-fault")
        if limit is not None and subscription.pulls > limit:
            self._subscriptions.drop(subscription)
            raise SoapFault("Receiver", ("ResourceUnknownFault",), "The subscription does not exist")
        if "pull-drops" in quirks and self._pulls % 2:
            raise DroppedError
        wait = self._subscriptions_wait(asked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await subscription.filled.wait()
        most = asked.argument("MessageLimit")
        taken = subscription.take(min(int(most) if most.isdigit() else 1, _MOST_MESSAGES))
        messages = [notification.message(each, quirks) for each in taken]
        if "unknown-topics" in quirks:
            messages.append(notification.makers_own(self._device.now(), quirks))
        body = f"{self._times(subscription).replace('wsnt:', 'tev:')}{''.join(messages)}"
        return self._reply(asked, f"<tev:PullMessagesResponse>{body}</tev:PullMessagesResponse>")

    def _subscriptions_wait(self, asked: SoapRequest) -> float:
        short = self._device.quirks.value("short-poll")
        wanted = self._subscriptions.seconds(asked.argument("Timeout") or "PT1S")
        return short if short is not None else min(wanted, _LONGEST_PULL_SECONDS)

    def _of_subscription(self, asked: SoapRequest, subscription: Subscription) -> bytes:
        if asked.name == "Renew":
            if "no-renew" in self._device.quirks:
                raise SoapFault("Receiver", ("ActionNotSupported",), "Renew is not supported")
            if asked.header is None or asked.header.find(f"{{{soap.ADDRESSING}}}MessageID") is None:
                raise SoapFault("Sender", ("MessageAddressingHeaderRequired",), "Action failed")
            self._subscriptions.renew(subscription, asked.argument("TerminationTime"))
            return self._reply(asked, f"<wsnt:RenewResponse>{self._times(subscription)}</wsnt:RenewResponse>")
        if asked.name == "Unsubscribe":
            self._subscriptions.end(subscription)
            return self._reply(asked, "<wsnt:UnsubscribeResponse/>")
        if asked.name == "SetSynchronizationPoint" and "no-sync-point" not in self._device.quirks:
            self._subscriptions.synchronize(subscription)
            return self._reply(asked, "<tev:SetSynchronizationPointResponse/>")
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")

    def _reply(self, asked: SoapRequest, body: str) -> bytes:
        said = "" if asked.header is None else asked.header.findtext(f"{{{soap.ADDRESSING}}}MessageID") or ""
        header = f"<wsa:RelatesTo>{escape(said)}</wsa:RelatesTo>" if said else ""
        return soap.envelope(body, header, no_addressing="no-namespace" in self._device.quirks)


_EVENT_PROPERTIES = (
    "<tev:GetEventPropertiesResponse>"
    "<tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>"
    "<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet>"
    '<wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1">'
    '<tns1:Device><Trigger><DigitalInput wstop:topic="true"/></Trigger>'
    '<HardwareFailure><StorageFailure wstop:topic="true"/></HardwareFailure></tns1:Device>'
    '<tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"/></CellMotionDetector>'
    '<TamperDetector><Tamper wstop:topic="true"/></TamperDetector></tns1:RuleEngine></wstop:TopicSet>'
    "<wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
    "</wsnt:TopicExpressionDialect><tev:MessageContentFilterDialect>"
    "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect>"
    "<tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd"
    "</tev:MessageContentSchemaLocation></tev:GetEventPropertiesResponse>"
)
