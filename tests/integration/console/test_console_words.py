"""What the views say of an incident, a destination and a person: run where it lives, in a browser."""

from typing import Any

import pytest
from harness.tools import needs
from playwright.sync_api import Page

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
