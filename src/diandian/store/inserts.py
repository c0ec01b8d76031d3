"""Rows written in bulk: composed once from their model, then only filled with values.

On PostgreSQL many rows are one statement of as many parameters as the table has columns: each
column is an array, so that one plan serves every number of rows. SQLite takes them by eights: it
keeps that statement, where one of any other length would be read anew each time.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, JSONField, Model

from diandian.store import sqlite
from diandian.store.forms import are_plain, json_text, made, packed, written
from diandian.store.running import Answer, database, fetched, sent_along, sent_each
from diandian.store.transactions import require_transaction

M = TypeVar("M", bound=Model)
AnyField: TypeAlias = "Field[Any, Any]"
_WHOLE_NUMBERS = ("bigint", "integer", "smallint")
_WORDS = ("varchar", "text", "jsonb", "date", "boolean")
_SEQUENCE = "SELECT pg_get_serial_sequence(%s, %s)"
# The count in a question of its own: one plan serves every number of ids.
_DRAWN = "SELECT nextval({}) FROM generate_series(1, (SELECT %s::bigint))"
# SQLite takes 32,766 values in a statement.
_MOST_VALUES = 30_000


@cache
def _drawing(table: str, column: str) -> str:
    """Return what draws ids from a table's sequence. Looking its name up takes longest."""
    ((name,),) = fetched(database(), _SEQUENCE, [f'"{table}"', column])
    # The name comes from the catalogue, quoted as names are; here it stands in a text.
    quoted = str(name).replace("'", "''").replace("%", "%%")
    return _DRAWN.format(f"'{quoted}'::regclass")


class NewIds:
    """Ids for rows that are about to be written, rising. Inside a transaction.

    They are waited for when read. On SQLite, whose transaction is the only
    writer: write the rows before asking again.
    """

    def __init__(self, model: type[Model], count: int) -> None:
        require_transaction()
        on = database()
        table, pk = model._meta.db_table, model._meta.auto_field
        assert pk is not None, "ids that are counted"
        self._count = count
        self._is_drawn = on.vendor == "postgresql"
        if self._is_drawn:
            self._answer = Answer(on, _drawing(table, str(pk.column)), [count])
        else:
            self._answer = Answer(on, "SELECT seq FROM sqlite_sequence WHERE name = %s", [table])

    def read(self) -> list[int]:
        """Return the ids."""
        found = self._answer.rows()
        if self._is_drawn:
            return [number for (number,) in found]
        last = found[0][0] if found else 0
        return list(range(last + 1, last + 1 + self._count))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's name, and how PostgreSQL takes many values of it. ``cast``: of one value."""

    field: AnyField
    name: str
    array: str
    cast: str

    @property
    def is_plain(self) -> bool:
        """Tell whether SQLite takes it as it is: whole numbers, texts and flags."""
        is_json = isinstance(self.field, JSONField)
        return not is_json and not self.cast and self.array in {"bigint", "text", "bool"}

    def each(self, values: Sequence[Any], on: BaseDatabaseWrapper) -> Sequence[object]:
        """Return values one by one as both databases take them."""
        field = self.field
        if isinstance(field, JSONField):
            return [json_text(field, value) for value in values]
        if are_plain(values):
            return values
        # Rows that are written together mostly have the same days and times.
        known = {value: written(field, value, on) for value in set(values)}
        return [known[value] for value in values]

    def many(self, values: Iterable[Any], on: BaseDatabaseWrapper) -> Any:  # noqa: ANN401
        """Return a column of values as the driver sends it."""
        if isinstance(self.field, JSONField):
            values = [json_text(self.field, value) for value in values]
        elif self.cast:
            values = [None if value is None else str(value) for value in values]
        elif self.array not in {"bigint", "text"}:
            return [written(self.field, value, on) for value in values]
        return packed(values, on, of_integers=self.array == "bigint")


def _column(field: AnyField, on: BaseDatabaseWrapper) -> _Column:
    name, kind = on.ops.quote_name(str(field.column)), str(field.db_type(on))
    base = kind.partition("(")[0]
    if base in _WHOLE_NUMBERS:
        return _Column(field, name, "bigint", "")
    if base in _WORDS:
        # As text, which a column with a length then refuses when it is too long.
        cast = "" if base in {"varchar", "text"} else f"::{base}"
        return _Column(field, name, "text", cast)
    return _Column(field, name, kind, "")


def _into(model: type[Model], columns: Iterable[_Column], on: BaseDatabaseWrapper) -> str:
    names = ", ".join(column.name for column in columns)
    return f"INSERT INTO {on.ops.quote_name(model._meta.db_table)} ({names})"


def _from_arrays(columns: Sequence[_Column], fixed: Sequence[_Column] = ()) -> str:
    """Return what comes after the names: rows from one array a column, and ``fixed`` values."""
    marks = ", ".join(f"%s::{column.array}[]" for column in columns)
    names = [f"c{number}" for number in range(len(columns))]
    many = [f"rows.{name}{column.cast}" for name, column in zip(names, columns, strict=True)]
    one = [f"%s::{column.array}{column.cast}" for column in fixed]
    # Names of tables and columns are the models' own; values are parameters.
    taken = ", ".join([*many, *one])
    return f" SELECT {taken} FROM unnest({marks}) AS rows({', '.join(names)})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Merge:
    """What becomes of a row whose key ``by`` is taken: columns are added to, or take new values.

    No two rows of a run have the same key.
    """

    by: Sequence[str]
    add: Sequence[str] = ()
    take: Sequence[str] = ()

    def sql(self, model: type[Model], on: BaseDatabaseWrapper) -> str:
        """Return the end of the statement that does so."""
        quote = on.ops.quote_name
        table = quote(model._meta.db_table)

        columns = {field.attname: str(field.column) for field in model._meta.concrete_fields}

        def named(name: str) -> str:
            return str(quote(columns[name]))

        keys = ", ".join(map(named, self.by))
        changes = [
            *(
                f"{named(name)} = {table}.{named(name)} + excluded.{named(name)}"
                for name in self.add
            ),
            *(f"{named(name)} = excluded.{named(name)}" for name in self.take),
        ]
        return f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}"


def _on_conflict(*, skip: bool, column: str) -> str:
    return f" ON CONFLICT {f'({column}) ' if column else ''}DO NOTHING" if skip else ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fixed parts of an insert of instances."""

    head: str
    group: str
    many: str
    tail: str
    columns: list[_Column]

    @property
    def most(self) -> int:
        """Return how many rows a statement takes."""
        return sys.maxsize if self.many else _MOST_VALUES // len(self.columns)

    def filled(self, rows: Sequence[Model], on: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Return the statement that writes these rows, with its values."""
        if self.many and len(rows) > 1:
            columns = [
                column.many(map(attrgetter(column.field.attname), rows), on)
                for column in self.columns
            ]
            return self.head + self.many + self.tail, columns
        if len(rows) > 1:
            each = [
                column.each(list(map(attrgetter(column.field.attname), rows)), on)
                for column in self.columns
            ]
            values = list(chain.from_iterable(zip(*each, strict=True)))
        else:
            (row,) = rows
            values = [
                written(column.field, getattr(row, column.field.attname), on)
                for column in self.columns
            ]
        return f"{self.head} VALUES {', '.join([self.group] * len(rows))}{self.tail}", values


class Insert(Generic[M]):
    """Rows of one model in one statement; each instance gets its new id.

    ``skip_conflicts``: a row whose key is taken is left out, and then no instance gets an id. With
    ``conflict_column`` only that key counts; others still end in an IntegrityError.
    """

    def __init__(
        self, model: type[M], *, skip_conflicts: bool = False, conflict_column: str = ""
    ) -> None:
        self._model = model
        self._tail = _on_conflict(skip=skip_conflicts, column=conflict_column)
        self._ready: dict[str, _Shape] = {}

    def _shape(self, on: BaseDatabaseWrapper) -> _Shape:
        shape = self._ready.get(on.vendor)
        if shape is None:
            meta = self._model._meta
            assert meta.pk is not None, "a row has an id"
            columns = [
                _column(field, on)
                for field in meta.local_concrete_fields
                if field != meta.auto_field
            ]
            shape = self._ready[on.vendor] = _Shape(
                _into(self._model, columns, on),
                f"({', '.join(['%s'] * len(columns))})",
                _from_arrays(columns) if on.vendor == "postgresql" else "",
                f"{self._tail} RETURNING {on.ops.quote_name(str(meta.pk.column))}",
                columns,
            )
        return shape

    def run(self, rows: Sequence[M]) -> int:
        """Write the rows; return how many were written. Raises: IntegrityError."""
        return len(self.ids(rows))

    def ids(self, rows: Sequence[M]) -> list[int]:
        """Write the rows; return the ids of those that were written. Raises: IntegrityError."""
        if not rows:
            return []
        on = database()
        shape = self._shape(on)
        most = shape.most
        if len(rows) > most:
            return self.ids(rows[:most]) + self.ids(rows[most:])
        numbers = [found[0] for found in fetched(on, *shape.filled(rows, on))]
        if len(numbers) == len(rows):
            for row, number in zip(rows, numbers, strict=True):
                row.pk = number
                row._state.adding = False  # noqa: SLF001
                row._state.db = on.alias  # noqa: SLF001
        return numbers

    def one(self, row: M) -> M:
        """Write one row; return it with its id. Raises: IntegrityError."""
        self.run([row])
        return row

    def along(self, rows: Sequence[M]) -> None:
        """Write rows whose ids nobody needs, with the next statement or the commit.

        Raises there, at the latest: IntegrityError.
        """
        on = database()
        shape = self._shape(on)
        for start in range(0, len(rows), shape.most):
            sent_along(on, *shape.filled(rows[start : start + shape.most], on))


@dataclass(frozen=True, slots=True)
class _ManyShape:
    """The text of an insert of plain rows. ``defaults``: of the columns that nobody named.

    For SQLite ``together`` is the text for as many rows as it writes at once, and ``written`` the
    columns that it does not take as they are, with their places.
    """

    sql: str
    together: str
    columns: list[_Column]
    shared: list[_Column]
    defaults: list[object]
    written: list[tuple[int, _Column]]


class InsertMany:
    """Plain rows of one model, as tuples of the named ``columns``; the others have defaults.

    ``shared``: columns with one value for all rows of a run. Nothing comes back: ids are either
    among the columns (``NewIds``) or counted by the database. ``skip_conflicts``: as ``Insert``;
    ``merge``: what is written of a row that is there already.
    """

    def __init__(
        self,
        model: type[Model],
        *columns: str,
        shared: Sequence[str] = (),
        skip_conflicts: bool = False,
        merge: Merge | None = None,
    ) -> None:
        self._model = model
        self._names = columns
        self._shared = shared
        self._merge = merge
        self._tail = _on_conflict(skip=skip_conflicts, column="")
        self._ready: dict[str, _ManyShape] = {}

    def _shape(self, on: BaseDatabaseWrapper) -> _ManyShape:
        shape = self._ready.get(on.vendor)
        if shape is None:
            meta = self._model._meta
            fields = {field.attname: field for field in meta.local_concrete_fields}
            named = [_column(fields.pop(name), on) for name in self._names]
            shared = [_column(fields.pop(name), on) for name in self._shared]
            rest = [_column(each, on) for each in fields.values() if each != meta.auto_field]
            into = _into(self._model, [*named, *shared, *rest], on)
            tail = self._tail + (self._merge.sql(self._model, on) if self._merge else "")
            if on.vendor == "postgresql":
                sql = together = into + _from_arrays(named, [*shared, *rest]) + tail
            else:
                group = f"({', '.join(['%s'] * (len(named) + len(shared) + len(rest)))})"
                sql, together = (
                    f"{into} VALUES {', '.join([group] * count)}{tail}"
                    for count in (1, sqlite.ROWS_AT_ONCE)
                )
            defaults = [_one(column.field, _default(column.field), on) for column in rest]
            odd = [(place, each) for place, each in enumerate(named) if not each.is_plain]
            shape = self._ready[on.vendor] = _ManyShape(sql, together, named, shared, defaults, odd)
        return shape

    def along(self, rows: Sequence[tuple[object, ...]], **shared: object) -> None:
        """Write the rows, in this order, with the next statement or the commit.

        Raises there, at the latest: IntegrityError.
        """
        if not rows:
            return
        on = database()
        shape = self._shape(on)
        fixed = [_one(each.field, shared[each.field.attname], on) for each in shape.shared]
        fixed += shape.defaults
        if on.vendor == "postgresql":
            columns = zip(shape.columns, zip(*rows, strict=True), strict=True)
            many = [column.many(values, on) for column, values in columns]
            sent_along(on, shape.sql, [*fixed, *many])
            return
        end = tuple(fixed)
        for place, column in shape.written:
            rows = _with_column(rows, place, column, on)
        sent_each(on, shape.sql, shape.together, [row + end for row in rows] if end else rows)

    def instances(self, rows: Iterable[tuple[Any, ...]], **shared: object) -> list[Any]:
        """Return the instances of rows that were written with their ids, as a query would."""
        fields = self._model._meta.concrete_fields
        names = [field.attname for field in fields]
        rest = [field for field in fields if field.attname not in self._names]
        fixed = tuple(
            shared[each.attname] if each.attname in self._shared else _default(each)
            for each in rest
        )
        given = [*self._names, *(field.attname for field in rest)]
        in_order = itemgetter(*map(given.index, names))
        return [made(self._model, names, in_order(row + fixed), DEFAULT_DB_ALIAS) for row in rows]


def _with_column(
    rows: Sequence[tuple[object, ...]], place: int, column: _Column, on: BaseDatabaseWrapper
) -> Sequence[tuple[object, ...]]:
    """Return rows with one of their columns as SQLite takes it."""
    forms = column.each([row[place] for row in rows], on)
    after = place + 1
    return [(*row[:place], form, *row[after:]) for row, form in zip(rows, forms, strict=True)]


def _default(field: AnyField) -> object:
    assert not callable(field.default) or not field.has_default(), "a default that never changes"
    return field.get_default()


def _one(field: AnyField, value: object, on: BaseDatabaseWrapper) -> object:
    """Return one value of a column, as both databases take it."""
    return json_text(field, value) if isinstance(field, JSONField) else written(field, value, on)
