"""mosquitto's own broker tests against the embedded endpoint: those that apply, each other one with its reason.

Run:  apt-get source mosquitto     (anywhere outside of this tree; needs a deb-src line)
      .venv/bin/python benchmarks/mosquitto_suite.py mosquitto-2.0.11 [--only PART] [--json] [--quick]

Each test is a program of mosquitto's that starts a broker and speaks raw packets with it. It runs unchanged in its own
folder; only the function that would start mosquitto starts the endpoint (tests/harness/bare_endpoint.py).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 60

QOS_2 = "messages go out with QoS 0 and 1; a 2 that is asked for is granted as 1"

# A reason for each test that does not apply; the longest prefix counts.
EXCLUDED: dict[str, str] = {
    "01-bad-initial-packets": "asserts that the process has less than 25 MB, which no Python process has",
    "01-connect-575314": "a client id of 65535 bytes; the endpoint takes 256 characters and says so with 0x85",
    "01-connect-allow-anonymous": "what a configuration without listener means is mosquitto's",
    "01-connect-connack-2163": "expects silence in MQTT 5 where the endpoint says DISCONNECT with its reason",
    "01-connect-duplicate": "expects silence in MQTT 5 where the endpoint says DISCONNECT with its reason",
    "01-connect-invalid-id-missing": "MQTT 3.1, which the endpoint does not speak",
    "01-connect-uname": "mosquitto's own password file",
    "01-connect-uname-invalid-utf8": "",
    "01-connect-uname-no-flag": "",
    "01-connect-uname-pwd-no-flag": "",
    "01-connect-zero-length-id": "the setting allow_zero_length_clientid is mosquitto's",
    "02-subpub-qos0-oversize-payload": "the setting message_size_limit is mosquitto's; the endpoint limits packets",
    "02-subpub-qos1-oversize-payload": "the setting message_size_limit is mosquitto's; the endpoint limits packets",
    "02-subpub-qos1-bad": "expects silence in MQTT 5 where the endpoint says DISCONNECT with its reason",
    "02-subpub-qos2": QOS_2,
    "02-subscribe-long-topic": "another reason (malformed) for a filter of too many levels than for a topic (protocol)",
    "02-subscribe-qos2": QOS_2,
    "02-unsubscribe-qos2-multiple": QOS_2,
    "03-publish-b2c-disconnect-qos2": QOS_2,
    "03-publish-b2c-qos2": QOS_2,
    "03-publish-c2b-disconnect-qos2": QOS_2,
    "12-prop-maximum-packet-size-publish-qos2": QOS_2,
    "03-publish-dollar-v5": "a topic of mosquitto's bridges below $SYS; the endpoint refuses every topic with $",
    "03-publish-qos2-dup": "that a third copy of a message ends the connection is mosquitto's own rule",
    "03-publish-qos1-queued-bytes": "does not run under Python 3",
    "03-publish-qos1-retain-disabled": "the setting retain_available is mosquitto's",
    "04-retain-check-source": "the setting check_retain_source and the access file are mosquitto's",
    "04-retain-upgrade-outgoing-qos": "the setting upgrade_outgoing_qos is mosquitto's",
    "06-": "bridges are mosquitto's; the gateway joins other brokers as their client",
    "07-will-delay": "its session has no expiry, so that it ends, and the delay with it, at once (§3.1.3.2.2)",
    "07-will-delay-session": "",
    "07-will-takeover": "expects no will of a connection that was taken over; 3.1.1 §3.1.2.5 and §3.1.4 have one",
    "07-will-oversize-payload": "the setting message_size_limit is mosquitto's; the endpoint limits packets",
    "08-": "its build makes the certificates; tests/integration/test_mqtt_security.py has the like",
    "09-acl": "mosquitto's own access file",
    "09-plugin": "mosquitto's own plug-ins",
    "09-extended-auth": "plug-ins of enhanced authentication; the endpoint refuses it (09-auth-bad-method is run)",
    "09-pwfile": "mosquitto's own password file",
    "10-listener-mount-point": "mount points are mosquitto's",
    "11-message-expiry": "behind a restart DUP is set, because whether it was sent is not known (§3.3.1.1: might be)",
    "11-persistent-subscription-no-local": "expects a certain packet id, which is the server's choice (§2.2.1)",
    "11-subscription-id": "behind a restart DUP is set, because whether it was sent is not known (§3.3.1.1: might be)",
    "12-prop-assigned-client-identifier": "compares the first bytes of properties, whose order is the server's",
    "12-prop-maximum-packet-size-broker": "packets of 40 bytes at most; the endpoint's smallest limit is 1024",
    "12-prop-maximum-packet-size-publish-qos1": "does not count the fixed header, as §3.1.2.11.4 does",
    "12-prop-subpub-payload-format": "a payload format that is neither 0 nor 1, which §3.3.2.3.2 forbids, is passed on",
    "13-malformed-publish": "the settings maximum_qos and retain_available are mosquitto's",
    "13-malformed-subscribe": "a SUBSCRIBE without filters is called malformed; §3.8.3 calls it a protocol error",
    "13-malformed-unsubscribe": "a bad filter is called malformed; the endpoint says 0x8F (§3.14.2.1)",
    "14-dynsec": "mosquitto's own plug-in for accounts",
}

SHIM = """
import os, socket, subprocess, sys, time
script, root = sys.argv[1], sys.argv[2]
os.chdir(os.path.dirname(script))
sys.path[:0] = [os.getcwd(), os.path.dirname(os.getcwd())]
sys.path.append(root)
from dataclasses import replace
import mosq_test
from gateway.alarms import codec

def start_broker(filename, cmd=None, port=0, use_conf=False, expect_fail=False):
    port = port or 1888
    if use_conf or cmd is None and os.path.exists(filename.replace(".py", ".conf")) and port == 1888:
        arguments = ["-c", filename.replace(".py", ".conf")]
    elif cmd is not None:
        arguments = cmd[1:]
    else:
        arguments = ["-p", str(port)]
    environment = dict(os.environ, PYTHONPATH=root)
    broker = subprocess.Popen([sys.executable, root + "/tests/harness/bare_endpoint.py", *arguments],
                              stderr=subprocess.PIPE, env=environment)
    until = time.monotonic() + 15
    while time.monotonic() < until and broker.poll() is None:
        try:
            socket.create_connection(("localhost", port)).close()
            return broker
        except OSError:
            time.sleep(0.05)
    if expect_fail:
        return None
    raise OSError("the endpoint did not start: %s" % broker.communicate()[1].decode())

def fail():
    raise mosq_test.TestError

def decoded(packet):
    "A PUBLISH of MQTT 5 with its properties in whatever order."
    try:
        return list(codec.PacketReader(1 << 20, 5).feed(packet))
    except Exception:
        return None

def expect_packet(sock, name, expected):
    "A CONNACK of MQTT 5 is the same whatever the order of its properties and the limits that a server tells,"
    "a PUBLISH whatever the order of its properties, a DISCONNECT with or without a reason string."
    kind = expected[0] >> 4 if expected else 0
    if kind == 3:
        got = sock.recv(len(expected))
        same = got == expected or decoded(got) == decoded(expected) is not None
        return same or mosq_test.packet_matches(name, got, expected) or fail()
    if not (kind == 2 and len(expected) > 4 or kind == 14 and len(expected) > 2):
        return plain_expect(sock, name, expected)
    head = sock.recv(2)
    body = b""
    while len(body) < head[1] and (more := sock.recv(head[1] - len(body))):
        body += more
    got, want = codec.decode_packet(head[0], body, 5), codec.decode_packet(expected[0], expected[2:], 5)
    ours = dict.fromkeys(("receive_maximum", "topic_alias_maximum", "maximum_packet_size", "reason_string"))
    got, want = (replace(each, properties=replace(each.properties, **ours)) for each in (got, want))
    if got != want:
        print("FAIL:", name, got, "instead of", want)
        raise mosq_test.TestError
    return True

plain_expect, mosq_test.expect_packet = mosq_test.expect_packet, expect_packet
mosq_test.start_broker = start_broker
sys.argv = [os.path.basename(script), *sys.argv[3:]]
source = open(script).read().replace("do_test(proto_ver=3)", "pass  # MQTT 3.1 is not spoken")
exec(compile(source, script, "exec"), {"__name__": "__main__", "__file__": script})
"""


def excluded(name: str) -> str:
    """Why a test does not apply; "" if it does."""
    fitting = [prefix for prefix in EXCLUDED if name.startswith(prefix)]
    return EXCLUDED[max(fitting, key=len)] if fitting else ""


def run_one(script: Path, port: int) -> tuple[bool, str]:
    """Whether a test passed, and what it said."""
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {"BARE_ENDPOINT_STATE": state}
        command = [sys.executable, "-c", SHIM, str(script), str(ROOT), str(port), str(port + 1), str(port + 2)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                said, _nothing = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # it, and the endpoint that it started
                return False, f"no end within {SECONDS} s"
    return process.returncode == 0, said[-3000:]


def main() -> int:
    """Run them all and print what failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", help="the unpacked source package")
    parser.add_argument("--only", default="", help="part of a test's name")
    parser.add_argument("--quick", action="store_true", help="every fifth test")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.source is None:
        print("skipped: name the folder of mosquitto's unpacked source package")
        return 0
    scripts = sorted((arguments.source.resolve() / "test" / "broker").glob("[0-9]*.py"))
    scripts = [each for each in scripts if arguments.only in each.name and "helper" not in each.name]
    left_out = {each.name: why for each in scripts if (why := excluded(each.name))}
    applying = [each for each in scripts if each.name not in left_out][:: 5 if arguments.quick else 1]
    failed: dict[str, str] = {}
    began = time.monotonic()
    for number, script in enumerate(applying):
        good, said = run_one(script, 19_000 + number * 5)
        if not good:
            failed[script.name] = said
            if not arguments.json:
                print(f"FAILED {script.name}\n{said}\n", flush=True)
    summary = {"run": len(applying), "passed": len(applying) - len(failed), "failed": sorted(failed)}
    if arguments.json:
        print(json.dumps(summary | {"excluded": left_out}))
    else:
        for name, why in left_out.items():
            print(f"excluded {name}: {why}")
        seconds = time.monotonic() - began
        print(f"{summary['passed']} of {summary['run']} passed, {len(left_out)} excluded, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
