"""The console as a guard meets it: in a real browser, both languages, desktop and phone, under a strict CSP."""

import shutil
import time
from collections.abc import Iterator

import pytest
from harness.consolepages import CAMERA, face_warning, shown_incident
from harness.daemon import ADMIN, PASSWORD, Daemon
from harness.rawmqtt import RawClient
from harness.tools import needs
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

pytestmark = [needs("chromium"), pytest.mark.timeout(120)]
NO_PHOTO = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=b"a text, not a picture")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or ""
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, daemon: Daemon, complaints: list[str]) -> Iterator[Page]:
    """The administrator sets the gateway up by the one-time link and stands before the board."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    link = next(line.split()[-1] for line in daemon.printed if "#setup=" in line)
    opened.goto(link)
    opened.fill("input[name=username]", ADMIN)
    opened.fill("input[name=password]", PASSWORD)
    opened.click("button[type=submit]")
    expect(opened.locator(".board")).to_be_visible()
    yield opened
    context.close()


def press(daemon: Daemon, kind: str = "press") -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-01/event", f'{{"id": "{time.time_ns()}", "type": "{kind}"}}'.encode())


def test_the_setup_link_works_once(page: Page, daemon: Daemon) -> None:
    assert "#setup" not in page.url
    link = next(line for line in daemon.printed if "#setup=" in line)
    assert "setup=" not in "".join(daemon.log), "the link is in a log"
    assert link.startswith("set-up link")


def test_a_stranger_is_told_in_the_own_language_what_is_wrong(browser: Browser, page: Page, daemon: Daemon) -> None:
    assert page.locator(".board").is_visible(), "the gateway is set up"
    link = next(line.split()[-1] for line in daemon.printed if "#setup=" in line)
    for language, short, used in [
        ("zh-CN", "密码只有 5 个字符，至少需要 12 个。", "网关已经设置过了，请直接登录。"),
        ("en", "The password has 5 characters. Use at least 12.", "The gateway is set up already. Sign in."),
    ]:
        context = browser.new_context(locale=language)
        stranger = context.new_page()
        stranger.goto(link)
        said = stranger.locator("p.problem")
        for password, text in [("short", short), ("the wrong pass phrase", used)]:
            stranger.fill("input[name=username]", "somebody")
            stranger.fill("input[name=password]", password)
            stranger.click("button[type=submit]")
            expect(said).to_have_text(text)
        expect(stranger.locator("input[name=username]")).to_have_value("somebody")
        expect(stranger.locator("button[type=submit]")).to_have_text({"zh-CN": "登录", "en": "Sign in"}[language])
        context.close()


def test_a_press_shows_sounds_and_is_acknowledged_by_key(page: Page, daemon: Daemon) -> None:
    press(daemon)
    card = page.locator(".card.critical.raised")
    expect(card).to_be_visible(timeout=5000)
    expect(card.locator(".place")).to_have_text("East gate booth")
    expect(card.locator(".name")).to_have_text("东门岗亭")
    expect(card).to_contain_text("一键报警")
    expect(card).not_to_contain_text("false")
    assert "报警" in page.title()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator(".card.critical.raised[aria-pressed=true]")).to_be_visible()
    page.click("button[data-view=events]")
    page.keyboard.press("a")
    expect(page.locator(".card.critical.raised[aria-pressed=true]")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".card.critical.acknowledged")).to_contain_text(ADMIN)
    expect(page.locator(".card.critical.acknowledged")).to_contain_text("已接警")
    page.select_option("select[name=verdict]", "test")
    page.locator("form.inline", has=page.locator("select")).locator("button").click()
    expect(page.locator(".cards .card")).to_have_count(0)
    head = page.locator(".incident .head")
    expect(head).to_contain_text(f"{ADMIN} 于")
    expect(head).not_to_contain_text("处置中")
    lasted = head.locator("time").inner_text()
    page.wait_for_timeout(1500)
    assert head.locator("time").inner_text() == lasted, "the clock stands still after the end"


def test_what_the_threshold_costs_stands_by_the_cameras_and_the_list(page: Page) -> None:
    for view in ("protection", "watchlist"):
        page.click(f"button[data-view={view}]")
        expect(page.locator("p.threshold")).to_have_text("名单为空：不会产生人脸预警。", timeout=40_000)
    page.click("button[data-view=board]")


def test_a_refused_photo_is_told_at_the_form_and_lists_nobody_twice(page: Page) -> None:
    page.click("button[data-view=watchlist]")
    for field, value in {"name": "张三", "reason": "通缉令 17 号", "authority": "东城分局"}.items():
        page.fill(f"form.enrol input[name={field}]", value)
    tile = page.locator("li.tile", has_text="张三")
    said = page.locator("form.enrol .problem")
    page.set_input_files("form.enrol input[type=file]", NO_PHOTO)
    until = time.monotonic() + 40
    while "这个文件不是照片" not in said.inner_text():  # the child that looks at photos may still be starting
        assert time.monotonic() < until, said.inner_text()
        page.click("form.enrol button[type=submit]")
        expect(said).to_contain_text("张三 已登记，但照片未被接受", timeout=30_000)
        expect(tile).to_have_count(1)
    expect(said).to_be_in_viewport()
    expect(page.locator("form.enrol input[name=name]")).to_have_value("张三")
    expect(tile).to_contain_text("不参与比对：没有照片")
    expect(page.locator(".banner.notice")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    tile.locator(".danger").click()
    expect(tile).to_have_count(0)
    expect(page.locator("form.enrol .problem")).to_have_text("")
    page.click("button[data-view=board]")


def test_a_silent_press_is_shown_only_where_that_is_safe(page: Page, daemon: Daemon) -> None:
    press(daemon, "silent")
    page.wait_for_timeout(1500)
    expect(page.locator(".cards .card")).to_have_count(0)
    page.click("button[data-view=protection]")
    page.fill("form.post input[name=name]", "门卫室")
    page.check("form.post input[name=discreet_safe]")
    page.click("form.post button")
    expect(page.locator(".page")).to_contain_text("本机是岗位“门卫室”")
    page.click("button[data-view=board]")
    expect(page.locator(".cards .card")).to_have_count(1)
    expect(page.locator(".cards .card")).to_contain_text("无声报警")


def test_a_drill_is_said_to_every_post_and_its_press_is_marked(page: Page, daemon: Daemon) -> None:
    page.click("button[data-view=drill]")
    page.fill("form.enrol input[name=note]", "防暴演练")
    page.check("form.enrol input[name=device]")
    page.click("form.enrol button[type=submit]")
    expect(page.locator(".banner.drilling")).to_contain_text("防暴演练")
    press(daemon)
    page.click("button[data-view=board]")
    drilled = page.locator(".card.critical.raised", has=page.locator(".drill"))
    expect(drilled).to_have_count(1)
    press(daemon)
    real = page.locator(".card.critical.raised", has=page.locator(".real"))
    expect(real).to_contain_text("演练期间的真实报警")
    assert page.locator(".cards .card").first.locator(".drill").count() == 0, "real ones stand before the drill"
    page.click("button[data-view=drill]")
    page.click("text=结束演练")
    expect(page.locator(".banner.drilling")).to_have_count(0)
    expect(page.locator("details summary").first).to_contain_text("防暴演练")
    page.click("button[data-view=board]")
    expect(drilled).to_have_count(0)
    page.locator(".cards .card", has=page.locator(".real")).first.click()
    page.select_option("select[name=verdict]", "test")
    page.locator("form.inline", has=page.locator("select[name=verdict]")).locator("button").click()
    expect(real).to_have_count(0)


def test_the_ticker_names_the_place_of_what_follows_and_what_is_wrong(page: Page, daemon: Daemon) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-99/event", b'{"id": "1", "type": "press"}')
    fault = page.locator(".ticker .event", has_text="网关故障")
    expect(fault).to_contain_text("no device btn-99 is configured")
    fault.locator("summary").click()
    expect(fault.locator("dd", has_text="campus/east/button/btn-99/event")).to_be_visible()
    for view, rows in (("board", ".ticker .event"), ("events", ".history .event")):
        page.click(f"button[data-view={view}]")
        for words in ("已接警", "已处置"):
            row = page.locator(rows, has=page.locator(".what", has_text=words)).first
            expect(row.locator(".where")).to_have_text("东门岗亭 · East gate booth")
    page.reload()
    resolved = page.locator(".ticker .event", has=page.locator(".what", has_text="已处置")).first
    expect(resolved.locator(".where")).to_have_text("东门岗亭 · East gate booth")


def test_the_ticker_shows_each_event_once(page: Page) -> None:
    positions = page.locator(".ticker .position").all_inner_texts()
    assert len(positions) == len(set(positions)) > 0


def test_the_history_begins_with_the_newest_and_goes_back_on_demand(page: Page, daemon: Daemon) -> None:
    with daemon.client() as client:
        incident = client.get("/incidents").json()["items"][0]["id"]
        for number in range(230):
            note = {"command_id": f"note-{number}", "note": f"round {number}"}
            client.post(f"/incidents/{incident}/note", json=note).raise_for_status()
        last = client.get("/events", params={"last": 1}).json()["items"][0]["position"]
    page.click("button[data-view=events]")
    shown = page.locator(".history .position")
    expect(shown).to_have_count(100)
    expect(shown.first).to_have_text(f"#{last}")
    more = page.locator("text=更早的")
    for count in range(200, last, 100):
        more.click()
        expect(shown).to_have_count(count)
    more.click()
    expect(more).to_be_hidden()
    assert shown.all_inner_texts() == [f"#{each}" for each in range(last, 0, -1)], "each once, in order, none left out"
    press(daemon, "test")
    expect(page.locator(".history .event").first).not_to_contain_text(f"#{last}")
    page.select_option("select[name=type]", "campus.drill.started")
    expect(shown).to_have_count(1)
    page.select_option("select[name=type]", "campus.flood.started")
    expect(page.locator(".calm")).to_have_text("没有符合条件的事件。")
    page.click("button[data-view=board]")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_camera_of_many_figures_fits_a_phone(page: Page, language: str) -> None:
    with shown_incident(page, face_warning(), language=language) as phone:
        phone.route("**/api/v1/cameras", lambda route: route.fulfill(json={"items": [CAMERA]}))
        phone.click("button[data-view=protection]")
        value = phone.locator("dd", has_text="1234567 /")
        expect(value).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert value.evaluate("it => it.clientWidth") > 120, "not one letter a line"


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


def test_the_other_language_and_a_phone(page: Page) -> None:
    page.click("text=English")
    expect(page.locator(".tab", has_text="Watch-list")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the phone"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_walk_test_is_ticked_off_and_a_round_trip_is_told(page: Page, daemon: Daemon) -> None:
    page.click("button[data-view=protection]")
    expect(page.locator(".sum.bad")).to_contain_text("1 of 1")
    page.click("text=Start a walk test")
    expect(page.locator(".strip")).to_contain_text("Walk test is on")
    press(daemon)
    expect(page.locator(".ticks .done")).to_contain_text("East gate booth")
    expect(page.locator(".walk")).to_contain_text("1 of 1 pressed")
    expect(page.locator("text=Start a walk test")).to_be_visible()
    page.click("text=Round-trip test")
    expect(page.locator(".tester p")).to_contain_text("Press the button now")
    told = page.locator(".tester p", has_text="stored; no destination asks for tests")
    for _ in range(10):  # the first press may be before the gateway knows of the test
        press(daemon)
        page.wait_for_timeout(2000)
        if told.count():
            break
    expect(told).to_be_visible()
    expect(page.locator(".tester button")).to_be_enabled()
    page.click("button[data-view=board]")


def test_a_button_is_added_and_removed(page: Page, daemon: Daemon) -> None:
    page.click("button[data-view=protection]")
    page.click("summary")
    page.fill("input[name=id]", "library")
    page.fill("input[name=place]", "Library desk")
    page.fill("input[name=dialect]", "klingon")
    page.click(".newdevice button")
    expect(page.locator(".newdevice .problem")).to_contain_text("klingon")
    page.fill("input[name=dialect]", "zigbee2mqtt")
    page.click(".newdevice button")
    tile = page.locator("li.tile", has_text="Library desk")
    expect(tile).to_contain_text("zigbee2mqtt")
    expect(tile).to_contain_text("not heard yet")
    expect(page.locator("input[name=dialect]")).to_have_value("campus")
    page.once("dialog", lambda dialog: dialog.accept())
    tile.locator(".danger").click()
    expect(tile).to_have_count(0)
    page.click("button[data-view=board]")


@pytest.mark.restarts_shared_daemon
def test_a_killed_gateway_is_told_and_the_board_is_right_after_it_is_back(page: Page, daemon: Daemon) -> None:
    daemon.kill()
    expect(page.locator(".shell.stale")).to_be_visible(timeout=15000)
    daemon.start()
    expect(page.locator(".shell:not(.stale)")).to_be_visible(timeout=20000)
    press(daemon)
    expect(page.locator(".card.critical.raised").first).to_be_visible(timeout=5000)


def test_nothing_broke_the_content_security_policy(page: Page, complaints: list[str]) -> None:
    assert page.locator(".board").is_visible()
    network = ("Failed to load resource", "net::ERR")
    assert [each for each in complaints if not each.startswith(network)] == []
