"""How ``doctor privacy`` takes a gallery that is busy, and a photo that is refused."""

from pathlib import Path

import httpx
import pytest

from gateway.cli.privacy import put_photo
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
