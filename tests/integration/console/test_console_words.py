"""What the views say of an incident, a destination and a person: run where it lives, in a browser."""

import re
from typing import Any

import pytest
from harness.tools import needs
from playwright.sync_api import Page, expect

pytestmark = needs("chromium")
BOTH = pytest.mark.parametrize("language", ["zh-CN", "en"])


def said(page: Page, language: str, module: str, ask: str, value: Any) -> Any:
    """What the expression `ask` gives for `module` and `value` once the language is loaded."""
    script = """
    async ([language, module, ask, value]) => {
      const i18n = await import('/js/i18n.js');
      await i18n.loadLanguage(language);
      return new Function('module', 'value', 'return ' + ask)(await import(module), value);
    }"""
    return page.evaluate(script, [language, module, ask, value])


@BOTH
def test_an_incident_that_was_taken_and_is_raised_again_asks_for_a_new_acknowledgement(
    page: Page, language: str
) -> None:
    words = {
        "zh-CN": "王五 曾接警，现须重新接警",
        "en": "王五 had taken it: to be taken again",
    }
    raised = {"state": "raised", "owner": "王五"}
    assert said(page, language, "/js/views/common.js", "module.stateText(value)", raised) == words[language]


@pytest.mark.parametrize(("state", "owner", "words"), [("raised", "", "未接警"), ("acknowledged", "王五", "已接警")])
def test_any_other_incident_says_its_state(page: Page, state: str, owner: str, words: str) -> None:
    incident = {"state": state, "owner": owner}
    assert said(page, "zh-CN", "/js/views/common.js", "module.stateText(value)", incident) == words


@pytest.mark.parametrize(("state", "shown"), [("raised", False), ("acknowledged", True), ("dispatched", True)])
def test_only_who_has_it_in_hand_now_is_named_as_such(page: Page, state: str, shown: bool) -> None:
    ask = "module.IncidentPane.prototype.whose.call({resolver: () => ''}, value)"
    words = said(page, "zh-CN", "/js/views/incident.js", ask, {"state": state, "owner": "王五"})
    assert ("处置中" in words) is shown


@BOTH
def test_the_end_of_an_entry_has_its_date_also_today(page: Page, language: str) -> None:
    ask = "[module.dated(value), new Date(value).getFullYear(), new Date(value).getDate()]"
    words, year, day = said(page, language, "/js/i18n.js", ask, page.evaluate("new Date().toISOString()"))
    assert str(year) in words
    assert str(day) in words


ERROR = {"last_error": "did not answer in time", "last_error_at": "2026-11-23T08:00:00Z"}


@pytest.mark.parametrize(
    ("status", "past"),
    [
        ({"state": "ok", "last_success": "2026-11-23T08:00:01Z"}, True),
        ({"state": "failing", "last_success": "2026-11-23T08:00:01Z"}, False),
        ({"state": "ok", "last_success": "2026-11-23T07:59:59Z"}, False),
        ({"state": "new", "last_success": None}, False),
    ],
)
def test_an_error_that_a_delivery_followed_is_told_as_past(page: Page, status: dict[str, Any], past: bool) -> None:
    words = said(page, "en", "/js/views/protection.js", "module.errorText(value)", ERROR | status)
    assert ("delivered again since" in words) is past


def test_a_destination_without_an_error_tells_none(page: Page) -> None:
    status = {"state": "ok", "last_error": "", "last_error_at": None, "last_success": "2026-11-23T08:00:01Z"}
    assert said(page, "en", "/js/views/protection.js", "module.errorText(value)", status) == ""


@BOTH
def test_half_past_midnight_is_no_hour_24(page: Page, language: str) -> None:
    ask = "[module.clock(new Date(value)), module.moment(value, new Date(value).getTime())]"
    assert said(page, language, "/js/i18n.js", ask, "2026-11-26T00:30:05") == ["00:30:05", "00:30:05"]


PRESSES = {
    "zh-CN": {"press": "一键报警", "silent": "无声报警", "duress": "胁迫报警"},
    "en": {"press": "One-key alarm", "silent": "Silent alarm", "duress": "Duress alarm: under threat"},
}


@BOTH
@pytest.mark.parametrize("kind", ["press", "silent", "duress"])
def test_a_press_says_in_card_and_row_how_it_was_made(bare: Page, language: str, kind: str) -> None:
    words = PRESSES[language][kind]
    incident = {"kind": "campus.button.pressed", "press": kind, "discreet": kind != "press"}
    assert said(bare, language, "/js/views/common.js", "module.incidentText(value)", incident) == words
    event = {"type": "campus.button.pressed", "severity": "critical", "subject": "b", "data": {"kind": kind}}
    frame = {"position": 1, "event": event | {"time": "2026-11-26T00:30:05Z"}}
    ask = "module.eventRow(value).querySelector('.what').textContent"
    assert said(bare, language, "/js/views/common.js", ask, frame) == words


def test_an_incident_of_an_earlier_version_is_called_as_before(page: Page) -> None:
    incident = {"kind": "campus.button.pressed", "discreet": True}
    assert said(page, "zh-CN", "/js/views/common.js", "module.incidentText(value)", incident) == "一键报警"


def row(page: Page, type_: str, subject: str, **data: Any) -> str:
    event = {"type": type_, "severity": "info", "subject": subject, "data": data, "time": "2026-11-26T00:30:05Z"}
    ask = "module.eventRow(value).querySelector('.where').textContent"
    return str(said(page, "zh-CN", "/js/views/common.js", ask, {"position": 1, "event": event}))


@pytest.mark.parametrize(
    ("type_", "subject"),
    [
        ("campus.drill.started", "drill"),
        ("campus.gateway.started", "gateway"),
        ("campus.walktest.started", "gateway"),
        ("campus.flood.started", "flood"),
        ("campus.gateway.fault", "gateway"),
    ],
)
def test_what_the_gateway_tells_of_itself_has_no_place_of_an_english_name(bare: Page, type_: str, subject: str) -> None:
    assert row(bare, type_, subject) == ""


def test_any_other_subject_is_where_it_was(bare: Page) -> None:
    assert row(bare, "campus.camera.lost", "cam-01") == "cam-01"
    assert row(bare, "campus.button.tested", "btn-01", place="东门", name="岗亭") == "岗亭 · 东门"


def test_an_incident_of_the_gateway_itself_stands_there_by_its_word(bare: Page) -> None:
    incident = {"place": "gateway", "title": "gateway", "source": "/site/east"}
    where = said(bare, "zh-CN", "/js/views/common.js", "module.incidentWhere(value)", incident)
    assert where == {"place": "网关", "name": ""}
    assert row(bare, "campus.incident.opened", "i1", incident="i1", place="gateway", title="gateway") == "网关"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("press", "测试"), ("test", "测试"), ("", "测试"), ("silent", "测试 · 无声报警"), ("duress", "测试 · 胁迫报警")],
)
def test_a_press_of_a_walk_is_called_a_test(page: Page, kind: str, words: str) -> None:
    assert said(page, "zh-CN", "/js/views/walktest.js", "module.tickText(value)", {"kind": kind}) == words


@BOTH
def test_where_there_is_no_picture_that_is_said(bare: Page, language: str) -> None:
    words = {"zh-CN": "没有画面", "en": "No picture"}[language]
    bare.route("**/snapshot*", lambda route: route.fulfill(status=404, body=""))
    ask = "document.body.replaceChildren(module.picture('/snapshot?1', value))"
    said(bare, language, "/js/views/common.js", ask, "摄像机 东门")
    expect(bare.locator(".nopicture")).to_have_text(words)
    expect(bare.locator("img")).to_have_count(0)


DAY = {"camera": "gate", "name": "东门", "well": False, "losses": 2, "seconds_without_picture": 5400, "lost": True,
       "faults": {"clock_off": 2}, "tampered": {"dark": 1}, "clock_offset_seconds": -61.3}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", "断线 2 次，90 分钟 · 日终仍无画面 · 故障 2 次 · 遮挡/移位等 1 次 · 时钟偏差 -61 秒"),
        (
            "en",
            "2 losses, 90 min · no picture at the end of the day · 2 faults · 1 × covered, turned or the like"
            " · its clock is off by -61 s",
        ),
    ],
)
def test_what_was_wrong_with_a_camera_on_a_day_is_said_in_words(page: Page, language: str, words: str) -> None:
    assert said(page, language, "/js/views/common.js", "module.cameraDayText(value)", DAY) == words


def _row(bare: Page, language: str, kind: str, data: dict[str, Any]) -> str:
    event = {"type": f"campus.camera.{kind}", "severity": "info", "time": "2026-11-27T00:01:00Z", "subject": "gateway"}
    frame = {"position": 7, "event": event | {"data": data}}
    text = said(bare, language, "/js/views/common.js", "module.eventRow(value).textContent", frame)
    assert isinstance(text, str)
    return text


def test_the_daily_report_of_cameras_is_a_line_that_names_who_was_not_well(bare: Page) -> None:
    well = {"camera": "back", "well": True, "losses": 0, "seconds_without_picture": 0}
    told = _row(bare, "zh-CN", "reported", {"day": "2026-11-26", "complete": True, "cameras": [DAY, well]})
    assert "摄像机日报" in told
    assert "2026-11-26：2 台摄像机，1 台全天正常；断线 2 次，无画面共 90 分钟" in told
    assert "东门" in told
    assert "back" not in told


def test_a_fault_of_a_camera_is_said_with_its_figures(bare: Page) -> None:
    told = _row(bare, "en", "fault", {"state": "certificate_ends", "figures": {"date": "2026-12-28", "days": 30}})
    assert "its TLS certificate ends on 2026-12-28 (days left: 30)" in told
    assert "is well again" in _row(bare, "en", "fault", {"state": "ok"})
    assert "Look." in _row(bare, "en", "fault", {"state": "of a newer gateway", "remedy": "Look."})


LATE = {
    "zh-CN": r"迟到：.*08:00:00 按下，.*09:30:00 到达",
    "en": r"late: pressed .*08:00:00, arrived .*09:30:00",
}


@BOTH
def test_a_late_press_has_both_times_on_the_card_and_in_the_timeline(bare: Page, language: str) -> None:
    incident = {"late": {"pressed": "2025-11-23T08:00:00", "arrived": "2025-11-23T09:30:00"}}
    ask = "module.badges(value, {}).querySelector('.late').textContent"
    assert re.fullmatch(LATE[language], str(said(bare, language, "/js/views/common.js", ask, incident)))
    event = {
        "type": "campus.button.pressed",
        "time": "2025-11-23T08:00:00",
        "recordedtime": "2025-11-23T09:30:00",
        "data": {"late": True},
    }
    ask = "module.IncidentPane.prototype.step({event: value}).textContent"
    assert re.search(LATE[language], str(said(bare, language, "/js/views/incident.js", ask, event)))


def test_an_incident_of_a_press_that_came_at_once_says_nothing_of_it(bare: Page) -> None:
    ask = "module.badges(value, {first: ''})"
    assert said(bare, "en", "/js/views/common.js", ask, {"late": None}) is False


ASKED = {"device": "b", "confirmed": False, "asked_by": "li", "seconds": 28800, "reason": "water", "until": None}
OUT = ASKED | {"confirmed": True, "confirmed_by": "wang", "until": "2025-11-23T08:00:00"}


@BOTH
def test_who_took_a_button_out_of_service_until_when_and_why_is_said(bare: Page, language: str) -> None:
    ask = "module.serviceLine(value).textContent"
    asked, out = (str(said(bare, language, "/js/views/service.js", ask, each)) for each in (ASKED, OUT))
    assert all(each in asked for each in ("li", "8", "water"))
    assert all(each in out for each in ("li", "wang", "2025", "water"))
    badge = {"zh-CN": "按钮已停用", "en": "button out of service"}[language]
    ask = "module.badges(value, {first: ''}).textContent"
    assert said(bare, language, "/js/views/common.js", ask, {"out_of_service": True}) == badge


@pytest.mark.parametrize(
    ("service", "me", "words"),
    [
        (ASKED, "li", ["撤回申请"]),
        (ASKED, "wang", ["确认停用", "撤回申请"]),
        (OUT, "li", ["恢复使用"]),
        (None, "li", ["停用…"]),
    ],
)
def test_who_asked_cannot_confirm(bare: Page, service: dict[str, Any] | None, me: str, words: list[str]) -> None:
    ask = """[...module.serviceButtons({state: {me: {username: value[1]}}}, {id: 'b', service: value[0]})
      .querySelectorAll('button')].map((each) => each.textContent)"""
    assert said(bare, "zh-CN", "/js/views/service.js", ask, [service, me]) == words


def test_a_drills_press_that_nobody_resolved_ended_with_the_drill(page: Page) -> None:
    steps = [{"seconds": 65.2, "by": ""}, {"seconds": 4, "by": "王五"}, None]
    told = said(page, "zh-CN", "/js/views/drill.js", "value.map(module.stepText)", steps)
    assert told == ["1:05 随演练结束", "0:04 王五", "–"]


def test_a_tick_says_whether_a_press_would_reach_the_office(page: Page) -> None:
    cut = {"reaches": False, "reasons": ["no_destination"], "warnings": []}
    doubtful = {"reaches": True, "reasons": [], "warnings": ["destinations_unproved"]}
    told = said(page, "zh-CN", "/js/views/walktest.js", "value.map(module.reachText)", [cut, doubtful, None])
    assert told == ["现在按下送不到保卫处：没有接收报警的上报目标", "现在按下可送达 · 上报尚未验证", ""]


THRESHOLD = {
    "people": 2, "passages_per_day": 2000, "passages_counted": False, "faces_seen": 0, "faces_missing": 900,
    "basis": "factory", "estimate": "factory model", "cameras": [],
    "in_use": {"threshold": 0.4, "false_warnings_per_day": 0.1, "fewer_than_one_a_month": False, "at_most": 0.2,
               "missed": 0.002, "extrapolated_decades": 0},
}  # fmt: skip


@pytest.mark.parametrize(("counted", "assumed"), [(False, True), (True, False)])
def test_what_may_be_missed_and_how_many_pass_is_said_with_its_conditions(
    page: Page, *, counted: bool, assumed: bool
) -> None:
    told = THRESHOLD | {"passages_counted": counted}
    text = said(page, "zh-CN", "/js/views/threshold.js", "module.thresholdText(value)", told)
    assert "参与比对的名单人员 2 人" in text
    assert "正面、光线良好且人脸不小于 40 像素时，约 0.2 % 的名单人员经过可能漏报" in text
    assert ("2000 张陌生人脸（假设值，本校尚未统计）" in text) is assumed
    assert "。 " not in text


def test_sentences_are_joined_as_their_language_does(page: Page) -> None:
    told = said(page, "zh-CN", "/js/i18n.js", "value.map(module.sentences)", [["甲。", "", "乙。"], ["One.", "Two."]])
    assert told == ["甲。乙。", "One. Two."]


def test_a_fault_of_a_device_calls_it_by_its_name(bare: Page) -> None:
    data = {"fault": "clock_wrong", "device": "btn-01"}
    event = {"id": "f", "time": "2026-11-27T00:00:00Z", "severity": "medium", "type": "campus.gateway.fault"}
    frame = {"position": 1, "event": event | {"subject": "gateway", "data": data}}
    ask = "module.eventRow(value, {}, [{ id: 'btn-01', name: '东门岗亭', place: '东门' }]).textContent"
    text = said(bare, "zh-CN", "/js/views/common.js", ask, frame)
    assert text.count("东门岗亭") == 2
    assert "btn-01" not in text


BOARD = """
async () => {
  const { loadLanguage } = await import('/js/i18n.js');
  await loadLanguage('zh-CN');
  const { initialState, reduce } = await import('/js/store.js');
  const { Board } = await import('/js/views/board.js');
  const opened = '2026-11-27T00:00:00Z';
  const warning = (id) => ({ id, kind: 'campus.face.matched', state: 'raised', severity: 'high', source: '/c',
    title: '东门', place: '东门', opened, updated: opened, count: 1, level: 0, active: true, hidden: 0, group: false });
  const asked = [];
  const app = { state: { ...initialState(), me: { role: 'guard' } }, select: () => null,
    fetchIncident: (id) => asked.push(id) };
  app.state = reduce(app.state, { type: 'incidents', items: ['a', 'b'].map(warning) });
  const board = new Board(app);
  for (const now of [10000, 11000]) board.tick(now);
  for (const [id, name] of [['a', '张三'], ['b', undefined]])
    app.state = reduce(app.state, { type: 'incident', incident: { ...warning(id), match: { person: id, name },
      evidence: [{ id: 'crop ' + id, kind: 'crop' }] } });
  board.update(app.state);
  board.tick(20000);
  return { asked, more: board.more.textContent, cards: [...board.cards.children].map((card) =>
    [card.querySelector('.who')?.textContent, card.querySelector('img')?.getAttribute('src').split('/').at(-1)]) };
}"""


def test_two_people_at_one_camera_are_told_apart_on_their_cards(bare: Page) -> None:
    told = bare.evaluate(BOARD)
    assert sorted(told["asked"]) == ["a", "b"], "each once, until it is told"
    assert sorted(told["cards"]) == [["", "crop%20b"], ["张三", "crop%20a"]]
    assert told["more"] == "还有 0 条"
