"""What the listener finds wrong with a message, in words and figures, and how grave that is."""

from gateway.alarms.dialects.campus import event_of
from gateway.alarms.dialects.said import PRESSES, PayloadError
from gateway.alarms.messages import InboundMessage
from gateway.events import Cause, Event, Severity, because

WRONG_TOPIC = because("wrong_topic", "no topic that a device of this site publishes on")
RETAINED_PRESS = because("retained_press", "a retained press never alarms: let the device publish without retain")
RETAINED_CONDITION = because(
    "retained_press",
    "the condition is kept as active, but its change never came; a retained press never alarms",
    reason="retained_condition",
)


CONTACT_AT_START = because(
    "contact_at_start", "its contact is not in its normal state as it is heard for the first time: see `normally`"
)


def unknown_device(identity: str) -> Cause:
    """Nobody has entered it."""
    return because("unknown_device", f"no device {identity} is configured", identity=identity)


def unknown_account(account: str) -> Cause:
    """No device is of this account of a panel."""
    what = f"no device has the account {account}"
    return because("unknown_device", what, reason="unknown_account", account=account)


def unknown_zone(account: str, zone: str) -> Cause:
    """No device stands for this zone of a panel."""
    what = f"no device stands for zone {zone} of account {account}"
    return because("unknown_device", what, reason="unknown_zone", account=account, zone=zone)


def unknown_contact(camera: str, contact: str) -> Cause:
    """No device stands for this input of a camera, though others of it are wired."""
    what = f"no device stands for contact {contact[:40]!r} of camera {camera}"
    return because("unknown_device", what, reason="unknown_contact", camera=camera, input=contact[:40])


def unknown_action(name: str) -> Cause:
    """A device did what nobody has given a meaning."""
    what = f"nobody has given {name[:40]!r} a meaning: name it in the device's actions"
    return because("unknown_action", what, action=name[:40])


def other_site(other: str, identity: str, site: str) -> Cause:
    """A button is set to the name of another site, so that its presses are nobody's."""
    what = f"button {identity} speaks for the site {other}, this one is {site}: give the button the site's name"
    return because("other_site", what, identity=identity, other=other, site=site)


def weight_of_a_stranger(message: InboundMessage) -> Severity:
    """A press of a button that is not entered here is a call for help all the same; what cannot be read may be one."""
    if not message.topic.endswith("/event"):
        return Severity.MEDIUM
    if message.retain:
        return Severity.MEDIUM if message.replayed else Severity.HIGH
    try:
        return Severity.CRITICAL if event_of(message.payload).name in PRESSES else Severity.HIGH
    except PayloadError:
        return Severity.CRITICAL


def bad_field(flaws: tuple[str, ...]) -> Cause:
    """A press was taken without what could not be read of it."""
    fields = ", ".join(flaw.partition(" ")[0] for flaw in flaws)
    return because("bad_field", f"{'; '.join(flaws)}: taken without", fields=fields)


def press_id_reused(before: Event) -> Cause:
    """A press bears the id of another one, and was told apart."""
    when = before.time.isoformat(timespec="seconds")
    what = f"it bears the id of the press of {when} and is taken as another press: each press needs an id of its own"
    return because("press_id_reused", what, when=when)


def press_id_repeated(before: Event) -> Cause:
    """A press bears the id of one of long ago, and could not be told apart."""
    when = before.time.isoformat(timespec="seconds")
    what = f"it bears the id of the press of {when} and is taken as the same press: each press needs an id of its own"
    return because("press_id_reused", what, reason="press_id_repeated", when=when)


def clock_wrong(said: str, *, wrong: bool) -> Cause:
    """A device's clock cannot be right, or is right again."""
    return because("clock_wrong", f"its clock said {said}" if wrong else "its clock is right", said=said)
