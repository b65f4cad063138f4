"""The console in both languages and on a phone, and what stands on an incident's card."""

import pytest
from harness.consolepages import CAMERA, face_warning, shown_incident
from harness.daemon import ADMIN
from harness.tools import needs
from playwright.sync_api import Page, expect

pytestmark = [needs("chromium"), pytest.mark.timeout(120)]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_camera_of_many_figures_fits_a_phone(page: Page, language: str) -> None:
    with shown_incident(page, face_warning(), language=language) as phone:
        phone.route("**/api/v1/cameras", lambda route: route.fulfill(json={"items": [CAMERA]}))
        phone.click("button[data-view=protection]")
        value = phone.locator("dd", has_text="1234567 /")
        expect(value).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert value.evaluate("it => it.clientWidth") > 120, "not one letter a line"
        for told in ("Example C-200 5.7.1", "1920×1080 H265 · 640×360 H264", "sub (640x360 H264) is looked at"):
            expect(phone.locator("dd", has_text=told)).to_be_visible()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_header_of_a_phone_has_two_rows_and_every_tab(page: Page, language: str) -> None:
    with shown_incident(page, face_warning(), language=language) as phone:
        phone.click(".cards .card")  # the first touch lets the browser sound
        expect(phone.locator("button.pill")).to_have_class("pill good")
        expect(phone.locator("span.pill")).to_have_class("pill good")
        header = phone.locator(".top").bounding_box()
        assert header is not None
        assert header["height"] < 3 * 44, "two rows of what a finger can touch"
        assert phone.locator(".top nav").evaluate("nav => nav.scrollWidth - nav.clientWidth") <= 0


def test_the_card_of_a_face_warning_names_whom_it_may_be_and_shows_the_face(page: Page) -> None:
    with shown_incident(page, face_warning()) as phone:
        card = phone.locator(".cards .card")
        expect(card.locator(".who strong")).to_have_text("张三")
        expect(card.locator(".who strong")).to_be_visible()
        expect(card.locator(".who img")).to_be_visible()
        card.click()
        expect(phone.locator(".faces figcaption", has_text="名单照片 · 张三 · 在逃")).to_be_visible()


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "结尾缺失"), ("en", "its end is missing")])
def test_a_clip_that_broke_off_says_which_end_is_missing(page: Page, language: str, said: str) -> None:
    warning = face_warning()
    (clip,) = [each for each in warning["evidence"] if each["id"] == "clip0"]
    clip["clip"]["state"] = "cut_short"
    with shown_incident(page, warning, language=language) as phone:
        phone.click(".cards .card")
        expect(phone.locator("details.clip", has_text=said)).to_have_count(1)


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN", "有 177 条经过记录已丢失"), ("en", "177 entries of its history")]
)
def test_a_history_with_losses_says_so_once(page: Page, language: str, said: str) -> None:
    with shown_incident(page, face_warning(lost=177), language=language) as phone:
        phone.click(".cards .card")
        expect(phone.locator(".incident-body")).to_contain_text(said)


def test_a_viewer_reads_no_bare_id_and_an_unknown_category_is_said_to_be_one(page: Page) -> None:
    match = face_warning()["match"] | {"category": "vip"}
    del match["name"]
    with shown_incident(page, face_warning(match=match)) as phone:
        phone.route("**/api/v1/session", lambda route: route.fulfill(json=route.fetch().json() | {"role": "viewer"}))
        phone.reload()
        phone.click(".cards .card")
        expect(phone.locator(".facts")).to_contain_text("仅值守人员可见")
        expect(phone.locator(".facts")).to_contain_text("其他（vip）")
        expect(phone.locator(".facts")).not_to_contain_text("p1")


def test_two_faces_stand_side_by_side_before_clips_on_a_phone(page: Page) -> None:
    with shown_incident(page, face_warning()) as phone:
        phone.click(".cards .card")
        faces = phone.locator(".faces figure")
        expect(faces).to_have_count(2)
        left, right = (faces.nth(index).bounding_box() for index in (0, 1))
        assert left is not None
        assert right is not None
        assert left["y"] == right["y"], "side by side"
        assert left["x"] + left["width"] < right["x"]
        assert right["y"] + right["height"] < 844, "at once in view"
        order = phone.locator(".incident-body > *").evaluate_all("all => all.map((each) => each.className)")
        assert order.index("faces") < order.index("actions") < order.index("clips")
        clips = phone.locator(".clips details")
        assert clips.evaluate_all("all => all.map((each) => each.open)") == [True, False, False], "the newest is open"
        assert "02:00" in (clips.first.locator("summary").text_content() or ""), "the newest is first"
        assert clips.locator("small").all_text_contents() == ["中间缺少 3 秒", "开头缺少 8 秒"]
        crop = phone.locator(".faces figcaption").first.text_content() or ""
        assert ":00:01" in crop
        assert ":00:07" in crop


@pytest.mark.parametrize(
    ("state", "verdict", "remains"),
    [
        ("raised", "confirmed", "是本人。还需：接警 → 派人 → 处置完毕。"),
        ("acknowledged", "rejected", "不是本人。还需：以“误报”处置完毕。"),
        ("acknowledged", "unsure", "无法确定：请派人到现场查看，然后再核实。"),
    ],
)
def test_after_a_judgement_it_is_said_what_remains(page: Page, state: str, verdict: str, remains: str) -> None:
    with shown_incident(page, face_warning(state=state, verification=verdict, owner=ADMIN)) as desk:
        desk.click(".cards .card")
        expect(desk.locator(".next")).to_have_text(remains)
        expect(desk.locator("button.verify")).to_have_count(3 if verdict == "unsure" else 0)
        follows = {"confirmed": "genuine", "rejected": "false_alarm", "unsure": ""}[verdict]
        expect(desk.locator("select[name=verdict]")).to_have_value(follows)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_on_a_phone_what_protects_is_whole_in_sight_on_every_page(page: Page, language: str) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(
        locale=language, viewport={"width": 390, "height": 844}, storage_state=page.context.storage_state()
    )
    context.add_init_script(f"localStorage.setItem('language', '{language}')")
    phone = context.new_page()
    phone.goto(page.url)
    for view in ("board", "events", "protection", "drill", "watchlist"):
        phone.click(f"button[data-view={view}]")
        expect(phone.locator(".strip .part").first).to_be_visible()
        edges = "[...document.querySelectorAll('.strip .part')].map((part) => part.getBoundingClientRect().toJSON())"
        for box in phone.evaluate(edges):
            assert box["left"] >= 0
            assert box["right"] <= 390, view
            assert box["bottom"] <= 844, view
        cut = "[...document.querySelectorAll('.strip .part')].filter((part) => part.scrollWidth > part.clientWidth)"
        assert phone.evaluate(f"{cut}.length") == 0, view
    context.close()


def test_no_incident_is_out_of_reach_however_many_there_are(page: Page) -> None:
    with shown_incident(page, face_warning()) as phone:
        many = [face_warning(id=f"face{number}") for number in range(1, 12)]
        phone.route("**/api/v1/incidents?*", lambda route: route.fulfill(json={"items": many, "next": None}))
        phone.reload()
        expect(phone.locator(".cards .card")).to_have_count(7)
        more = phone.locator("button.more")
        expect(more).to_have_text("还有 4 条")
        more.click()
        expect(phone.locator(".cards .card")).to_have_count(11)
        more.click()
        expect(phone.locator(".cards .card")).to_have_count(7)
