"""`check-config` refuses what `run` would refuse, and names the remedy."""

import json
from pathlib import Path

import pytest

from gateway import __version__
from gateway.cli.check_config import further_faults
from gateway.cli.main import app
from gateway.errors import ConfigError
from gateway.settings import load_settings

MINIMUM = '[gateway]\nsite = "east"\n'


def further(folder: Path, text: str) -> list[str]:
    (folder / "gateway.toml").write_text(MINIMUM + text, encoding="utf-8")
    return [str(fault) for fault in further_faults(load_settings(folder), "gateway.toml")]


def test_plain_mqtt_for_everybody_is_refused_as_the_endpoint_does(tmp_path: Path) -> None:
    (fault,) = further(tmp_path, "[mqtt]\nhost = '0.0.0.0'\n")
    assert fault.startswith("gateway.toml: mqtt.host: plain MQTT on 0.0.0.0 is refused. Use")


def test_a_slip_in_the_events_of_a_destination_is_told_with_what_was_meant(tmp_path: Path) -> None:
    entry = "[[destinations]]\nid = 'office'\nurl = 'http://127.0.0.1/'\nevents = ['campus.buton.', 'campus.face.']\n"
    (fault,) = further(tmp_path, entry)
    assert "destinations.office.events: no event begins with 'campus.buton.'" in fault
    assert "Did you mean campus.button.?" in fault


def test_an_entry_has_one_name_in_all_its_faults_the_one_of_the_file(tmp_path: Path) -> None:
    entry = "[[destinations]]\nid = 'the office'\nurl = 'http://127.0.0.1/'\nevents = ['campus.buton.']\n"
    device = "[[devices]]\nid = 'btn 01'\nlinked_cameras = ['cam-77']\n"
    (tmp_path / "gateway.toml").write_text(MINIMUM + entry + device, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        app(["check-config", "--config", str(tmp_path)], standalone_mode=False)
    assert sorted(fault.key for fault in refused.value.faults) == [
        "destinations.the office.events",
        "destinations.the office.id",
        "devices.btn 01.id",
        "devices.btn 01.linked_cameras",
    ]


def test_a_file_that_this_user_cannot_find_is_told(tmp_path: Path) -> None:
    (fault,) = further(tmp_path, f"[storage]\nkey_file = '{tmp_path / 'none'}'\n")
    assert "storage.key_file: there is no file" in fault


def test_a_directory_or_pipe_is_told_as_what_it_is(tmp_path: Path) -> None:
    (fault,) = further(tmp_path, f"[storage]\nkey_file = '{tmp_path}'\n")
    assert f"storage.key_file: {tmp_path} is no file but a directory, pipe or device" in fault


def test_a_master_key_that_is_none_is_told_with_how_one_is_made(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("garbage\n")
    key.chmod(0o400)
    storage = f"[storage]\nkey_file = '{key}'\ndirectory = '{tmp_path / 'state'}'\n"
    (fault,) = further(tmp_path, storage)
    assert "storage.key_file: " in fault
    assert "openssl rand -base64 32" in fault


def test_the_file_may_be_named_for_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gateway.toml").write_text(MINIMUM, encoding="utf-8")
    app(["check-config", "--config", str(tmp_path / "gateway.toml")], standalone_mode=False)
    assert f"{tmp_path / 'gateway.toml'}: correct" in capsys.readouterr().out


def test_another_file_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(MINIMUM, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Name the folder that holds gateway\.toml"):
        app(["check-config", "--config", str(tmp_path / "other.toml")], standalone_mode=False)


@pytest.mark.parametrize(("text", "faults", "code"), [("", [], 0), ("[api]\nprot = 1\n", ["api.prot"], 2)])
def test_for_programs_it_prints_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, faults: list[str], code: int
) -> None:
    (tmp_path / "gateway.toml").write_text(MINIMUM + text, encoding="utf-8")
    assert app(["check-config", "--json", "--config", str(tmp_path)], standalone_mode=False) == code
    said = json.loads(capsys.readouterr().out)
    assert said["correct"] == (not faults)
    assert [each["key"] for each in said["faults"]] == faults


@pytest.mark.parametrize(
    "group",
    [[], ["doctor"], ["watchlist"], ["user"], ["token"], ["audit"], ["ca"], ["models"], ["cameras"], ["matching"]],
)
def test_no_line_of_the_list_of_commands_is_cut(capsys: pytest.CaptureFixture[str], group: list[str]) -> None:
    app([*group, "--help"], standalone_mode=False)
    commands = capsys.readouterr().out.partition("Commands:")[2]
    assert commands
    assert "..." not in commands


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    app(["--version"], standalone_mode=False)
    assert capsys.readouterr().out.strip() == __version__


def test_faults_of_files_are_told_beside_those_of_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "[api]\nprot = 1\n[[destinations]]\nid = 'office'\nurl = 'http://127.0.0.1/'\nsecret_file = 'none'\n"
    text += "events = ['campus.buton.']\n[[cameras]]\nid = 'c'\nurl = 'file:///none.mp4'\npassword_file = 5\n"
    (tmp_path / "gateway.toml").write_text(MINIMUM + text, encoding="utf-8")
    assert app(["check-config", "--json", "--config", str(tmp_path)], standalone_mode=False) == 2
    assert [each["key"] for each in json.loads(capsys.readouterr().out)["faults"]] == [
        "api.prot",
        "cameras.c.password_file",
        "destinations.office.secret_file",
        "cameras.c.url",
        "destinations.office.events",
    ]
