"""The console as a guard meets it: in a real browser, with keys and sound, under a strict CSP."""

import re
import time
from pathlib import Path

import pytest
from harness.daemon import ADMIN, PASSWORD, Daemon
from harness.rawmqtt import RawClient
from harness.tools import needs
from playwright.sync_api import Browser, FilePayload, Page, expect

pytestmark = [needs("chromium"), pytest.mark.timeout(120)]
NO_PHOTO = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=b"a text, not a picture")


def press(daemon: Daemon, kind: str = "press") -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-01/event", f'{{"id": "{time.time_ns()}", "type": "{kind}"}}'.encode())


def test_the_setup_link_works_once(page: Page, daemon: Daemon) -> None:
    assert "#setup" not in page.url
    link = next(line for line in daemon.printed if "#setup=" in line)
    assert "setup=" not in "".join(daemon.log), "the link is in a log"
    assert link.startswith("set-up link")


def test_a_set_up_link_that_was_used_says_so_at_once_and_leads_to_the_sign_in(
    browser: Browser, page: Page, daemon: Daemon
) -> None:
    assert page.locator(".board").is_visible(), "the gateway is set up"
    link = next(line.split()[-1] for line in daemon.printed if "#setup=" in line)
    for language, said, submit in [
        ("zh-CN", "网关已经设置过了，请直接登录。", "登录"),
        ("en", "The gateway is set up already. Sign in.", "Sign in"),
    ]:
        context = browser.new_context(locale=language)
        stranger = context.new_page()
        stranger.goto(link)
        expect(stranger.locator("p.problem")).to_have_text(said)
        expect(stranger.locator("button[type=submit]")).to_have_text(submit)
        expect(stranger.locator("input[name=shown]")).to_have_count(0)
        stranger.goto(link.replace("#setup=", "#signin="))
        stranger.reload()
        expect(stranger.locator("p.problem")).not_to_be_empty()
        context.close()


def test_the_password_of_the_first_administrator_can_be_seen(browser: Browser, tmp_path: Path) -> None:
    with Daemon(tmp_path) as fresh:
        context = browser.new_context(locale="en")
        stranger = context.new_page()
        link = next(line.split()[-1] for line in fresh.printed if "#setup=" in line)
        stranger.goto(link)
        stranger.fill("input[name=username]", "chief")
        stranger.fill("input[name=password]", "short")
        expect(stranger.locator("input[name=password]")).to_have_attribute("type", "password")
        stranger.check("input[name=shown]")
        expect(stranger.locator("input[name=password]")).to_have_attribute("type", "text")
        stranger.click("button[type=submit]")
        expect(stranger.locator("p.problem")).to_have_text("The password has 5 characters. Use at least 12.")
        stranger.fill("input[name=password]", PASSWORD)
        stranger.click("button[type=submit]")
        expect(stranger.locator(".board")).to_be_visible()
        context.close()


def test_a_press_shows_sounds_and_is_acknowledged_by_key(page: Page, daemon: Daemon) -> None:
    press(daemon)
    card = page.locator(".card.critical.raised")
    expect(card).to_be_visible()
    expect(card.locator(".place")).to_have_text("East gate booth")
    expect(card.locator(".name")).to_have_text("东门岗亭")
    expect(card).to_contain_text("一键报警")
    expect(card).not_to_contain_text("false")
    assert "报警" in page.title()
    expect(page.locator(".card.critical.raised[aria-pressed=true]")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog.help")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.help")).to_be_hidden()
    expect(page.locator(".card.critical.raised[aria-pressed=true]")).to_be_visible()
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
        expect(page.locator("p.threshold")).to_have_text("名单上没有参与比对的人员：不会产生人脸预警。", timeout=40_000)
    page.click("button[data-view=board]")


def test_a_refused_photo_is_told_at_the_form_and_lists_nobody_twice(page: Page) -> None:
    page.click("button[data-view=watchlist]")
    for field, value in {"name": "张三", "reason": "通缉令 17 号", "authority": "东城分局"}.items():
        page.fill(f"form.enrol input[name={field}]", value)
    category = page.locator("form.enrol select[name=category]")
    expect(category).to_have_value("")
    category.select_option("barred")
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
    page.fill("form.enrol input[name=name]", "李四")
    page.click("form.enrol button[type=submit]")
    expect(said).to_contain_text("李四 已登记，但照片未被接受", timeout=30_000)
    expect(tile).to_have_count(1)
    for name in ("李四", "张三"):
        page.once("dialog", lambda dialog: dialog.accept())
        page.locator("li.tile", has_text=name).locator(".danger").click()
        expect(page.locator("li.tile", has_text=name)).to_have_count(0)
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
    expect(page.locator(".cards .card[aria-pressed=true] .real")).to_have_count(1)
    page.select_option("select[name=verdict]", "test")
    page.locator("form.inline", has=page.locator("select[name=verdict]")).locator("button").click()
    expect(real).to_have_count(0)


def test_the_ticker_names_the_place_of_what_follows_and_what_is_wrong(page: Page, daemon: Daemon) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/east/button/btn-99/event", b'{"id": "1", "type": "press"}')
    fault = page.locator(".ticker .event", has_text="网关故障")
    expect(fault).to_contain_text("没有配置编号为“btn-99”的设备")
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


def test_the_other_language_and_a_phone(page: Page) -> None:
    page.click("text=English")
    expect(page.locator(".tab", has_text="Watch-list")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the phone"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_the_first_key_acknowledges_what_stands_there_when_the_console_opens(page: Page, daemon: Daemon) -> None:
    page.click("button[data-view=board]")
    press(daemon)
    expect(page.locator(".card.critical.raised").first).to_be_visible()
    page.reload()
    expect(page.locator(".card.critical.raised[aria-pressed=true]")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".card.critical.acknowledged[aria-pressed=true]")).to_be_visible()
    page.select_option("select[name=verdict]", "test")
    page.locator("form.inline", has=page.locator("select")).locator("button").click()
    expect(page.locator(".card.critical.acknowledged[aria-pressed=true]")).to_have_count(0)


def test_a_fault_is_told_in_chinese_with_what_to_do(page: Page, daemon: Daemon) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish("campus/west/button/btn-01/event", b'{"id": "w1", "type": "press"}')
        client.publish("campus/east/button/btn-01/event", b"[")
    assert page.context.browser is not None
    context = page.context.browser.new_context(locale="zh-CN", storage_state=page.context.storage_state())
    context.add_init_script("localStorage.setItem('language', 'zh-CN')")
    guard = context.new_page()
    guard.goto(page.url)
    for card, words in [
        ("有按钮以别的站点名报警", "按钮 btn-01 以站点“west”的名义发报，本站点是“east”：请把按钮的站点名改正"),
        ("按钮发来无法解读的消息", "内容不是 JSON"),
    ]:
        guard.locator(".cards .card", has_text=card).click()
        expect(guard.locator(".timeline")).to_contain_text(words)
        assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", guard.locator(".timeline").inner_text()), "an English sentence"
        guard.keyboard.press("a")
        expect(guard.locator(".card.acknowledged[aria-pressed=true]")).to_be_visible()
        guard.select_option("select[name=verdict]", "test")
        guard.locator("form.inline", has=guard.locator("select")).locator("button").click()
        expect(guard.locator(".cards .card", has_text=card)).to_have_count(0)
    context.close()


def test_a_walk_test_is_ticked_off_and_a_round_trip_is_told(page: Page, daemon: Daemon) -> None:
    page.click("button[data-view=protection]")
    expect(page.locator(".sum.bad")).to_contain_text("1 of 1")
    page.click("text=Start a walk test")
    expect(page.locator(".strip")).to_contain_text("Walk test is on")
    press(daemon)
    expect(page.locator(".ticks .cut")).to_contain_text("East gate booth")
    expect(page.locator(".ticks .cut")).to_contain_text("would NOT reach the office: no destination takes presses")
    expect(page.locator(".walk")).to_contain_text("1 of 1 pressed")
    expect(page.locator("text=Start a walk test")).to_be_visible()
    page.click("text=Round-trip test")
    expect(page.locator(".tester p")).to_contain_text("Press the button now")
    told = page.locator(".tester p", has_text="NOT passed. It was stored, but no destination takes presses")
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
    page.click(".newdevice summary")
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


def test_a_button_out_of_service_is_asked_for_and_withdrawn(page: Page) -> None:
    page.click("button[data-view=protection]")
    tile = page.locator("li.tile", has_text="East gate booth")
    tile.locator(".service summary").click()
    page.wait_for_timeout(2500)  # over a redraw or two
    tile.locator("input[name=reason]").fill("water in the box")
    tile.locator(".service button").click()
    expect(tile).to_contain_text("another administrator has to confirm within an hour · water in the box")
    tile.get_by_text("Withdraw").click()
    expect(tile).not_to_contain_text("water in the box")
    page.click("button[data-view=board]")


@pytest.mark.restarts_shared_daemon
def test_a_killed_gateway_is_told_and_the_board_is_right_after_it_is_back(page: Page, daemon: Daemon) -> None:
    daemon.kill()
    expect(page.locator(".shell.stale")).to_be_visible(timeout=15000)
    daemon.start()
    expect(page.locator(".shell:not(.stale)")).to_be_visible(timeout=20000)
    press(daemon)
    expect(page.locator(".card.critical.raised").first).to_be_visible()


def test_nothing_broke_the_content_security_policy(page: Page, complaints: list[str]) -> None:
    assert page.locator(".board").is_visible()
    network = ("Failed to load resource", "net::ERR")
    assert [each for each in complaints if not each.startswith(network)] == []
