"""The watch-list's view, put into an empty page; the gateway's answers are those of docs/http.md."""

import re
from typing import Any

import pytest
from harness.tools import needs
from playwright.sync_api import FilePayload, Page, Route, expect

pytestmark = needs("chromium")
PERSON = {
    "id": "p1",
    "name": "张三",
    "category": "barred",
    "reason": "r",
    "authority": "a",
    "valid_until": "2100-01-01T00:00:00Z",
    "expired": False,
    "photos": [{"id": "f1"}, {"id": "f2"}],
}
DIFFERS = {"code": "photo_differs", "distance": 0.871, "threshold": 0.52, "detail": "differs", "remedy": "Check."}
PHOTO = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=b"jpeg")


def shown(bare: Page, language: str, warnings: list[dict[str, Any]]) -> list[str]:
    """Put the view in; the list fills with the method and path of each change that it asks for."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        request = route.request
        if request.method != "GET":
            asked.append(f"{request.method} {request.url.split('/api/v1')[1]}")
        is_list = request.method == "GET" and request.url.endswith("/people")
        body = {"items": [PERSON]} if is_list else {"id": "f3", "warnings": warnings}
        route.fulfill(status=201 if request.method == "POST" else 200, json=body)

    bare.route("**/api/v1/watchlist/**", answer)
    bare.evaluate(
        """async (language) => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage(language);
          const { WatchList } = await import('/js/views/watchlist.js');
          const app = { notice: (problem) => { throw problem; }, state: {} };
          document.body.replaceChildren(new WatchList(app).element);
        }""",
        language,
    )
    expect(bare.locator("li.tile")).to_have_count(1)
    return asked


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", "与此人的其他照片差异较大（距离 0.871，阈值 0.52）：请核对是否为同一人"),
        ("en", "differs from the other photos of this person (distance 0.871, threshold 0.52)"),
    ],
)
def test_a_photo_that_differs_from_the_others_is_added_and_told(bare: Page, language: str, words: str) -> None:
    asked = shown(bare, language, [DIFFERS])
    bare.set_input_files("li.tile input[type=file]", PHOTO)
    expect(bare.locator("li.tile [role=alert]")).to_contain_text(words)
    assert asked == ["POST /watchlist/people/p1/photos"]


def test_a_photo_that_differed_when_it_was_added_stays_marked(bare: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PERSON, "photos", [{"id": "f1", "warnings": []}, {"id": "f2", "warnings": [DIFFERS]}])
    shown(bare, "zh-CN", [])
    expect(bare.locator(".photo")).to_have_count(2)
    expect(bare.locator(".photo.odd")).to_have_count(1)
    expect(bare.locator(".photo").last).to_contain_text("与其他照片差异较大，请核对")


def test_nothing_is_said_of_a_photo_like_the_others(bare: Page) -> None:
    shown(bare, "en", [])
    with bare.expect_response(re.compile("/photos$")), bare.expect_response(re.compile("/people$")):
        bare.set_input_files("li.tile input[type=file]", PHOTO)
    expect(bare.locator("li.tile")).to_have_count(1)
    expect(bare.locator("li.tile [role=alert]")).to_have_count(0)


def test_a_warning_that_the_console_does_not_know_is_told_as_the_gateway_words_it(bare: Page) -> None:
    shown(bare, "en", [{"code": "of_a_later_version", "detail": "It rains.", "remedy": "Go in."}])
    bare.set_input_files("li.tile input[type=file]", PHOTO)
    expect(bare.locator("li.tile [role=alert]")).to_have_text("It rains. Go in.")


def test_one_photo_can_be_removed(bare: Page) -> None:
    asked = shown(bare, "en", [])
    bare.once("dialog", lambda dialog: dialog.dismiss())
    bare.locator(".photo button").first.click()
    bare.once("dialog", lambda dialog: dialog.accept())
    with bare.expect_response(re.compile("/photos/f2$")) as response:
        bare.locator(".photo button").last.click()
    assert response.value.request.method == "DELETE"
    assert asked == ["DELETE /watchlist/people/p1/photos/f2"]


def test_a_photo_that_is_like_anothers_names_that_one_and_says_one_thing_to_do(bare: Page) -> None:
    shown(bare, "zh-CN", [])
    problem = {"code": "look_alike", "look_alikes": [{"person": "p1", "distance": 0.2}], "detail": "like"}
    refused = lambda route: route.fulfill(status=422, json=problem)  # noqa: E731  # as short as it is
    bare.route("**/photos", refused)
    bare.set_input_files("li.tile input[type=file]", PHOTO)
    said = bare.locator("li.tile [role=alert]")
    expect(said).to_have_text("照片与名单上的“张三”太像。若是同一人，请把照片加到“张三”那一条。")


def test_the_form_begins_with_no_category_chosen(bare: Page) -> None:
    shown(bare, "zh-CN", [])
    category = bare.locator("select[name=category]")
    expect(category).to_have_value("")
    assert category.evaluate("each => each.required && !each.checkValidity()")


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "正在读取照片"), ("en", "is being read")])
def test_while_the_first_photo_is_read_nobody_is_told_that_there_is_none(
    bare: Page, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setitem(PERSON, "photos", [])
    shown(bare, language, [])
    held: list[Route] = []
    bare.route("**/photos", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks the function
    bare.set_input_files("li.tile input[type=file]", PHOTO)
    expect(bare.locator("li.tile .hint")).to_contain_text(words)
    monkeypatch.setitem(PERSON, "photos", [{"id": "f1"}])
    held[0].fulfill(status=201, json={"id": "f1", "warnings": []})
    expect(bare.locator("li.tile .hint")).to_have_count(0)
