"""The master key's sources, what is refused of them, and what the vault seals."""

import base64
import stat
from pathlib import Path

import pytest

from gateway.errors import PermanentError
from gateway.sealing import KEY_BYTES, SealError, derive_key, new_key
from gateway.settings import StorageSettings
from gateway.storage import Vault, load_master_key

KEY = bytes(range(KEY_BYTES))


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return tmp_path / "state"


def key_file(path: Path, content: bytes = base64.b64encode(KEY) + b"\n", mode: int = 0o400) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_first_start_makes_a_key_beside_the_folder_and_later_ones_use_it(directory: Path) -> None:
    key = load_master_key(StorageSettings(directory=directory))
    path = directory.with_name("state.key")
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert [each.name for each in directory.parent.iterdir()] == ["state.key"]
    assert load_master_key(StorageSettings(directory=directory)) == key


def test_a_lost_key_is_not_replaced_by_a_new_one(directory: Path) -> None:
    directory.mkdir()
    (directory / "journal.db").touch()
    with pytest.raises(PermanentError, match=r"the master key is missing.*Restore the key"):
        load_master_key(StorageSettings(directory=directory))


def test_a_named_file_comes_before_the_credential(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = key_file(directory.with_name("credentials") / "campus-gateway-key", base64.b64encode(new_key()), 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credential.parent))
    path = key_file(directory.with_name("master"))
    assert load_master_key(StorageSettings(directory=directory, key_file=path)) == KEY


def test_the_credential_comes_before_a_key_of_our_own(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = key_file(directory.with_name("credentials") / "campus-gateway-key", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credential.parent))
    assert load_master_key(StorageSettings(directory=directory)) == KEY
    assert not directory.with_name("state.key").exists()


def test_a_key_in_the_state_folder_is_refused_even_through_a_link(directory: Path) -> None:
    inside = key_file(directory / "deep" / "key")
    link = directory.with_name("link")
    link.symlink_to(inside)
    for path in (inside, link):
        with pytest.raises(PermanentError, match=r"in the state folder.*Move it out"):
            load_master_key(StorageSettings(directory=directory, key_file=path))


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644])
def test_a_key_that_others_may_read_is_refused(directory: Path, mode: int) -> None:
    path = key_file(directory.with_name("master"), mode=mode)
    with pytest.raises(PermanentError, match=r"others may read the key.*chmod 0400"):
        load_master_key(StorageSettings(directory=directory, key_file=path))


@pytest.mark.parametrize("content", [b"", b"short", base64.b64encode(b"x" * 31), b"\xff\xfe"])
def test_what_is_no_key_is_refused_without_showing_it(directory: Path, content: bytes) -> None:
    path = key_file(directory.with_name("master"), content)
    with pytest.raises(PermanentError, match=r"is no key.*openssl rand") as caught:
        load_master_key(StorageSettings(directory=directory, key_file=path))
    assert not content or content.decode(errors="replace") not in str(caught.value)


def test_a_missing_key_file_is_named(directory: Path) -> None:
    with pytest.raises(PermanentError, match=r"nowhere.*cannot be read"):
        load_master_key(StorageSettings(directory=directory, key_file=directory.with_name("nowhere")))


def test_the_key_of_people_is_handed_out_once() -> None:
    vault = Vault(KEY)
    assert vault.take_people_key() == derive_key(KEY, "people")
    with pytest.raises(PermanentError, match="before"):
        vault.take_people_key()


def test_secrets_open_for_their_own_entry_and_key_only() -> None:
    sealed = Vault(KEY).seal_secrets({"password": "swordfish"}, "camera", "cam-01")
    assert b"swordfish" not in sealed
    assert Vault(KEY).open_secrets(sealed, "camera", "cam-01") == {"password": "swordfish"}
    for vault, kind, identity in (
        (Vault(KEY), "camera", "cam-02"),
        (Vault(KEY), "device", "cam-01"),
        (Vault(new_key()), "camera", "cam-01"),
    ):
        with pytest.raises(SealError):
            vault.open_secrets(sealed, kind, identity)


def test_evidence_opens_for_its_owner_and_id_only() -> None:
    vault = Vault(KEY)
    wrapped = vault.wrap_evidence_key(new_key(), "p-1")
    sealed = vault.seal_evidence(b"picture", wrapped, "p-1", "e-1")
    assert vault.open_evidence(sealed, vault.unwrap_evidence_key(wrapped, "p-1"), "e-1") == b"picture"
    other = vault.wrap_evidence_key(new_key(), "p-1")
    for key, owner, identity in ((wrapped, "p-1", "e-2"), (wrapped, "p-2", "e-1"), (other, "p-1", "e-1")):
        with pytest.raises(SealError):
            vault.open_evidence(sealed, vault.unwrap_evidence_key(key, owner), identity)
