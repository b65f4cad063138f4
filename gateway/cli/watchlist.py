"""``watchlist``: bulk work on the watch-list, while the gateway runs or stands."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put, say
from gateway.cli.reembedding import Outcome, check_running_model, reembed_all
from gateway.errors import counted
from gateway.settings import Settings
from gateway.storage import WatchListDesk, open_watchlist, require_state
from gateway.workers import LoneGallery, Outfit

watchlist_app = typer.Typer(no_args_is_help=True, help="The watch-list.")


@watchlist_app.callback()
def _group() -> None:
    """The watch-list."""


@watchlist_app.command("reembed", short_help="All templates anew from the stored photos.")
def reembed(
    everything: Annotated[bool, typer.Option("--all", help="Also templates of the model configured now.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Make the templates anew from the stored photos, by the face network that is configured now.

    A running gateway takes each person up within seconds. Exit 1 if a photo failed; its person is left as it was.
    """
    settings = settings_of(config, set_)
    require_state(settings.storage.directory, files=["state.db"])
    outcome = asyncio.run(_reembed(settings, everything=everything))
    if as_json:
        put(json.dumps(asdict(outcome), ensure_ascii=False))
    else:
        _print(outcome)
    raise typer.Exit(1 if outcome.failures else 0)


async def _reembed(settings: Settings, *, everything: bool) -> Outcome:
    desk = await open_watchlist(settings.storage)
    try:
        async with LoneGallery.open(outfit_of(settings, desk)) as gallery:
            if desk.running:
                await check_running_model(settings, gallery.model)
            return await reembed_all(desk, gallery, say, everything=everything)
    finally:
        await desk.close()


def outfit_of(settings: Settings, desk: WatchListDesk) -> Outfit:
    """What a gallery child of a command works with."""
    return Outfit(
        site=settings.gateway.site,
        vision=settings.vision,
        matching=settings.matching,
        models_directory=settings.storage.models_directory,
        people_key=desk.vault.take_people_key(),
    )


def _made(outcome: Outcome) -> str:
    return f"{counted(outcome.templates, 'template')} of {counted(outcome.people, 'person', 'people')}"


def told_of(outcome: Outcome) -> str:
    """What was done, in one line; where there was nothing to do, that."""
    if not outcome.templates and not outcome.failures:
        if not outcome.current:
            return "Nothing to do: there is no photo on the watch-list."
        kept = f"{counted(outcome.current, 'template')} of {counted(outcome.current_people, 'person', 'people')}"
        verb = "is" if outcome.current == 1 else "are"
        return f"Nothing to do: all {kept} {verb} of {outcome.model}."
    return f"Made anew by {outcome.model}: {_made(outcome)}. Of it already: {counted(outcome.current, 'template')}."


def _print(outcome: Outcome) -> None:
    put(told_of(outcome))
    for model, count in sorted(outcome.replaced.items()):
        put(f"  {count} of {model} replaced" if model != outcome.model else f"  {count} made again")
    for each in outcome.failures:
        put(f"  failed: {each.name} ({each.person}), photo {each.photo or '-'}: {each.reason}")
    if outcome.failures:
        put("Give these people other photos, then run this again.")
