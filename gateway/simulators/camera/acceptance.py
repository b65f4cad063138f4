"""The things that the ONVIF client must survive, by number: tests are named by them, a page is made of them."""

from dataclasses import dataclass

from gateway.simulators.camera.quirk_list import KNOWN, Quirk


@dataclass(frozen=True, slots=True)
class Item:
    """One acceptance item: what the gateway must do, whatever the camera does."""

    number: int
    group: str
    must: str

    @property
    def quirks(self) -> tuple[Quirk, ...]:
        """What provokes it; empty where the camera need do nothing wrong."""
        return tuple(quirk for quirk in KNOWN if self.number in quirk.items)


_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Address and connection",
        (
            "work when every service, subscription and snapshot address names a wrong host: keep path and query, try "
            "the advertised port, then the one that was typed",
            "do the same for the stream's address, drop credentials in it, use its own, follow no redirect elsewhere",
            "survive subscription addresses with a doubled port, without a host, or with a port of their own",
            "start in bounded time when an advertised address accepts and never answers; no camera delays another",
            "tell apart unreachable, refused, not ONVIF, credentials, clock, no media profile and stream dead",
            "ask once more when a kept connection turns out to be closed",
            "trust a certificate that nobody signed only by its fingerprint in the settings",
        ),
    ),
    (
        "Authentication and time",
        (
            "find out once per camera whether it wants a token with Zulu time, HTTP Digest, both or nothing",
            "learn the clock offset without credentials, else with; from local time and zone; never fail by it",
            "learn the clock anew before a refusal counts as a wrong password",
            "report a clock that is off by more than 5 s with the figure, and never set it",
            "try a wrong password a few times only, then pause for minutes",
            "know a refusal by its subcode, by status 401 or 403, and by its wording",
            "say in the remedy that ONVIF users are often apart from web users",
        ),
    ),
    (
        "Media",
        (
            "prefer the media service of version 2, match services by versioned namespace, work with either alone",
            "accept H.265, several profiles and profiles without encoder; choose main and sub by size, not by name",
            "take codec and size of the picture from the stream, not from the profile",
            "take a snapshot whatever its address needs, else a frame of the stream",
            "reject a snapshot of no length, a web page, and what is no picture",
        ),
    ),
    (
        "Events",
        (
            "try PullPoint even where capabilities deny it, and survive where they claim it wrongly",
            "hold one subscription per camera and end it on shutdown, on reconfiguration and after a failed set-up",
            "ask for its duration in seconds, then as an absolute time; renew at most once a minute",
            "renew at 80 %; a fault means a new subscription, a closed connection the same one again",
            "hold a long poll that ends early or empty for healthy",
            "ask for the state after subscribing; raise what closed during an outage, and nothing that was known",
            "read topics with padding and any prefix, and every item of Source and Data in any order",
            "understand true, 1, on and active, under whatever name",
            "hold states for unknown after a loss; motion that never ends does not hide the next",
            "count unknown topics and show each once",
            "send reference parameters back",
            "take the camera's time with its offset, never later than now; an invalid one is the time of arrival",
            "bound event storms; a contact never waits behind motion",
        ),
    ),
    (
        "Movement",
        (
            "move only a profile with PTZ; no presets is an empty list, and 300 of them are a list",
            "stop with a velocity of zero where Stop is not there",
            "send only the axes that were asked for",
        ),
    ),
    (
        "Stream",
        (
            "end each stall, silence, refusal and clock fault in a named state and try again with jitter",
            "make complete clips of first packets without times, equal times and B-frames",
            "pull a camera once, and take pictures from that stream",
            "keep secrets out of logs, events, answers, exceptions and the process list",
            "send one camera at most two requests at once",
        ),
    ),
    (
        "Recording",
        (
            "look at the camera's own recording once an hour: tell that it stopped or reaches less far back than it "
            "should, and take no other camera's for its own",
            "fetch its recording around an alarm of which our own clip has a gap; whatever its replay does, the clip "
            "is what came of the time asked for, by the camera's clock, and nothing else waits",
        ),
    ),
)


def _items() -> tuple[Item, ...]:
    flat = [(group, must) for group, musts in _GROUPS for must in musts]
    return tuple(Item(number, group, must) for number, (group, must) in enumerate(flat, 1))


ITEMS = _items()
