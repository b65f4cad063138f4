"""The console speaks both languages wholly, keeps to its budget, and its colours can be told apart."""

import ast
import json
import re
from pathlib import Path

import pytest

from gateway.api import problems, watchlist
from gateway.events import event_types

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
    "drill.column.": ["place", "opened", "acknowledged", "dispatched", "resolved"],
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
    ],
    "newdevice.": ["id", "name", "place", "topic", "input", "account", "zone", "health_deadline_seconds"],
    "kind.": ["press", "silent", "duress", "test"],
    "walk.": ["start", "end", "on", "last"],
    "device.": ["ok", "lost", "flapping", "unheard"],
    "role.": ["viewer", "guard", "admin", "auditor", "or"],
    "delivery.": ["unreachable", "http", "redirect", "certificate", "endless"],
    "next.": ["confirmed", "rejected", "unsure", "do"],
    "next.step.": ["acknowledge", "dispatch", "resolve", "resolve_false"],
    "evidence.": ["crop", "scene"],
    "evidence.clip.": ["recording", "whole", "cut_short"],
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


def test_every_prefix_that_a_script_builds_on_is_expanded_here() -> None:
    text = "\n".join(path.read_text("utf-8") for path in SCRIPTS)
    assert set(re.findall(r"\bt\(`([^$`]+)\$", text)) <= EXPANSIONS.keys()


def codes_of_problems() -> set[str]:
    """What the sources give as code to a problem or an error, by keyword or for a class; of the table, all."""
    found = {kind[1] for kind in problems._KINDS.values()} | set(watchlist._REMEDIES)
    found |= {f"{state}_already" for state in ["raised", "acknowledged", "dispatched", "resolved", "judged"]}
    for path in sorted((CONSOLE.parent).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
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
