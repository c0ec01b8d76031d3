"""Statements that Django composes once and a busy path then only fills in and runs.

Composing a queryset's SQL takes longer than running it, and a purchase runs some fifty statements.
A statement here is written as a queryset, with ``Param`` where values come; its SQL is kept for the
life of the process, for each database vendor. Rows come back as ordinary instances of their models.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery

from diandian.store.forms import read_by, written
from diandian.store.running import changed, database, fetched, sent_along

M = TypeVar("M", bound=Model)
Values = Mapping[str, object]


class Param(Expression):
    """A value that is given when the statement runs. ``field``: how its database writes it."""

    def __init__(self, name: str, field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=field)
        self.name = name
        self.written_by = field

    def as_sql(self, *_: object, **__: object) -> tuple[str, Any]:
        """Return a placeholder, and this mark of where its value goes."""
        return "%s", [self]

    def of(self, values: Values, on: BaseDatabaseWrapper) -> object:
        """Return the value as the database takes it."""
        value = values[self.name]
        if self.written_by is None:
            return value
        return self.written_by.get_db_prep_value(value, on)


def _filled(params: Sequence[object], values: Values, on: BaseDatabaseWrapper) -> list[Any]:
    return [param.of(values, on) if type(param) is Param else param for param in params]


class _Listed:
    """Spreads a list over as many marks; sizes go in powers of two, the last value repeated."""

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def size_for(count: int) -> int:
        return 1 << (count - 1).bit_length()

    def marks(self, size: int) -> list[Any]:
        return [Param(f"{self.name}.{index}") for index in range(size)]

    def spread(self, items: Sequence[object]) -> dict[str, object]:
        assert items, "a statement about nothing is not run"
        last = len(items) - 1
        size = self.size_for(len(items))
        return {f"{self.name}.{index}": items[min(index, last)] for index in range(size)}


_ITEMS = _Listed("items")
# SQLite takes 32,766 values in a statement, PostgreSQL 65,535.
_MOST_VALUES = 30_000
# The driver remembers how it read a text of up to 50 values, and the server what it planned. So a
# few rows with more values go in portions whose texts come again.
_REMEMBERED_VALUES, _MANY_ROWS = 48, 16


def _portion(rows: int, fields: int) -> int:
    """Return how many rows the next statement writes."""
    if rows > _MANY_ROWS:
        return _MOST_VALUES // fields
    if rows * fields <= _REMEMBERED_VALUES:
        return rows
    most = max(1, _REMEMBERED_VALUES // fields)
    return 1 << (most.bit_length() - 1)


# The stubs of Django 6 know one argument more than Django 5.2 has.
_populators: Callable[..., list[Any]] = get_related_populators


@dataclass(frozen=True, slots=True)
class _Rows:
    """A composed query and how its rows become instances."""

    sql: str
    params: Sequence[object]
    compiler: Any
    converters: Any
    model: type[Model]
    first: int
    last: int
    names: list[str]
    populators: list[Any]


def _composed_select(queryset: QuerySet[Any], on: BaseDatabaseWrapper) -> _Rows:
    compiler = queryset.query.get_compiler(using=on.alias)
    sql, params = compiler.as_sql()
    info = compiler.klass_info
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    return _Rows(
        sql,
        params,
        compiler,
        _converters(compiler),
        queryset.model,
        first,
        last,
        [column[0].target.attname for column in compiler.select[first:last]],
        _populators(info, compiler.select, on.alias),
    )


def _converters(compiler: Any) -> dict[int, tuple[list[Any], Any]]:  # noqa: ANN401 - untyped there
    found = compiler.get_converters([column[0] for column in compiler.select])
    return {index: (read_by(each), column) for index, (each, column) in found.items()}


class Select(Generic[M]):
    """A queryset of instances, with ``select_related``, order and locks as it says."""

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._build = build
        self._ready: dict[str, _Rows] = {}

    def all(self, **values: object) -> list[M]:
        """Run it; return the instances in the queryset's order."""
        on = database()
        ready = self._ready.get(on.vendor)
        if ready is None:
            ready = self._ready[on.vendor] = _composed_select(self._build(), on)
        return _instances(ready, values, on)

    def first(self, **values: object) -> M | None:
        """Run it; return the first instance, or None. The queryset limits itself where it must."""
        found = self.all(**values)
        return found[0] if found else None


class SelectMany(Generic[M]):
    """A queryset about a list: ``build`` gets the marks that stand for the list's items."""

    def __init__(self, build: Callable[[list[Any]], QuerySet[M]]) -> None:
        self._build = build
        self._ready: dict[tuple[str, int], _Rows] = {}

    def all(self, items: Sequence[object], /, **values: object) -> list[M]:
        """Run it; return the instances in the queryset's order; none for no items."""
        if not items:
            return []
        on = database()
        key = on.vendor, _ITEMS.size_for(len(items))
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = _composed_select(self._build(_ITEMS.marks(key[1])), on)
        return _instances(ready, {**values, **_ITEMS.spread(items)}, on)


def _instances(ready: _Rows, values: Values, on: BaseDatabaseWrapper) -> list[Any]:
    rows: Any = fetched(on, ready.sql, _filled(ready.params, values, on))
    if ready.converters:
        rows = ready.compiler.apply_converters(rows, ready.converters)
    found = []
    for row in rows:
        instance = ready.model.from_db(on.alias, ready.names, row[ready.first : ready.last])
        for populator in ready.populators:
            populator.populate(row, instance)
        found.append(instance)
    return found


class Update:
    """A filtered update: ``Update(lambda _: Order.objects.filter(id=Param("id")), state=...)``.

    ``build`` gets the marks of a list's items. What stands in ``changes`` is fixed or a ``Param``.
    """

    def __init__(self, build: Callable[[list[Any]], QuerySet[Any]], **changes: object) -> None:
        self._build = build
        self._changes = changes
        self._ready: dict[tuple[str, int], tuple[str, Sequence[object]]] = {}

    def run(self, items: Sequence[object] = (), /, **values: object) -> int:
        """Run it; return how many rows changed."""
        on = database()
        return changed(on, *self._filled(on, items, values))

    def along(self, items: Sequence[object] = (), /, **values: object) -> None:
        """Run it with the next statement or the commit; nobody needs to know how many changed."""
        on = database()
        sent_along(on, *self._filled(on, items, values))

    def _filled(
        self, on: BaseDatabaseWrapper, items: Sequence[object], values: Values
    ) -> tuple[str, list[Any]]:
        size = _ITEMS.size_for(len(items)) if items else 0
        key = on.vendor, size
        ready = self._ready.get(key)
        if ready is None:
            query: Any = self._build(_ITEMS.marks(size)).query.chain(UpdateQuery)
            query.add_update_values(self._changes)
            ready = self._ready[key] = query.get_compiler(using=on.alias).as_sql()
        given = {**values, **_ITEMS.spread(items)} if items else values
        return ready[0], _filled(ready[1], given, on)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fixed parts of an insert."""

    head: str
    group: str
    tail: str
    fields: list["Field[Any, Any]"]


class Insert(Generic[M]):
    """Rows of one model in one statement; each instance gets its new id.

    ``skip_conflicts``: a row whose key is taken is left out, and then no instance gets an id. With
    ``conflict_column`` only that key counts; others still end in an IntegrityError.
    """

    def __init__(
        self, model: type[M], *, skip_conflicts: bool = False, conflict_column: str = ""
    ) -> None:
        self._model = model
        column = f"({conflict_column}) " if conflict_column else ""
        self._tail = f" ON CONFLICT {column}DO NOTHING" if skip_conflicts else ""
        self._ready: dict[str, _Shape] = {}

    def _shape(self, on: BaseDatabaseWrapper) -> _Shape:
        shape = self._ready.get(on.vendor)
        if shape is None:
            meta, quote = self._model._meta, on.ops.quote_name
            assert meta.pk is not None, "a row has an id"
            fields = [field for field in meta.local_concrete_fields if field != meta.auto_field]
            names = ", ".join(quote(str(field.column)) for field in fields)
            # Names of tables and columns are the models' own; values are parameters.
            head = f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES "  # noqa: S608
            tail = f"{self._tail} RETURNING {quote(str(meta.pk.column))}"
            group = f"({', '.join(['%s'] * len(fields))})"
            shape = self._ready[on.vendor] = _Shape(head, group, tail, fields)
        return shape

    def run(self, rows: Sequence[M]) -> int:
        """Write the rows; return how many were written. Raises: IntegrityError."""
        if not rows:
            return 0
        on = database()
        shape = self._shape(on)
        most = _portion(len(rows), len(shape.fields))
        if len(rows) > most:
            return self.run(rows[:most]) + self.run(rows[most:])
        numbers = [found[0] for found in fetched(on, *_filled_shape(shape, rows, on))]
        if len(numbers) == len(rows):
            for row, number in zip(rows, numbers, strict=True):
                row.pk = number
                row._state.adding = False  # noqa: SLF001
                row._state.db = on.alias  # noqa: SLF001
        return len(numbers)

    def one(self, row: M) -> M:
        """Write one row; return it with its id. Raises: IntegrityError."""
        self.run([row])
        return row

    def along(self, rows: Sequence[M]) -> None:
        """Write rows whose ids nobody needs, with the next statement or the commit.

        Raises there, at the latest: IntegrityError.
        """
        if not rows:
            return
        on = database()
        shape = self._shape(on)
        most = _portion(len(rows), len(shape.fields))
        for start in range(0, len(rows), most):
            sent_along(on, *_filled_shape(shape, rows[start : start + most], on))


def _filled_shape(
    shape: _Shape, rows: Sequence[Model], on: BaseDatabaseWrapper
) -> tuple[str, list[object]]:
    values = [
        written(field, getattr(row, field.attname), on) for row in rows for field in shape.fields
    ]
    return shape.head + ", ".join([shape.group] * len(rows)) + shape.tail, values
