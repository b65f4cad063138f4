"""`watchlist reembed` while no gateway runs: a real gallery child, sealed photos, and what is left as it was."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vision_bench import built, yunet_file

from gateway.cli.reembedding import reembed_all
from gateway.clock import SystemClock
from gateway.errors import TransientError
from gateway.settings import StorageSettings
from gateway.storage import Person, SealedPhoto, Stores, WatchListDesk, open_storage
from gateway.vision.gallery.seals import PersonSeal, PersonSeals
from gateway.wire import ReembedReply

# A child that loads the face network on a busy machine takes longer than other tests may.
pytestmark = pytest.mark.timeout(170)
NOW = datetime.now(UTC)
OLD = "model-0"


def configure(folder: Path, **matching: str) -> StorageSettings:
    """A configuration in `folder`; returns the storage's settings."""
    keys = "\n".join(f'{key} = "{value}"' for key, value in {"detector_model": str(yunet_file()), **matching}.items())
    state = folder / "state"
    text = f'[gateway]\nsite = "east"\n[storage]\ndirectory = "{state}"\nreserve_megabytes = 1\n[matching]\n{keys}\n'
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    return StorageSettings(directory=state, reserve_megabytes=1)


def listed(identity: str, *, days: float = 1) -> Person:
    return Person(
        id=identity,
        name=f"Name of {identity}",
        category="barred",
        reason="order",
        authority="police",
        valid_until=NOW + timedelta(days=days),
        created=NOW,
        updated=NOW,
        created_by="admin",
    )


def photo_of(seal: PersonSeal, identity: str, image: bytes, template: bytes | None = None) -> SealedPhoto:
    """A photo with a template of the old model."""
    old = template or np.ones(128, "<f4").tobytes()
    return SealedPhoto(
        id=identity,
        person=seal.person,
        fingerprint=OLD,
        quality={},
        created=NOW,
        photo=seal.seal_photo(identity, image),
        template=seal.seal_template(identity, OLD, old),
    )


async def enrol(stores: Stores, seals: PersonSeals, person: Person, photos: dict[str, bytes]) -> PersonSeal:
    await stores.watchlist.add(person)
    seal = seals.of_new(person.id)
    for identity, image in photos.items():
        await stores.watchlist.add_photo(photo_of(seal, identity, image), seal.wrapped_key)
    return seal


def reembed(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", "watchlist", "reembed", "--config", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=160, check=False)


async def run(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON that was printed, and what was told."""
    done = await asyncio.to_thread(reembed, folder, "--json", *options)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


async def templates(settings: StorageSettings) -> tuple[int, dict[str, tuple[str, bytes]]]:
    """The revision, and fingerprint and sealed template of every photo."""
    stores = await open_storage(settings, SystemClock())
    revision = await stores.watchlist.revision()
    found: dict[str, tuple[str, bytes]] = {}
    for person in await stores.watchlist.people():
        for info in person.photos:
            photo = await stores.watchlist.photo(person.id, info.id)
            assert photo is not None
            found[info.id] = (photo.fingerprint, photo.template)
    assert (await stores.audit.verify()) is None
    await stores.close()
    return revision, found


async def test_everybody_is_made_anew_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    settings = configure(tmp_path)
    obama = {f"o{n}": built(f"portraits/{name}.jpg").read_bytes() for n, name in enumerate(("obama", "obama2"))}
    bad = {"b0": built("portraits/biden.jpg").read_bytes(), "b1": built("photos/two-people.jpg").read_bytes()}
    astronaut = {"a0": built("portraits/astronaut.jpg").read_bytes()}
    stores = await open_storage(settings, SystemClock())
    seals = PersonSeals(stores.vault.take_people_key())
    kept = await enrol(stores, seals, listed("obama"), obama)
    await enrol(stores, seals, listed("bad"), bad)
    gone = await enrol(stores, seals, listed("expired", days=-1), astronaut)
    await enrol(stores, seals, listed("no-photo"), {})
    await stores.close()
    before = await templates(settings)

    code, told, progress = await run(tmp_path)
    revision, after = await templates(settings)
    model = told["model"]
    assert code == 1
    assert (told["people"], told["templates"], told["current"]) == (2, 3, 0)
    assert told["replaced"] == {OLD: 3}
    assert [(each["person"], each["photo"]) for each in told["failures"]] == [("bad", "b1")]
    assert "2 faces" in told["failures"][0]["reason"]
    assert "3 of 3: " in progress
    assert revision == before[0] + 2
    assert {photo: after[photo][0] for photo in after} == {"o0": model, "o1": model, "b0": OLD, "b1": OLD, "a0": model}
    assert after["b0"] == before[1]["b0"], "nothing of a person changes when one photo fails"
    check_vectors(kept, gone, model, after)

    code, told, _ = await run(tmp_path)
    assert (code, told["templates"], told["current"]) == (1, 0, 3)
    assert (await templates(settings))[1] == after


def check_vectors(kept: PersonSeal, gone: PersonSeal, model: str, found: dict[str, tuple[str, bytes]]) -> None:
    """The templates open under the old keys, and are who they should be."""
    first, second = (np.frombuffer(kept.open_template(n, model, found[n][1]), "<f4") for n in ("o0", "o1"))
    other = np.frombuffer(gone.open_template("a0", model, found["a0"][1]), "<f4")
    assert np.linalg.norm(first - second) < 0.6 < np.linalg.norm(first - other)


async def test_a_wrong_embedder_is_said(tmp_path: Path) -> None:
    settings = configure(tmp_path, embedder=str(tmp_path / "none.onnx"))
    await (await open_storage(settings, SystemClock())).close()
    done = await asyncio.to_thread(reembed, tmp_path)
    assert done.returncode == 1
    assert "none.toml" in done.stderr
    assert "Traceback" not in done.stderr


class CountingGallery:
    """Stands for the child where only the bookkeeping is looked at; removes a photo or a person when asked to."""

    model = "model-1"

    def __init__(self, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
        self.asked: list[str] = []
        self._meanwhile = meanwhile

    async def reembed(self, *, person: str, photo: str, wrapped_key: bytes, sealed_photo: bytes) -> ReembedReply:
        self.asked.append(photo)
        if self._meanwhile is not None:
            await self._meanwhile()
            self._meanwhile = None
        return ReembedReply(request=1, template=b"new", fingerprint=self.model)


async def with_two(tmp_path: Path) -> Stores:
    stores = await open_storage(configure(tmp_path), SystemClock())
    await enrol(stores, PersonSeals(stores.vault.take_people_key()), listed("p"), {"p0": b"jpeg", "p1": b"jpeg"})
    return stores


def desk_of(stores: Stores) -> WatchListDesk:
    return WatchListDesk(stores.watchlist, stores.histograms, stores.audit, stores.vault, False, stores._state)


async def test_all_makes_also_those_of_this_model_anew(tmp_path: Path) -> None:
    stores = await with_two(tmp_path)
    told: list[str] = []
    for everything, asked in ((False, 2), (False, 0), (True, 2)):
        gallery = CountingGallery()
        outcome = await reembed_all(desk_of(stores), gallery, told.append, everything=everything)  # type: ignore[arg-type]  # a stand-in
        assert (len(gallery.asked), outcome.templates, outcome.current) == (asked, asked, 2 - asked)
    assert outcome.replaced == {"model-1": 2}
    assert told[1] == "1 of 1: Name of p (p): 2 templates"
    await stores.close()


async def test_what_is_removed_during_the_run_stays_removed(tmp_path: Path) -> None:
    stores = await with_two(tmp_path)
    told: list[str] = []
    photo = CountingGallery(lambda: stores.watchlist.remove_photo("p", "p0"))
    outcome = await reembed_all(desk_of(stores), photo, told.append, everything=True)  # type: ignore[arg-type]  # a stand-in
    assert (outcome.replaced, outcome.templates, outcome.failures) == ({OLD: 1}, 1, [])
    person = CountingGallery(lambda: stores.watchlist.remove("p"))
    outcome = await reembed_all(desk_of(stores), person, told.append, everything=True)  # type: ignore[arg-type]  # a stand-in
    assert (outcome.templates, outcome.failures) == (0, [])
    assert told[-1].endswith("was removed meanwhile")
    assert await stores.watchlist.people() == []
    await stores.close()


@pytest.mark.parametrize("mischief", ["removed", "key"])
async def test_a_person_who_changes_meanwhile_is_left_alone(tmp_path: Path, mischief: str) -> None:
    settings = configure(tmp_path)
    stores = await open_storage(settings, SystemClock())
    seal = await enrol(stores, PersonSeals(stores.vault.take_people_key()), listed("p"), {"p0": b"jpeg"})
    revision = await stores.watchlist.revision()
    person, key = ("nobody", seal.wrapped_key) if mischief == "removed" else ("p", b"another")
    with pytest.raises(Exception, match=r"nobody of that id|another key"):
        await stores.watchlist.replace_templates(person, [], key)
    assert await stores.watchlist.replace_templates("p", [], seal.wrapped_key) == []
    assert await stores.watchlist.revision() == revision
    await stores.close()


async def test_the_audit_trail_says_what_was_changed_before_the_child_died(tmp_path: Path) -> None:
    stores = await open_storage(configure(tmp_path), SystemClock())
    seals = PersonSeals(stores.vault.take_people_key())
    await enrol(stores, seals, listed("p"), {"p0": b"jpeg", "p1": b"jpeg"})
    await enrol(stores, seals, listed("q"), {"q0": b"jpeg"})

    class Dying(CountingGallery):
        async def reembed(self, *, person: str, photo: str, wrapped_key: bytes, sealed_photo: bytes) -> ReembedReply:
            if len(self.asked) == 2:
                raise TransientError("the gallery child ended")
            return await super().reembed(person=person, photo=photo, wrapped_key=wrapped_key, sealed_photo=sealed_photo)

    with pytest.raises(TransientError):
        await reembed_all(desk_of(stores), Dying(), lambda _line: None, everything=True)  # type: ignore[arg-type]  # a stand-in
    last = (await stores.audit.entries())[-1]
    assert (last.action, last.detail) == (
        "reembedded watch-list",
        "2 templates of 1 people; 0 photos failed; it ended early",
    )
    await stores.close()
