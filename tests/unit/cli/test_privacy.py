"""How ``doctor privacy`` takes a gallery that is busy, and a photo that is refused."""

from pathlib import Path

import httpx
import pytest

from gateway.cli import privacy
from gateway.cli.privacy import Report, Trial, put_photo
from gateway.cli.traces import Written
from gateway.errors import PermanentError, TransientError

BUSY = httpx.Response(503, json={"detail": "the child gallery cannot take a request now"})


def answering(*answers: httpx.Response, asked: list[httpx.Request] | None = None) -> httpx.Client:
    """A client whose requests get these answers, the last one again and again, and are noted in `asked`."""
    left, noted = list(answers), [] if asked is None else asked

    def answer(request: httpx.Request) -> httpx.Response:
        noted.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    return httpx.Client(base_url="http://gateway", transport=httpx.MockTransport(answer))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"jpeg")
    return path


def report(home: Path, written: Written) -> Report:
    """What a trial says of what was written, had all people passed that were wanted."""
    found, unsure = vars(Trial)["_traces"](Trial(home.parent, home, home, None), written)
    files = tuple(map(str, written.paths))
    return Report("", passages=1, wanted=1, matches=0, files=files, in_memory=(), traces=found, unsure=unsure)


@pytest.mark.parametrize(
    ("name", "content", "verdict"),
    [
        ("state/journal.db", b"SQLite format 3", 0),
        ("state/journal.db", b"campus.face.matched", 1),
        ("state/evidence/e-1", bytes(range(250)), 1),
        ("temporary/x", bytes(range(250)), 1),
        ("gateway.log", b"looked at \xff\xd8\xff\xe0\x00\x10JFIF\x00", 1),
    ],
)
@pytest.mark.parametrize("by_others", [False, True])
def test_what_was_written_below_its_own_folder_is_always_judged(
    tmp_path: Path, name: str, content: bytes, verdict: int, by_others: bool
) -> None:
    home = tmp_path / "gateway"
    path = home / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert report(home, Written(frozenset({path}), frozenset(), by_others)).verdict == verdict


@pytest.mark.parametrize(("by_others", "verdict"), [(False, 1), (True, 3)])
def test_a_picture_elsewhere_is_a_finding_only_where_it_is_known_who_wrote_it(
    tmp_path: Path, by_others: bool, verdict: int
) -> None:
    picture = tmp_path / "elsewhere.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")
    (tmp_path / "gateway").mkdir()
    assert report(tmp_path / "gateway", Written(frozenset({picture}), frozenset(), by_others)).verdict == verdict


def test_events_large_enough_for_a_picture_are_findings() -> None:
    events = [{"type": "campus.camera.lost", "detail": "x"}, {"type": "campus.camera.restored", "detail": "x" * 9000}]
    pages = [{"items": events[:1], "next": 1}, {"items": events[1:], "next": 2}, {"items": [], "next": 2}]
    client = answering(*(httpx.Response(200, json=page) for page in pages))
    assert [each.what.split(", ")[1] for each in vars(privacy)["_large_events"](client)] == ["campus.camera.restored"]


def test_a_busy_gallery_is_asked_again(photo: Path) -> None:
    asked: list[httpx.Request] = []
    put_photo(answering(BUSY, httpx.Response(201, json={}), asked=asked), "p", photo)
    assert [each.url.path for each in asked] == 2 * ["/watchlist/people/p/photos"]


def test_a_gallery_that_stays_busy_is_not_the_fault_of_the_photo(photo: Path) -> None:
    with pytest.raises(TransientError) as caught:
        put_photo(answering(BUSY), "p", photo, patience_seconds=0.01)
    assert "photo.jpg" not in str(caught.value)
    assert "less busy" in caught.value.remedy


def test_a_refused_photo_is_named_with_a_remedy(photo: Path) -> None:
    with pytest.raises(PermanentError, match=r"photo\.jpg: is refused: no face") as caught:
        put_photo(answering(httpx.Response(422, json={"detail": "no face"})), "p", photo)
    assert "--listed" in caught.value.remedy
