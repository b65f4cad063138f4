"""The hash that is printed is one that the endpoint takes; a short password is refused."""

import subprocess
import sys

from gateway.settings import MqttUserSettings
from gateway.storage import PasswordHasher


def run(password: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "mqtt-password"]
    return subprocess.run(command, input=password + "\n", capture_output=True, text=True, check=False)


async def test_the_hash_of_a_password_is_printed_alone() -> None:
    done = run("a long random one")
    user = MqttUserSettings(name="btn-01", password_hash=done.stdout.strip())
    assert await PasswordHasher().verify(user.password_hash, "a long random one")
    assert "random" not in done.stdout + done.stderr


def test_a_short_password_is_refused_with_a_remedy() -> None:
    done = run("short")
    assert (done.returncode, done.stdout) == (1, "")
    assert "at least 12" in done.stderr
