"""The console's pure reducer, run where it lives: in a browser, fed with recorded frames."""

import json
from typing import Any

from harness.tools import needs
from playwright.sync_api import Page

pytestmark = needs("chromium")


def frame(position: int | None, type_: str, severity: str = "critical", /, **data: Any) -> dict[str, Any]:
    event = {
        "id": f"e{position}-{type_}",
        "type": type_,
        "severity": severity,
        "time": "2026-11-23T08:00:00Z",
        "data": data,
    }
    return {"position": position, "event": event}


def run(page: Page, frames: list[dict[str, Any]], ask: str) -> Any:
    script = """
    async ([frames, ask]) => {
      const store = await import('/js/store.js');
      let state = store.initialState();
      state = store.reduce(state, {type: 'link', state: 'live', detail: {}});
      for (const frame of frames) state = store.reduce(state, {type: 'frame', frame});
      return new Function('store', 'state', 'return ' + ask)(store, state);
    }"""
    return page.evaluate(script, [json.loads(json.dumps(frames)), ask])


def test_a_button_that_was_never_heard_is_neither_well_nor_lost(page: Page) -> None:
    devices = [
        {"status": {"lost": False, "last_seen": "2026-11-23T08:00:00Z"}},
        {"status": {"lost": False, "last_seen": None}},
        {"status": {"lost": True, "last_seen": None}},
        {},
    ]
    ask = f"store.protection({{...state, devices: {json.dumps(devices)}}}).devices"
    assert run(page, [], ask) == [1, 2, 1]


OPENED = frame(
    2, "campus.incident.opened", incident="i1", kind="campus.button.pressed", place="East gate", discreet=False
)
ACKNOWLEDGED = frame(3, "campus.incident.acknowledged", incident="i1", actor="wang")


def test_a_press_opens_a_card_and_sounds(page: Page) -> None:
    state = run(page, [frame(1, "campus.button.pressed"), OPENED], "[state.incidents.i1, store.soundOf(state)]")
    assert state[0]["state"] == "raised"
    assert state[0]["place"] == "East gate"
    assert state[1] == "emergency"


def test_an_acknowledged_incident_is_silent_and_says_whose_it_is(page: Page) -> None:
    state = run(page, [OPENED, ACKNOWLEDGED], "[state.incidents.i1, store.soundOf(state)]")
    assert (state[0]["state"], state[0]["owner"], state[1]) == ("acknowledged", "wang", None)


def test_a_further_press_sounds_again(page: Page) -> None:
    again = frame(4, "campus.incident.raised_again", incident="i1", count=2)
    assert run(page, [OPENED, ACKNOWLEDGED, again], "[state.incidents.i1.count, store.soundOf(state)]") == [
        2,
        "emergency",
    ]


def test_a_discreet_press_never_sounds(page: Page) -> None:
    discreet = frame(2, "campus.incident.opened", incident="i1", kind="campus.button.pressed", discreet=True)
    assert run(page, [discreet], "store.soundOf(state)") is None


def test_a_press_that_is_not_stored_yet_is_shown_until_it_is(page: Page) -> None:
    unstored = frame(None, "campus.button.pressed")
    stored = json.loads(json.dumps(unstored)) | {"position": 9}
    assert run(page, [unstored], "[state.unstored.length, store.soundOf(state)]") == [1, "emergency"]
    assert run(page, [unstored, stored], "[state.unstored.length, state.events.length]") == [0, 1]


def test_an_answer_that_an_event_has_overtaken_takes_nothing_back(page: Page) -> None:
    """The answer to an acknowledgement comes behind the event that the button was pressed again: it is raised."""
    again = frame(4, "campus.incident.raised_again", incident="i1", count=2)
    again["event"] |= {"time": "2026-11-23T08:00:59Z", "recordedtime": "2026-11-23T08:00:05Z"}  # its clock is ahead
    answer = {"id": "i1", "state": "acknowledged", "count": 1, "owner": "wang", "updated": "2026-11-23T08:00:04Z"}
    later = answer | {"updated": "2026-11-23T08:00:06.5+00:00", "state": "dispatched", "count": 2}
    ask = f"""[{json.dumps(answer)}, {json.dumps(later)}]
      .map(incident => store.reduce(state, {{type: 'incident', incident}}).incidents.i1)
      .map(each => [each.state, each.count, each.owner])"""
    assert run(page, [OPENED, again], ask) == [["raised", 2, "wang"], ["dispatched", 2, "wang"]]


def test_a_resolved_incident_leaves_the_board(page: Page) -> None:
    resolved = frame(5, "campus.incident.resolved", incident="i1", verdict="genuine", actor="wang")
    assert run(page, [OPENED, ACKNOWLEDGED, resolved], "store.activeIncidents(state).length") == 0


def test_what_comes_new_stands_on_top_and_what_is_handled_keeps_its_order(page: Page) -> None:
    """A silent press has no sound: behind seven older emergencies nobody would see it."""
    moments = [f"2026-11-26T08:00:{second:02}Z" for second in range(4)]
    made = [
        {
            "id": f"{state}-{number}",
            "state": state,
            "severity": "critical",
            "kind": "campus.button.pressed",
            "opened": at,
        }
        for state in ("raised", "acknowledged")
        for number, at in enumerate(moments)
    ]
    incidents = json.dumps({each["id"]: each for each in made})
    assert run(page, [], f"store.activeIncidents({{ incidents: {incidents} }}).map(each => each.id)") == [
        *(f"raised-{number}" for number in (3, 2, 1, 0)),
        *(f"acknowledged-{number}" for number in range(4)),
    ]


def test_what_is_pressed_again_is_new_again(page: Page) -> None:
    frames = [
        frame(number, "campus.incident.opened", incident=f"i{number}", kind="campus.button.pressed", discreet=True)
        for number in (1, 2, 3)
    ]
    again = frame(4, "campus.incident.raised_again", incident="i1", count=2)
    again["event"]["time"] = "2026-11-23T08:00:09Z"
    assert run(page, [*frames, again], "store.activeIncidents(state)[0].id") == "i1"


def test_emergencies_stand_first(page: Page) -> None:
    frames = [
        frame(1, "campus.incident.opened", "high", incident="face", kind="campus.face.matched"),
        frame(2, "campus.incident.opened", "critical", incident="press", kind="campus.button.pressed"),
    ]
    assert run(page, frames, "store.activeIncidents(state).map(each => each.id)") == ["press", "face"]


def test_a_loss_that_is_over_stands_behind_what_waits_for_somebody(page: Page) -> None:
    lost = {"id": "lost", "kind": "campus.camera.lost", "active": False, "severity": "high"}
    face = {"id": "face", "kind": "campus.face.matched", "active": True, "severity": "medium"}
    common = {"state": "raised", "opened": "2026-11-26T08:00:00Z"}
    incidents = json.dumps({each["id"]: each | common for each in (lost, face)})
    assert run(page, [], f"store.activeIncidents({{ incidents: {incidents} }}).map(each => each.id)") == [
        "face",
        "lost",
    ]


def test_the_ticker_stays_bounded(page: Page) -> None:
    frames = [frame(number, "campus.camera.lost", "high") for number in range(1, 400)]
    assert run(page, frames, "[state.events.length, state.events[0].position, state.position]") == [200, 399, 399]


def test_a_note_on_an_incident_of_long_ago_raises_nothing(page: Page) -> None:
    frames = [frame(9, "campus.incident.noted", "info", incident="old", actor="wang", note="seen again")]
    asked = run(page, frames, "[Object.keys(state.incidents), state.events.length, store.soundOf(state)]")
    assert asked == [[], 1, None]


def test_a_console_that_stays_open_forgets_what_ended_long_ago_and_nothing_that_is_open(page: Page) -> None:
    frames = [frame(1, "campus.incident.opened", incident="open", kind="campus.button.pressed")]
    for number in range(400):
        frames.append(frame(2 + 2 * number, "campus.incident.opened", incident=f"i{number}", kind="k"))
        frames.append(frame(3 + 2 * number, "campus.incident.resolved", incident=f"i{number}", actor="wang"))
    kept = run(page, frames, "Object.keys(state.incidents)")
    assert "open" in kept
    assert "i399" in kept
    assert 200 <= len(kept) <= 302


def test_details_are_kept_of_the_last_few(page: Page) -> None:
    ask = """[...Array(50).keys()].reduce((now, n) =>
      store.reduce(now, {type: 'incident', incident: {id: 'i' + n % 30, n}}), state).details"""
    details = run(page, [], ask)
    assert len(details) == 20
    assert details["i19"] == {"id": "i19", "n": 49}


def test_a_silent_incident_that_a_duress_press_joins_is_one_of_duress_and_stays_quiet(page: Page) -> None:
    silent = frame(
        2, "campus.incident.opened", incident="i1", kind="campus.button.pressed", discreet=True, press="silent"
    )
    again = frame(3, "campus.incident.raised_again", incident="i1", count=2, press="duress")
    later = frame(4, "campus.incident.raised_again", incident="i1", count=3, press="silent")
    ask = "[state.incidents.i1.press, store.soundOf(state)]"
    assert run(page, [silent], ask) == ["silent", None]
    assert run(page, [silent, again, later], ask) == ["duress", None]


def test_an_incident_of_a_late_press_has_both_its_times(page: Page) -> None:
    late = {"incident": "i1", "kind": "campus.button.pressed", "arrived": "2026-11-23T09:30:00Z"}
    opened = frame(2, "campus.incident.opened", **late)
    again = frame(3, "campus.incident.raised_again", incident="i1", count=2)
    times = {"pressed": "2026-11-23T08:00:00Z", "arrived": "2026-11-23T09:30:00Z"}
    assert run(page, [opened], "[state.incidents.i1.late, store.soundOf(state)]") == [times, "emergency"]
    assert run(page, [opened, again], "state.incidents.i1.late") == times
    joined = frame(3, "campus.incident.raised_again", count=2, **late)
    assert run(page, [OPENED, joined], "state.incidents.i1.late") == times
    assert run(page, [OPENED, again], "state.incidents.i1.late") is None


def test_a_press_of_a_button_out_of_service_is_shown_and_only_chirps(page: Page) -> None:
    out = {"incident": "i1", "kind": "campus.button.pressed", "out_of_service": True}
    opened = frame(2, "campus.incident.opened", **out)
    ask = "[state.incidents.i1.out_of_service, store.activeIncidents(state).length, store.soundOf(state)]"
    assert run(page, [opened], ask) == [True, 1, "chirp"]
    real = frame(3, "campus.incident.opened", incident="i2", kind="campus.button.pressed")
    assert run(page, [opened, real], "store.soundOf(state)") == "emergency"


def tick(**changed: Any) -> dict[str, Any]:
    event = frame(5, "campus.button.tested", "low", **({"trial": "walk-1", "kind": "press"} | changed))
    event["event"]["recordedtime"] = "2026-11-23T08:00:00Z"
    return event


def hears(page: Page, ticked: dict[str, Any], seconds: int = 1) -> Any:
    state = "{...state, walks: {current: 'walk-1', items: []}}"
    now = f"new Date('2026-11-23T08:00:00Z').getTime() + {seconds * 1000}"
    return run(page, [], f"store.isTick({state}, {json.dumps(ticked)}, {now})")


def test_a_button_that_is_ticked_off_in_a_walk_test_is_heard_once_and_a_silent_one_never(page: Page) -> None:
    assert hears(page, tick()) is True
    assert hears(page, tick(kind=None)) is True, "a button in test position"
    assert [hears(page, tick(kind=kind)) for kind in ("silent", "duress")] == [False, False]
    assert hears(page, tick(trial="another")) is False
    assert hears(page, tick(trial=None)) is False
    assert hears(page, tick(), seconds=60) is False, "told behind its time"
    assert hears(page, frame(6, "campus.button.pressed", trial="walk-1")) is False


def test_a_tick_sounds_one_time_and_never_beside_an_alarm(page: Page) -> None:
    script = """
    async () => {
      const { Sound } = await import('/js/sound.js');
      const heard = [];
      for (const kind of [null, 'chirp', 'drill', 'warning', 'emergency']) {
        const sound = new Sound();
        let tones = [];
        sound.tone = (_frequency, _pattern, _index, volume) => tones.push(volume);
        sound.context = { state: 'running' };
        sound.play(kind);
        tones = [];
        sound.tick();
        sound.play(null);
        heard.push(tones);
      }
      return heard;
    }"""
    assert page.evaluate(script) == [[1, 1], [1, 1], [], [], []]
