"""What real cameras do wrong, as data: each quirk by its name, with the acceptance items that it provokes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """A named deviation.

    Attributes:
        name: by which it is asked for.
        does: what the camera does, in words.
        items: numbers of the acceptance items (`acceptance.ITEMS`) that it provokes.
        default: the value used when none is given; None: it takes no value.
    """

    name: str
    does: str
    items: tuple[int, ...]
    default: float | None = None


_ADDRESSES = (
    Quirk("wrong-host", "every advertised address names a host that is not there, as behind NAT", (1, 2)),
    Quirk("uri-credentials", "the stream's address holds somebody else's credentials", (2,)),
    Quirk("double-port", "the subscription's address has its port twice", (3,)),
    Quirk("empty-host", "the subscription's address names no host", (3,)),
    Quirk("moving-port", "each subscription is served at a port of its own, and nowhere else", (3,)),
    Quirk("dead-port", "the media services are advertised at a port that accepts and never answers", (4,)),
    Quirk("frozen", "accepts connections and never answers", (4, 5, 36)),
    Quirk("not-onvif", "answers every SOAP request with a web page and status 200", (5,)),
    Quirk("empty-body", "answers every SOAP request with an empty envelope", (5,)),
    Quirk("stack-trace", "answers every SOAP request with status 500 and a stack trace", (5,)),
    Quirk("no-profiles", "has no media profile", (5,)),
    Quirk("empty-stream-uri", "answers GetStreamUri with status 500 and nothing", (5,)),
    Quirk("close-after-reply", "closes each connection after one reply without saying so", (6,)),
    Quirk("https", "serves HTTPS only, with a certificate that it signed itself", (7,)),
    Quirk("certificate-ends", "its certificate ends in so many days", (7,), 20.0),
    Quirk("rtsps", "serves its streams over TLS only, with a certificate that it signed itself", (7,)),
    Quirk("no-get-services", "does not know GetServices, only GetCapabilities", (15,)),
    Quirk("broken-xml", "replies have NUL bytes, bad UTF-8 and unquoted attributes", (5,)),
    Quirk("mutated-soap", "spoils every other HTTP answer at random, the same for the same number", (5,), 1.0),
    Quirk("few-requests", "restarts, that is drops all connections, at more than so many requests at once", (40,), 2.0),
)
_TRUST = (
    Quirk("http-digest", "SOAP needs HTTP Digest; refusals are a 401 with an HTML page, tokens are ignored", (8, 13)),
    Quirk("digest-and-token", "SOAP needs HTTP Digest and a token, both", (8,)),
    Quirk("zulu-only", "refuses a token whose Created is not whole seconds with a Z", (8,)),
    Quirk("no-utc-time", "tells only its local time, with a POSIX zone", (9,)),
    Quirk("no-time", "does not know GetSystemDateAndTime", (9,)),
    Quirk("nonsense-time", "tells a date that is none", (9,)),
    Quirk("time-needs-login", "tells its time only to who has the password", (9,)),
    Quirk("clock-off", "the clock is ahead by so many seconds, and tokens are checked against it", (10, 11), 3600.0),
    Quirk("clock-resets", "the clock falls back to the year 2000 after so many requests with a token", (10,), 6.0),
    Quirk("locks-out", "after so many wrong passwords in a row nobody is let in any more", (12,), 5.0),
    Quirk("wordy-refusal", "a refusal has no subcode, only words of its maker, and status 400", (13,)),
    Quirk("bare-403", "a refusal is a bare status 403", (13,)),
    Quirk("undeclared-prefix", "faults use a namespace prefix that they do not declare", (13,)),
)
_MEDIA = (
    Quirk("media2-only", "has the media service of version 2 and not that of version 1", (15,)),
    Quirk("media1-only", "has the media service of version 1 and not that of version 2", (15,)),
    Quirk("media2-broken", "claims the media service of version 2 and answers it with a web page", (15,)),
    Quirk("h265-profile", "its profiles say H.265", (16,)),
    Quirk("bare-profile", "its first profile has no video encoder", (16,)),
    Quirk("wrong-names", "the small profile stands first and is named main", (16,)),
    Quirk("wrong-size", "profiles tell another size than the stream has", (17,)),
    Quirk("profile-drift", "after so many looks at its profiles they tell half the size", (17,), 1.0),
    Quirk("no-snapshot", "has no snapshot address", (18,)),
    Quirk("empty-snapshot-uri", "tells an empty snapshot address", (18,)),
    Quirk("rtsp-snapshot-uri", "tells the stream's address as that of the snapshot", (18,)),
    Quirk("expiring-snapshot", "a snapshot's address is good once", (18,)),
    Quirk("basic-snapshot", "the snapshot needs HTTP Basic", (18,)),
    Quirk("empty-snapshot", "the snapshot is an empty body with status 200", (19,)),
    Quirk("html-snapshot", "the snapshot is a web page with status 200", (19,)),
    Quirk("wrong-snapshot", "the snapshot is bytes that are no picture", (19,)),
)
_EVENTS = (
    Quirk("events-denied", "does not name its event service, which works all the same", (20,)),
    Quirk("events-claimed", "names an event service and answers it with status 404 and a web page", (20,)),
    Quirk("push-only", "has no PullPoint, only WS-BaseNotification", (20,)),
    Quirk("metadata-only", "has neither PullPoint nor push; its events come in the RTSP metadata track", (20,)),
    Quirk("metadata-unset", "as metadata-only, and no profile has metadata until it is given them", (20,)),
    Quirk("metadata-silent", "as metadata-only, and its metadata hold no events until they are asked for", (20,)),
    Quirk("metadata-gzip", "as metadata-only, and its metadata are compressed with gzip", (20,)),
    Quirk("few-slots", "has room for so many subscriptions", (21,), 1.0),
    Quirk("minutes-as-seconds", "reads PT600S as ten seconds, and an absolute time rightly", (22,)),
    Quirk("nonsense-times", "tells times of a subscription that are none", (22,)),
    Quirk("no-renew", "answers Renew with a fault", (23,)),
    Quirk("pull-fault", "forgets each subscription after so many pulls", (23,), 2.0),
    Quirk("pull-drops", "closes the connection of every other PullMessages", (23,)),
    Quirk("short-poll", "answers PullMessages with nothing after so many seconds, whatever was asked", (24,), 0.2),
    Quirk("no-sync-point", "does not know SetSynchronizationPoint", (25,)),
    Quirk("padded-topics", "topics are padded with newlines and end in //.", (26,)),
    Quirk("other-prefix", "topics use a namespace prefix of the maker", (26,)),
    Quirk("more-items", "messages carry items of the maker's own, and Value before Name", (26,)),
    Quirk("no-source", "messages have no Source", (26,)),
    Quirk("no-namespace", "replies of the event service lack the namespace of WS-Addressing", (26,)),
    Quirk("state-one", "states are 1 and 0", (27,)),
    Quirk("state-active", "states are active and inactive", (27,)),
    Quirk("other-names", "the state of an input is called State, and that of motion Value", (27,)),
    Quirk("stuck-motion", "motion begins and never ends", (28,)),
    Quirk("unknown-topics", "tells topics of its maker's own with each pull", (29,)),
    Quirk("reference-parameters", "knows a subscription only by its reference parameters", (30,)),
    Quirk("bad-event-time", "the time of events is 0000-00-00T00:00:00Z", (31,)),
    Quirk("event-storm", "motion changes so many times a second", (32,), 50.0),
)
_MOVEMENT = (
    Quirk("no-presets", "has PTZ and does not know GetPresets", (33,)),
    Quirk("factory-presets", "has 300 presets with percent-encoded names, and some without token", (33,)),
    Quirk("no-stop", "does not know Stop", (34,)),
    Quirk("no-zoom", "answers a move that names a zoom with a fault", (35,)),
)
_STREAM = (
    Quirk("stall", "video stops after so many seconds, RTCP goes on", (36,), 5.0),
    Quirk("stream-dies", "the RTSP connection is cut after so many seconds", (36,), 5.0),
    Quirk("rtp-jump", "the RTP clock jumps by an hour after so many seconds", (36,), 2.0),
    Quirk("rtp-stuck", "the RTP clock stands at 0", (36,)),
    Quirk("one-session", "serves one RTSP session; the next gets 453", (36, 38)),
    Quirk("gbk-name", "its stream has a name in GBK, which is no UTF-8", (36,)),
    Quirk("unknown-codec", "describes its stream with a codec that nobody knows", (36,)),
    Quirk("mutated-rtsp", "spoils every other RTSP answer at random, the same for the same number", (36,), 1.0),
    Quirk("sets-in-stream", "its description lacks the parameter sets: they come in the stream only", (16,)),
    Quirk("sets-in-description", "parameter sets are in its description only, and never come in the stream", (16,)),
    Quirk("waits-for-keyframe", "a stream begins in the middle of a group of pictures", (36,)),
    Quirk("codec-changes", "so many seconds after it began, its main stream goes on as its sub-stream", (17,), 2.0),
    Quirk("redirects", "DESCRIBE is answered with a redirect to another host", (2,)),
)
_RECORDING = (
    Quirk("own-recording", "records itself (Profile G), and keeps so many hours", (41, 42), 24.0),
    Quirk("recording-stopped", "its own recording stopped so many minutes ago", (41, 42), 20.0),
    Quirk("recording-shrinks", "after so many looks at its own recording that reaches back half as far", (41,), 1.0),
    Quirk("no-recording-summary", "does not know GetRecordingSummary", (41,)),
    Quirk("replay-paced", "replays its own recording no faster than it was recorded", (42,)),
    Quirk("replay-dies", "the connection of a replay is cut after so many pictures", (42,), 10.0),
    Quirk("replay-stalls", "a replay stops after so many pictures, and its connection stays", (42,), 10.0),
    Quirk("replay-floods", "a replay is its oldest picture, again and again without end", (42,)),
    Quirk("replay-timeless", "a replay does not tell of when its pictures are", (42,)),
    Quirk("replay-refused", "a replay is refused to whoever has the password of the rest", (42,)),
    Quirk("recordings-of-others", "tells another camera's recording before its own, as a recorder does", (41,)),
    Quirk("recordings-of-strangers", "tells two recordings, and nothing by which its own is known", (41,)),
)
KNOWN = (*_ADDRESSES, *_TRUST, *_MEDIA, *_EVENTS, *_MOVEMENT, *_STREAM, *_RECORDING)
