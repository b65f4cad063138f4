"""Configuration: the shipped example is right, every fault is named with its key and remedy."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.settings import Settings, load_settings

EXAMPLE = Path(__file__).parents[3] / "config"
MINIMUM = '[gateway]\nsite = "east"\n'


def load(folder: Path, text: str, **options: object) -> Settings:
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    return load_settings(folder, **options)  # type: ignore[arg-type]  # the tests pass what the function takes


def faults(folder: Path, text: str, **options: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **options)
    return [str(fault) for fault in caught.value.faults]


def test_the_shipped_example_loads() -> None:
    settings = load_settings(EXAMPLE)
    assert settings.gateway.site == "east-campus"
    assert settings.devices[0].linked_cameras == ("cam-01",)


def test_each_commented_key_of_the_example_exists(tmp_path: Path) -> None:
    text = (EXAMPLE / "gateway.toml").read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        key, equals, _value = bare.partition(" = ")
        uncomment = line.startswith("# ") and equals and key.isidentifier() and "# example" not in bare
        lines.append(bare if uncomment and key not in {"url", "id", "kind", "secret_file", "events"} else line)
    text = "\n".join(lines).replace('minimum_severity = "info"', "").replace('mode = "external"', 'mode = "embedded"')
    key_files = [line for line in lines if line.startswith("password_file")]
    assert key_files, "the example explains password_file"
    assert load(tmp_path, text.replace(key_files[0], "", 1)).matching.warnings_per_day == 1


def test_the_examples_of_the_mqtt_endpoint_are_taken_as_they_stand(tmp_path: Path) -> None:
    text = (EXAMPLE / "gateway.toml").read_text(encoding="utf-8")
    part = text[text.index("# [mqtt.tls]") : text.index("[api]")]
    lines = [line.removeprefix("#").strip() for line in part.splitlines()]
    settings = load(tmp_path, MINIMUM + "[mqtt]\n" + "\n".join(lines)).mqtt
    assert settings.tls is not None
    assert settings.tls.require_certificate
    assert (settings.users[0].name, settings.access[0].users) == ("btn-07", ("zigbee",))
    assert settings.networks[0].max_connections_per_address == 4
    assert settings.brokers[0].share_group == "gateways"


def test_the_environment_overrides_the_file_and_set_overrides_both(tmp_path: Path) -> None:
    text = MINIMUM + '[api]\nport = 1\nhost = "127.0.0.1"\n'
    environment = {"GATEWAY_API__PORT": "2", "GATEWAY_API__TLS": "off", "PATH": "x", "GATEWAY_UNRELATED": "y"}
    settings = load(tmp_path, text, overrides=["api.port=3", "mqtt.host=::1"], environment=environment)
    assert (settings.api.port, settings.api.tls, settings.mqtt.host) == (3, "off", "::1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["gateway: is missing", "Add it"]),
        ("[gateway]\nsite = 'e'\nfoo = 1\n", ["gateway.foo: there is no such key", "Known here: site"]),
        ("[gateway]\nsite = 'ä'\n", ["gateway.site: has not the right form", "1 to 64 of A-Z"]),
        (MINIMUM + "[api]\nhost = '0.0.0.0'\ntls = 'off'\n", ["api", "loopback"]),
        (MINIMUM + "[[mqtt.access]]\ntopic = 'a/b#'\n", ["mqtt.access.0", "wildcard"]),
        (MINIMUM + "[[mqtt.brokers]]\nurl = 'mqtt://b'\nshare_group = 'g'\n", ["mqtt.brokers.0", "client_id"]),
        (MINIMUM + "[[mqtt.users]]\nname = 'a/b'\npassword_hash = 'x'\n", ["mqtt.users.0.name", "password_hash"]),
        (MINIMUM + "[mqtt]\nmode = 'external'\n", ["mqtt", 'such as "mqtts://broker.school.example:8883"']),
        (MINIMUM + "[mqtt]\nhost = '999.1.1.1'\n", ["mqtt.host", "no address", "127.0.0.1"]),
        (MINIMUM + "[mqtt]\nprot = 1\n", ["mqtt.prot", "Did you mean port?"]),
        (MINIMUM + "[api]\nport = 1883\n", ["api.port", "mqtt.port is 1883, too"]),
        (MINIMUM + "[api]\nport = 1883\nhost = '0.0.0.0'\n", ["api.port", "mqtt.port is 1883, too"]),
        (MINIMUM + "[sia]\nport = 8443\n", ["sia.port", "api.port is 8443, too"]),
        (
            MINIMUM + "[mqtt.tls]\nhost = '0.0.0.0'\nport = 1883\ncertificate_file = 'c'\nkey_file = 'k'\n",
            ["mqtt.tls.port", "mqtt.port is 1883, too"],
        ),
        (MINIMUM + "[matching]\nthreshold = 0.7\n", ["matching.threshold", "less than or equal to 0.6"]),
        (MINIMUM + "[[cameras]]\nid = 'c'\nurl = 'http://x'\n", ["cameras.c.url", "Write onvif://host"]),
        (MINIMUM + "[[cameras]]\nid = 'c'\nurl = 'rtsp://u:geheim@x/y'\n", ["cameras.c", "password_file"]),
        (MINIMUM + "[[devices]]\nid = 'b'\n[[devices]]\nid = 'b'\n", ["devices.b.id", "more than once"]),
        (MINIMUM + "[[devices]]\nid = 'b'\nlinked_cameras = ['c']\n", ["no camera 'c'"]),
        (MINIMUM + "[[devices]]\nid = 'b'\nlooks = {c = '2'}\n", ["devices.b.looks", "no camera 'c'"]),
        ("[gateway\n", ["not TOML", "line 1"]),
        ("site = 1\n", ["site", "Known here"]),
    ],
)
def test_a_fault_names_file_key_and_remedy(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = "\n".join(faults(tmp_path, text))
    assert "gateway.toml" in found
    for part in expected:
        assert part in found
    assert "geheim" not in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[cameras]\nid = 'cam-01'\n",
            "cameras: is one section, and there may be several. Write [[cameras]] in double",
        ),
        ("[api]\nport = 'abc'\n", "api.port: it should be a valid integer. Write a number without quotes"),
        ("[mqtt]\nallow_anonymous = 'maybe'\n", "it should be a valid boolean. Write true or false without quotes."),
    ],
)
def test_a_value_of_another_kind_is_told_with_how_to_write_it(tmp_path: Path, text: str, told: str) -> None:
    (fault,) = faults(tmp_path, MINIMUM + text)
    assert told in fault


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = MINIMUM + "[mqtt]\nport = 'x'\n[api]\nwrong = 1\n"
    assert len(faults(tmp_path, text, environment={"GATEWAY_STORAGE__RESERVE_MEGABYTES": "0"})) == 3


def test_the_origin_of_an_override_is_named(tmp_path: Path) -> None:
    assert "--set" in faults(tmp_path, MINIMUM, overrides=["mqtt.port=abc"])[0]
    assert "environment GATEWAY_MQTT__PORT" in faults(tmp_path, MINIMUM, environment={"GATEWAY_MQTT__PORT": "-1"})[0]
    assert "no '='" in faults(tmp_path, MINIMUM, overrides=["mqtt.port"])[0]
    assert "no section" in faults(tmp_path, MINIMUM, overrides=["gateway.site.x=1"])[0]


def test_a_fault_is_said_once_and_without_filler(tmp_path: Path) -> None:
    site, address = faults(tmp_path, "[gateway]\nsite = 'e e'\n[[cameras]]\nid = 'cam-01'\nurl = 'http://x'\n")
    assert site.endswith("gateway.site: has not the right form. Use 1 to 64 of A-Z a-z 0-9 _ -.")
    assert address.count("rtsp") == 1
    (both,) = faults(
        tmp_path, MINIMUM + "[[cameras]]\nid = 'c'\nurl = 'rtsp://x/'\npassword = 'p'\npassword_file = 'f'\n"
    )
    assert both.endswith("cameras.c: give password or password_file, not both.")


def test_each_form_that_is_asked_for_has_its_words(tmp_path: Path) -> None:
    wrong = """
[gateway]
site = "e e"
[api]
host = "a b"
[mqtt]
url = "x://y"
[[cameras]]
id = "c"
url = "x://y"
sub_url = "x://y"
[[destinations]]
id = "d"
url = "x://y"
"""
    found = faults(tmp_path, wrong)
    assert len(found) == 6
    assert not [each for each in found if "must match" in each]


def test_a_file_of_windows_with_its_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_bytes(b"\xef\xbb\xbf" + MINIMUM.replace("\n", "\r\n").encode())
    assert load_settings(tmp_path).gateway.site == "east"


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_settings(tmp_path)
    (tmp_path / "gateway.toml").mkdir()
    with pytest.raises(ConfigError, match="readable file"):
        load_settings(tmp_path)
    (tmp_path / "gateway.toml").rmdir()
    (tmp_path / "gateway.toml").write_bytes(b"[gateway]\nsite = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[storage]\ndirectory = 'a\\u0000'\n".replace("'", '"'), "storage.directory"),
        ("[storage]\nreserve_megabytes = 99999999999999999999\n", "storage.reserve_megabytes"),
        ("[api]\nnames = ['学校']\n", "api.names.0"),
        ("[api]\nhost = ''\n", "api.host"),
        ("[api]\nsession_hours = 1e20\n", "api.session_hours"),
        ("[mqtt]\nmode = 'external'\nurl = 'http://x'\n", "mqtt.url"),
        ("[mqtt]\nmode = 'external'\nurl = 'mqtt://['\n", "mqtt.url"),
        ("[[mqtt.brokers]]\nurl = 'mqtt://x:99999'\n", "mqtt.brokers.0.url"),
        ("[[devices]]\nid = 'b'\nhealth_deadline_seconds = inf\n", "devices.b.health_deadline_seconds"),
        ("[[devices]]\nid = 'b'\nname = '" + "x" * 201 + "'\n", "devices.b.name"),
        ("[[cameras]]\nid = 'c'\nurl = 'rtsp://['\n", "cameras.c.url"),
        ("[[destinations]]\nid = 'd'\nurl = 'http://x:99999/'\n", "destinations.d.url"),
        ("[evidence]\nconfirmed_days = 1e20\n", "evidence.confirmed_days"),
        ("[forwarding]\nretry_seconds = []\n", "forwarding.retry_seconds"),
        ("[api]\nport = " + "9" * 5000 + "\n", "not TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("[" + ".".join("a" * 3000) + "]\n", "nested too deeply"),
    ],
)
def test_what_would_end_a_running_gateway_is_a_fault_of_the_configuration(tmp_path: Path, text: str, key: str) -> None:
    assert f"gateway.toml: {key}" in "\n".join(faults(tmp_path, MINIMUM + text))


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, "\0"])
def test_an_override_of_no_toml_is_a_fault(tmp_path: Path, value: str) -> None:
    assert faults(tmp_path, MINIMUM, overrides=[f"api.port={value}"])
    assert faults(tmp_path, MINIMUM, environment={"GATEWAY_API__PORT": value})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[mqtt]\nport = '1883'\n", "mqtt.port"),
        ("[mqtt]\nallow_anonymous = 'yes'\n", "mqtt.allow_anonymous"),
        ("[mqtt]\nallow_anonymous = 1\n", "mqtt.allow_anonymous"),
        ("[api]\nport = true\n", "api.port"),
        ("[api]\nsession_hours = '24'\n", "api.session_hours"),
        ("[[devices]]\nid = 'b'\nname = 2026-11-26\n", "devices.b.name"),
    ],
)
def test_text_is_no_number_and_a_number_is_no_choice(tmp_path: Path, text: str, key: str) -> None:
    (fault,) = faults(tmp_path, MINIMUM + text)
    assert f"gateway.toml: {key}: it should be a valid" in fault


def test_of_a_whole_number_a_point_is_no_fault_where_a_fraction_may_stand(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMUM + "[api]\nsession_hours = 8\n").api.session_hours == 8.0


WRONG_IN_MANY_WAYS = """
[gateway]
site = "two words"
[mqtt]
port = "1883"
mode = "external"
[[mqtt.brokers]]
url = "mqtt://first"
receive_maximum = 0
[[mqtt.brokers]]
url = "mqtt://second"
share_group = "g"
[[devices]]
id = "button"
dialect = "unheard"
linked_cameras = ["nowhere", "faulty"]
health_deadline_seconds = "x"
[[devices]]
id = "twice"
[[devices]]
id = "twice"
nmae = "a"
[[cameras]]
id = "faulty"
url = "x://"
[[cameras]]
url = "rtsp://unnamed/"
"""


def test_what_one_fault_would_hide_is_told_beside_it(tmp_path: Path) -> None:
    keys = sorted(
        each.partition("gateway.toml: ")[2].partition(": ")[0] for each in faults(tmp_path, WRONG_IN_MANY_WAYS)
    )
    assert keys == [
        "cameras.1.id",
        "cameras.faulty.url",
        "devices.button.dialect",
        "devices.button.health_deadline_seconds",
        "devices.button.linked_cameras",
        "devices.twice.id",
        "devices.twice.nmae",
        "gateway.site",
        "mqtt",
        "mqtt.brokers.0.receive_maximum",
        "mqtt.brokers.1",
        "mqtt.port",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[mqtt]\nmode = 'external'\nurl = 5\n",
        "[[mqtt.brokers]]\nurl = 'mqtt://b'\ncertificate_file = 'c'\nkey_file = 5\n",
        "[[mqtt.brokers]]\nurl = 'mqtt://b'\nshare_group = 'g'\nclient_id = 5\n",
        "[matching]\nthreshold = 2.0\nsmall_face_threshold = 0.4\n",
        "[[outputs]]\nid = 'siren'\nkind = 'shelly'\ntopic = 5\n",
        "[[devices]]\nid = 'b'\ndialect = 'homie 5'\ntopic = 'a/b'\n",
        "[[dialects]]\nid = 'd'\n[[dialects.messages]]\ntopic = '{address}/x'\nvalues = {a = 'pres'}\n",
        "[[incidents.inhibitions]]\ncause = 'c'\ncovers = ['a b']\n",
        "[forwarding]\nretry_seconds = ['1']\n",
        "[mqtt]\nport = '1884'\n[api]\nport = 1883\n",
        "[mqtt]\nmode = 'outside'\n[api]\nport = 1883\n",
        "[api]\nhost = '0.0.0'\nport = 1883\n",
        "[[mqtt.networks]]\nnetwork = '10.1.2.3/16'\nmax_connections_per_address = 4\n",
        "[[devices]]\nid = 'b'\nlinked_cameras = ['c']\n[[cameras]]\nid = 'c'\nurl = 5\n",
        "[[devices]]\nid = 'b'\ndialect = 'sia'\naccount = '12AB'\n"
        "[sia]\nport = 'x'\naccounts = [{account = '12AB'}]\n",
    ],
)
def test_a_fault_is_not_told_again_as_the_absence_of_its_key(tmp_path: Path, text: str) -> None:
    assert len(faults(tmp_path, MINIMUM + text)) == 1


def test_what_no_file_of_text_can_hold_is_a_fault_of_a_variable(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, MINIMUM, environment={"GATEWAY_MQTT__HOST": "\udcff", "GATEWAY_API__HOST": "::1"})
    assert fault == "environment GATEWAY_MQTT__HOST: mqtt.host: it is no UTF-8. Remove it."


def test_an_entry_without_a_usable_name_or_address_tells_its_other_faults_too(tmp_path: Path) -> None:
    text = """
[[devices]]
id = "btn 01"
dialect = "zigbee"
linked_cameras = ["cam-77"]
[[devices]]
health_deadline_seconds = "x"
dialect = "unheard"
[[cameras]]
id = "cam-01"
url = "rtsp://u:geheim@10.0.0.5/"
password = "p"
password_file = "f"
[[mqtt.brokers]]
share_group = "g"
"""
    keys = sorted(each.partition("gateway.toml: ")[2].partition(": ")[0] for each in faults(tmp_path, MINIMUM + text))
    assert keys == [
        "cameras.cam-01",
        "cameras.cam-01.url",
        "devices.1.dialect",
        "devices.1.health_deadline_seconds",
        "devices.1.id",
        "devices.btn 01.dialect",
        "devices.btn 01.id",
        "devices.btn 01.linked_cameras",
        "mqtt.brokers.0",
        "mqtt.brokers.0.url",
    ]


@pytest.mark.parametrize("text", ["url = 5\n", "id = 5\n", "[mqtt]\nid = 'x'\n", "[[mqtt.access]]\nid = 'x'\n"])
def test_a_name_or_address_that_belongs_nowhere_is_a_fault_as_any_other(tmp_path: Path, text: str) -> None:
    assert any("there is no such key" in each for each in faults(tmp_path, text + MINIMUM))


@pytest.mark.parametrize("online", ["[]", '["", "off"]', '["on"]', "5"])
def test_a_pair_of_words_that_is_none_is_one_fault_whatever_stands_beside_it(tmp_path: Path, online: str) -> None:
    good = "[[dialects.messages]]\ntopic = '{address}/y'\nvalue = ''\nvalues = {a = 'press'}\n"
    bad = f"[[dialects.messages]]\ntopic = '{{address}}/x'\nonline = {online}\n"
    assert faults(tmp_path, MINIMUM + f"[[dialects]]\nid = 'd'\n{bad}{good}")


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "0o" + "7" * 5000, "9" * 30])
def test_a_number_of_thousands_of_digits_is_a_fault(tmp_path: Path, number: str) -> None:
    (fault,) = faults(tmp_path, MINIMUM + f"[api]\nport = {number}\n")
    assert "api.port: it is a number of more than 63 bits" in fault
    assert faults(tmp_path, MINIMUM, overrides=[f"api.port={number}"])


@pytest.mark.parametrize("slice_", ["[[cameras]]\nid = 'c'", "[[destinations]]\nid = 'c'", "[[mqtt.brokers]]"])
@pytest.mark.parametrize(
    "url", ["{}://admin:geheim#1@10.0.0.5/live", "{}://admin:geheim/1@h/", "{}://u:geheim?1@h", "{}://u:geheim@ho℀st/"]
)
def test_no_password_of_an_address_is_said(tmp_path: Path, slice_: str, url: str) -> None:
    scheme = "rtsp" if "cameras" in slice_ else "https" if "destinations" in slice_ else "mqtts"
    found = faults(tmp_path, MINIMUM + f"{slice_}\nurl = '{url.format(scheme)}'\n")
    assert found
    assert "geheim" not in "\n".join(found)


def test_what_is_no_text_is_printed_as_escapes(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, MINIMUM, overrides=["mqtt.\udcff=1"])
    assert fault.startswith("--set: mqtt.")
    (bare,) = faults(tmp_path, MINIMUM, overrides=["\udcff"])
    assert "\\udcff" in bare
    for each in (fault, bare):
        each.encode()


def test_a_slip_in_one_override_hides_no_other(tmp_path: Path) -> None:
    found = faults(tmp_path, MINIMUM, overrides=["mqtt.port", "gateway.site.x=1", "api.port=x"])
    assert len(found) == 3


def test_a_state_folder_depends_on_no_place_where_a_command_is_started(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, MINIMUM + '[storage]\ndirectory = "state"\n')
    assert "storage.directory: state would depend on where a command is started: write it from the root on" in fault


def test_lists_that_are_too_short_are_told_in_plain_words(tmp_path: Path) -> None:
    told = faults(tmp_path, MINIMUM + '[[procedures]]\nid = "p"\nsteps = []\n')
    assert any("procedures.p.steps: holds too few: at least 1" in fault for fault in told)
