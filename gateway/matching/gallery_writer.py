"""The one writer of a gallery that changes while it is read: it fills what lies beyond its readers, and tells them."""

import threading
from collections.abc import Iterable

import numpy as np

from gateway.matching.faults import GalleryError
from gateway.matching.gallery import Gallery
from gateway.matching.gallery_filling import LEAST_PRUNED, arranged, far_reach, fill, fresh_memory, put_vectors
from gateway.matching.gallery_layout import Allocate, Extent, GalleryArrays
from gateway.matching.gallery_values import TemplateRow, TemplateTable, tabled

_SPARE = 0.5
_DEAD_SHARE = 0.25
# Overwrites a removed template: nothing is near it, whereas zeros are nearer to unit vectors than some strangers.
_NOWHERE = np.float32(1e15)


class GalleryWriter:
    """Adds and removes while readers search: they take `view`, never wait, and never see half a change.

    A view stays what it was when taken, but for removals, which it heeds at once. Rows are filled beyond every view and
    then told of in a new one; a removed person is one byte, for all of their templates. What no longer fits, or holds
    too much that was removed, is built anew beside the readers (`rebuilt`), with fresh principal axes.

    Args:
        rows: to begin with; refused as by `Gallery.build`.
        fingerprint: of the embedder.
        dimension: components of a vector.
        revision: of the watch-list.
        allocate: gives zeroed memory by its size in bytes, such as memory that other processes map.
    """

    def __init__(
        self,
        rows: Iterable[TemplateRow] | TemplateTable,
        *,
        fingerprint: str,
        dimension: int,
        revision: int = 0,
        allocate: Allocate = fresh_memory,
    ) -> None:
        self._lock = threading.Lock()
        self._allocate = allocate
        self._fingerprint, self._dimension, self._revision = fingerprint, dimension, revision
        self.rebuilt = 0
        self._fill(tabled(rows, dimension))

    def _fill(self, table: TemplateTable) -> None:
        table, axes = arranged(table)
        self._arrays, extent = fill(
            table, axes, self._fingerprint, self._revision, spare=_SPARE, allocate=self._allocate
        )
        self._owners = self._arrays.owners.data
        self._rows = {template: row for row, template in enumerate(table.templates)}
        self._people = {person: number for number, person in enumerate(dict.fromkeys(table.persons))}
        self._names = list(self._people)
        self._rows_of: list[list[int]] = [[] for _ in self._people]
        for row, number in enumerate(self._arrays.owners[: extent.rows].tolist()):
            self._rows_of[number].append(row)
        self._left = [len(rows) for rows in self._rows_of]
        self._filled, self._numbered = extent.rows, extent.people
        self._removed: list[int] = []
        self._left_one: list[int] = []
        self._view = Gallery(self._arrays, extent)

    @property
    def view(self) -> Gallery:
        """What readers search in now."""
        return self._view

    @property
    def extent(self) -> Extent:
        """How far the view reaches, for readers of the same memory in other processes."""
        return self._view.extent

    @property
    def arrays(self) -> GalleryArrays:
        """The memory that is filled; another one after each rebuilding."""
        return self._arrays

    def __contains__(self, template: str) -> bool:
        return template in self._rows

    def __len__(self) -> int:
        """Templates that are not removed."""
        return len(self._rows)

    def add(self, rows: Iterable[TemplateRow], revision: int | None = None) -> None:
        """Add templates and show them, all at once.

        Raises:
            GalleryError: a vector or an id that `Gallery.build` would refuse, or an id that is there; nothing is added.
        """
        table = tabled(list(rows), self._dimension)
        if not table.templates:
            return
        with self._lock:
            self._settle()
            for template in table.templates:
                if template in self._rows:
                    raise GalleryError("is there twice", where=f"template {template}")
            if self._fits(table):
                self._append(table)
                self._publish(revision)
            else:
                self._rebuild(table, revision)

    def remove(self, template: str) -> None:
        """Remove one template; readers heed it at once.

        Raises:
            KeyError: there is none of this id.
        """
        with self._lock:
            row = self._rows.pop(template)
            self._left_one.append(self._owners[row])
            self._owners[row] = -1
            self._removed.append(row)

    def _settle(self) -> None:
        """Forget the people whose last template was removed: counted behind the removals, which have to be quick."""
        for number in self._left_one:
            self._left[number] -= 1
            if not self._left[number]:
                del self._people[self._names[number]]
        self._left_one.clear()

    def remove_person(self, person: str) -> None:
        """Remove a person with all templates, by one store: a search counts all of them or none.

        Raises:
            KeyError: there is none of this id.
        """
        with self._lock:
            self._settle()
            number = self._people.pop(person)
            self._arrays.living[number] = False
            gone = [row for row in self._rows_of[number] if self._owners[row] == number]
            for row in gone:
                del self._rows[self._arrays.templates[row]]
            self._removed += gone

    def publish(self, revision: int | None = None) -> None:
        """Overwrite what was removed, and show the counts and the revision as they are now; rebuild if that pays."""
        with self._lock:
            self._settle()
            if self._is_stale():
                self._rebuild(_no_rows(self._dimension), revision)
                return
            arrays, rows = self._arrays, self._removed
            arrays.vectors[rows] = _NOWHERE
            arrays.halves[rows] = _NOWHERE**2 * self._dimension / 2
            for row in rows if arrays.blocks else ():
                number, column = divmod(row, arrays.shape.block)
                arrays.blocks[number][:, column] = 0
                arrays.blocks[number][0, column] = -(_NOWHERE**2)
            self._removed = []
            self._publish(revision)

    def rebuild(self) -> None:
        """Build anew without what was removed and with fresh axes, beside the readers; other changes wait meanwhile."""
        with self._lock:
            self._settle()
            self._rebuild(_no_rows(self._dimension), None)

    def _publish(self, revision: int | None) -> None:
        self._revision = self._revision if revision is None else revision
        extent = Extent(self._filled, self._numbered, len(self._rows), len(self._people), self._revision)
        self._view = self._view.within(extent)

    def _fits(self, table: TemplateTable) -> bool:
        arrays, fresh = self._arrays, [each for each in dict.fromkeys(table.persons) if each not in self._people]
        ids = b"".join(template.encode() for template in table.templates)
        names = b"".join(person.encode() for person in fresh)
        labels = b"".join(table.labels.get(person, "").encode() for person in fresh)
        return (
            self._filled + len(table.templates) <= arrays.shape.rows
            and self._numbered + len(fresh) <= arrays.shape.people
            and arrays.templates.has_room(self._filled, ids)
            and arrays.persons.has_room(self._numbered, names)
            and arrays.labels.has_room(self._numbered, labels)
            and not far_reach(arrays, table.vectors)
            and (bool(arrays.blocks) or self._filled + len(table.templates) < 2 * LEAST_PRUNED)
        )

    def _append(self, table: TemplateTable) -> None:
        arrays, start = self._arrays, self._filled
        for row, (person, template) in enumerate(zip(table.persons, table.templates, strict=True), start):
            number = self._numbered_person(person, table)
            self._owners[row] = number
            self._rows_of[number].append(row)
            self._left[number] += 1
            arrays.templates.put(row, template.encode())
            self._rows[template] = row
        put_vectors(arrays, start, table.vectors)
        self._filled += len(table.templates)

    def _numbered_person(self, person: str, table: TemplateTable) -> int:
        if person not in self._people:
            self._arrays.persons.put(self._numbered, person.encode())
            self._arrays.labels.put(self._numbered, table.labels.get(person, "").encode())
            self._arrays.living[self._numbered] = True
            self._people[person] = self._numbered
            self._names.append(person)
            self._rows_of.append([])
            self._left.append(0)
            self._numbered += 1
        return self._people[person]

    def _is_stale(self) -> bool:
        dead = self._filled - len(self._rows)
        return dead > _DEAD_SHARE * max(self._filled, 64)

    def _rebuild(self, more: TemplateTable, revision: int | None) -> None:
        self._revision = self._revision if revision is None else revision
        arrays, kept = self._arrays, sorted(self._rows.values())
        self._fill(
            TemplateTable(
                np.concatenate([arrays.vectors[kept], more.vectors]),
                [*(self._names[self._owners[row]] for row in kept), *more.persons],
                [*(arrays.templates[row] for row in kept), *more.templates],
                {person: arrays.labels[number] for person, number in self._people.items()} | more.labels,
            )
        )
        self.rebuilt += 1


def _no_rows(dimension: int) -> TemplateTable:
    return TemplateTable(np.empty((0, dimension), np.float32), [], [])
