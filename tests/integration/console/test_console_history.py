"""The history of events on a page that stays open for days."""

from harness.tools import needs
from playwright.sync_api import Page, expect

pytestmark = needs("chromium")


def test_the_oldest_rows_are_let_go_and_can_be_asked_for_again(bare: Page) -> None:
    left = bare.evaluate(
        """async () => {
          const { loadLanguage } = await import('/js/i18n.js');
          await loadLanguage('en');
          const { Events } = await import('/js/views/events.js');
          const view = Object.assign(Object.create(Events.prototype), {
            list: document.createElement('ol'), more: document.createElement('button'), query: {}, newest: 1, oldest: 1,
            incidents: {}, app: { state: { incidents: {} } },
          });
          view.more.hidden = true;
          document.body.replaceChildren(view.list, view.more);
          const tested = { type: 'campus.button.tested', severity: 'info', subject: 'b', data: {} };
          const frame = (position) => ({ position, event: { ...tested, time: '2026-11-23T08:00:00Z' } });
          for (let last = 200; last <= 2600; last += 200) {
            view.update({ events: [...Array(200).keys()].map((n) => frame(last - n)) });
          }
          return { rows: view.list.childElementCount, newest: view.newest, oldest: view.oldest };
        }"""
    )
    assert 1000 <= left["rows"] <= 2000
    assert left["newest"] == 2600
    assert left["oldest"] == left["newest"] - left["rows"] + 1
    expect(bare.locator("button")).to_be_visible()
    expect(bare.locator("li").last).to_contain_text(f"#{left['oldest']}")
