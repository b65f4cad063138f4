"""The console speaks both languages wholly, keeps to its budget, and its colours can be told apart."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from gateway.api import problems, watchlist
from gateway.cameras.states import CameraState
from gateway.events import event_types
from gateway.streams.states import LossReason

CONSOLE = Path(__file__).parents[3] / "gateway" / "console"
SCRIPTS = sorted((CONSOLE / "js").rglob("*.js"))
CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in (CONSOLE / "locales").glob("*.json")}
EXPANSIONS = {
    "severity.": ["critical", "high", "medium", "low", "info"],
    "state.": ["raised", "acknowledged", "dispatched", "resolved"],
    "verdict.": ["genuine", "false_alarm", "test", "duplicate"],
    "verify.": ["confirmed", "rejected", "unsure"],
    "match.basis.": ["configured", "factory", "site"],
    "verify.ask.": ["confirmed", "rejected", "unsure"],
    "strip.": ["cameras", "devices", "destinations", "outputs"],
    "strip.bad.": ["cameras", "devices", "destinations"],
    "nav.": ["board", "events", "protection", "drill", "watchlist"],
    "drill.column.": ["place", "button", "opened", "acknowledged", "dispatched", "resolved"],
    "drill.taker.": ["marked", "withheld"],
    "post.": ["name", "place"],
    "key.": ["A", "J", "K", "R", "N", "S", "Y", "X", "U", "Esc", "?"],
    "action.": ["acknowledge", "dispatch", "note", "resolve", "shelve", "unshelve"],
    "signin.": ["username", "password"],
    "watchlist.": ["name", "reason", "authority", "valid_until"],
    "category.": ["wanted", "barred", "threat", "missing"],
    "reach.": [
        "lost",
        "never_heard",
        "flapping",
        "broker_down",
        "not_accepting",
        "storage_failed",
        "no_destination",
        "destinations_failing",
        "battery_low",
        "tampered",
        "clock_wrong",
        "test_due",
        "destinations_unproved",
        "out_of_service",
    ],
    "newdevice.": ["id", "name", "place", "topic", "input", "account", "zone", "health_deadline_seconds"],
    "quiet.": ["silent", "duress"],
    "kind.": ["press", "silent", "duress", "test"],
    "walk.": ["start", "end", "on", "last"],
    "device.": ["ok", "lost", "flapping", "unheard"],
    "role.": ["viewer", "guard", "admin", "auditor", "or"],
    "delivery.": ["unreachable", "http", "redirect", "certificate", "endless", "timeout", "driver"],
    "fault.": ["topic_plain", "topic_of_own", "zone_of_sia", "account_of_sia", "homie_input"],
    "warning.": ["photo_differs"],
    "next.": ["confirmed", "rejected", "unsure", "do"],
    "next.step.": ["acknowledge", "dispatch", "resolve", "resolve_false"],
    "evidence.": ["crop", "scene"],
    "evidence.clip.": ["recording", "whole", "cut_short"],
    "evidence.camera_clip.": ["recording", "whole", "cut_short", "missing"],
    "evidence.clock.": ["ahead", "behind", "right"],
    "evidence.reason.": [
        "credentials_wrong",
        "no_recording",
        "not_playable",
        "not_recorded",
        "unreachable",
        "worker_away",
    ],
}


def used_keys() -> set[str]:
    text = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    literal = set(re.findall(r"\bt\(\"([^\"]+)\"", text))
    return literal | {prefix + each for prefix, endings in EXPANSIONS.items() for each in endings}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_key_that_is_used_has_its_text(language: str) -> None:
    assert not used_keys() - CATALOGUES[language].keys()


def test_both_catalogues_have_the_same_keys_and_places() -> None:
    chinese, english = CATALOGUES["zh-CN"], CATALOGUES["en"]
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


def test_a_number_of_one_has_its_own_words_in_english() -> None:
    """A noun in the plural behind a place would read «1 buttons»; `{count|button|buttons}` chooses."""
    units, verbs = {"bytes", "characters", "press"}, {"holds", "keeps", "leads", "speaks"}
    for key, text in CATALOGUES["en"].items():
        wrong = set(re.findall(r"\{\w+\} ([a-z]+s)\b", text)) - units - verbs - {"is", "was", "has"}
        assert not wrong, (key, text)


def test_every_prefix_that_a_script_builds_on_is_expanded_here() -> None:
    text = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    assert set(re.findall(r"\bt\(`([^$`]+)\$", text)) <= EXPANSIONS.keys()


def codes_of_problems() -> set[str]:
    """What the sources give as code to a problem or an error, by keyword or for a class; of the table, all."""
    found = {kind[1] for kind in problems._KINDS.values()} | set(watchlist._REMEDIES)
    found |= {f"{state}_already" for state in ["raised", "acknowledged", "dispatched", "resolved", "judged"]}
    for _file, node in nodes():
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))) if code:
                found.add(code)
            case ast.ClassDef(name=name, body=body) if name.endswith("Error"):
                found |= {code for each in body if (code := class_code(each))}
    return found


def class_code(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
            return code
    return ""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_of_a_problem_has_its_text(language: str) -> None:
    codes = codes_of_problems()
    assert {"too_many_tries", "in_file", "drill_on", "refused", "blurred"} <= codes, "the search finds codes"
    assert not {f"problem.{code}" for code in codes} - CATALOGUES[language].keys()


def test_every_problem_and_refused_command_that_is_raised_has_a_code() -> None:
    """Of the errors of other rooms only what reaches a console has one; what an interface raises itself always has."""
    bare = []
    for path in [*CONSOLE.parent.joinpath("api").rglob("*.py"), *CONSOLE.parent.joinpath("incidents").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                named = node.exc.func.id in {"Problem", "BadCommandError", "ConflictError"}
                if named and not any(each.arg == "code" for each in node.exc.keywords):
                    bare.append(f"{path.name}:{node.lineno}")
    assert bare == []


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """What the sources are made of, each with its file's name; they are read once."""
    paths = sorted(CONSOLE.parent.rglob("*.py"))
    return [(path.name, node) for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def calls_of(*names: str) -> list[tuple[str, ast.Call]]:
    """The calls in the sources of what goes by one of the names, each with its file's name."""
    calls = [(file, node) for file, node in nodes() if isinstance(node, ast.Call)]
    return [(file, call) for file, call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in names]


def constant(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def causes() -> list[tuple[str, str, set[str]]]:
    """Of each cause that the gateway words: its fault, its reason, and the figures that are sure to be there."""
    found = []
    for _file, call in calls_of("because"):
        fault = constant(call.args[0])
        given = {each.arg for each in call.keywords if each.arg} - {"reason"}
        given |= {"file", "place", "directory"} if any(each.arg is None for each in call.keywords) else set()
        found.append((fault, constant(keyword(call, "reason")) or fault, given))
    return found


def test_every_fault_is_told_with_a_cause_whose_names_can_be_read_here() -> None:
    told = [(file, call) for file, call in calls_of("GatewayFault", "_own_event") if file != "operations.py"]
    assert not [file for file, call in told if keyword(call, "fault") or keyword(call, "detail")]
    for file, call in calls_of("because", "of_error"):
        assert constant(call.args[0]), f"{file}:{call.lineno}"
        assert keyword(call, "reason") is None or constant(keyword(call, "reason")), f"{file}:{call.lineno}"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_fault_and_every_reason_has_its_text(language: str) -> None:
    names = {fault for fault, _reason, _figures in causes()} | {constant(c.args[0]) for _f, c in calls_of("of_error")}
    assert {"bad_payload", "other_site", "sia_bad_frame", "file_damaged"} <= names, "the search finds faults"
    assert not {f"gatewayfault.{name}" for name in names} - CATALOGUES[language].keys()
    told = {constant(keyword(call, "reason")) for _file, call in calls_of("Trouble")} - {""}
    reasons = {reason for _fault, reason, _figures in causes()} | told
    assert {"unknown_zone", "file_damaged_state", "alert"} <= reasons, "the search finds reasons"
    assert not {f"faultdetail.{reason}" for reason in reasons} - CATALOGUES[language].keys()


def test_a_text_of_a_reason_names_only_what_its_cause_gives() -> None:
    for _fault, reason, figures in causes():
        named = set(re.findall(r"\{(\w+)\}", CATALOGUES["zh-CN"][f"faultdetail.{reason}"]))
        assert named <= figures, reason


def test_what_is_wrong_with_a_message_has_a_code() -> None:
    for file, call in calls_of("PayloadError"):
        assert constant(keyword(call, "code")), f"{file}:{call.lineno}"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_wrong_with_a_device_that_is_entered_has_its_text(language: str) -> None:
    names = {constant(call.args[0]) for _file, call in calls_of("PydanticCustomError")}
    assert "topic_plain" in names, "the search finds them"
    assert not {f"fault.{name}" for name in names} - CATALOGUES[language].keys()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_reason_why_a_camera_gives_no_picture_has_its_text(language: str) -> None:
    assert not {f"reason.{each.value}" for each in LossReason} - CATALOGUES[language].keys()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_state_of_a_camera_has_its_text(language: str) -> None:
    assert not {f"camerafault.{each.value}" for each in CameraState} - CATALOGUES[language].keys()


def reasons_of_deliveries() -> set[str]:
    """What begins each word on why a destination did not take an event."""
    said: list[ast.expr | None] = [call.args[1] for _f, call in calls_of("Outcome") if len(call.args) > 1]
    webhook = CONSOLE.parent / "forwarding" / "sinks" / "webhook.py"
    for node in ast.walk(ast.parse(webhook.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "_unreachable":
            said += [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
    first = [each.values[0] if isinstance(each, ast.JoinedStr) else each for each in said]
    return {constant(each) for each in first} - {""}


def test_the_console_knows_every_reason_why_a_destination_did_not_take_an_event() -> None:
    source = (CONSOLE / "js" / "problems.js").read_text("utf-8")
    known = re.findall(r"\[/\^([a-z]+(?: [a-zA-Z]+)*)", source)
    reasons = reasons_of_deliveries()
    assert {"did not answer in time", "cannot be reached"} <= reasons, "the search finds reasons"
    assert [reason for reason in reasons if not any(reason.startswith(each) for each in known)] == []


def test_no_chinese_text_of_a_fault_is_english() -> None:
    for key, text in CATALOGUES["zh-CN"].items():
        if key.startswith(("gatewayfault.", "faultdetail.", "problem.")):
            assert re.search(r"[\u4e00-\u9fff]", text), key


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_event_type_has_words(language: str) -> None:
    assert not {f"type.{name}" for name in event_types()} - CATALOGUES[language].keys()


def test_the_stream_listens_to_every_type() -> None:
    source = (CONSOLE / "js" / "stream.js").read_text("utf-8")
    for name in event_types():
        _campus, family, verb = name.split(".")
        assert f'"{verb}"' in source or f'"{family}.{verb}"' in source, name


def test_no_script_makes_markup_of_text_or_calls_another_host() -> None:
    for path in [*SCRIPTS, CONSOLE / "index.html", CONSOLE / "style.css"]:
        text = path.read_text("utf-8")
        forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        assert not re.search(forbidden, text), path
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), path
        assert not re.search(r"\sstyle=|\son\w+=", text), path


def test_the_scripts_stay_within_their_budget() -> None:
    assert sum(path.stat().st_size for path in SCRIPTS) <= 150_000


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("role", ["text", "muted", "emergency", "high", "notice", "normal", "good"])
def test_the_palette_is_readable_on_a_card(role: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: at least 4.5 : 1."""
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", (CONSOLE / "style.css").read_text("utf-8")))
    assert contrast(colours[role], colours["card"]) >= 4.5
    assert contrast(colours[role], colours["board"]) >= 4.5
