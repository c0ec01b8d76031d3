"""Statements that Django composes once and a busy path then only fills in and runs.

Composing a queryset's SQL takes longer than running it, and a purchase runs some fifty statements.
A statement here is written as a queryset, with ``Param`` where values come; its SQL is kept for the
life of the process, for each database vendor. Rows come back as ordinary instances of their models.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery

from diandian.store.forms import made, packed, read_by
from diandian.store.running import Answer, database, fetched, sent_along

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


class _All(Param):
    """Stands for all items of a list at once, where the database takes an array."""

    def of(self, values: Values, on: BaseDatabaseWrapper) -> object:
        """Return the items as one array."""
        return packed(cast("Sequence[Any]", values[self.name]), on)


_PARAMS = frozenset({Param, _All})


def _filled(params: Sequence[object], values: Values, on: BaseDatabaseWrapper) -> list[Any]:
    return [
        param.of(values, on) if type(param) in _PARAMS else param  # type: ignore[attr-defined]
        for param in params
    ]


class _Listed:
    """Puts a list into a statement: as an array on PostgreSQL, where one plan serves every length.

    SQLite has as many marks; sizes go in powers of two, the last value repeated.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def size_for(count: int, on: BaseDatabaseWrapper) -> int:
        return 0 if on.vendor == "postgresql" else 1 << (count - 1).bit_length()

    def marks(self, size: int) -> list[Any]:
        return [Param(f"{self.name}.{index}") for index in range(size)] or [_All(self.name)]

    def spread(self, items: Sequence[object], on: BaseDatabaseWrapper) -> dict[str, object]:
        assert items, "a statement about nothing is not run"
        size = self.size_for(len(items), on)
        if not size:
            return {self.name: items}
        last = len(items) - 1
        return {f"{self.name}.{index}": items[min(index, last)] for index in range(size)}


_ITEMS = _Listed("items")


def _with_array(sql: str, params: Sequence[object]) -> str:
    """Return a statement with ``= ANY(array)`` where all of a list stands behind ``IN``."""
    first, *rest = sql.split("%s")
    done = [first]
    for param, part in zip(params, rest, strict=True):
        if type(param) is _All:
            before = done[-1].removesuffix("IN (")
            assert before != done[-1], "a list stands behind IN"
            done[-1] = f"{before}= ANY("
        done.append(part)
    return "%s".join(done)


# The stubs of Django 6 know one argument more than Django 5.2 has.
_populators: Callable[..., list[Any]] = get_related_populators


class _Maker:
    """Stands for a model where Django makes the instances of related rows."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    def from_db(self, alias: str, names: Sequence[str], values: Sequence[Any]) -> Model:
        """Return the instance of a row."""
        return made(self._model, names, values, alias)


def _quick(populators: list[Any]) -> list[Any]:
    for populator in populators:
        populator.model_cls = _Maker(populator.model_cls)
        _quick(populator.related_populators)
    return populators


@dataclass(frozen=True, slots=True)
class _Rows:
    """A composed query and how its rows become instances."""

    sql: str
    params: Sequence[object]
    compiler: Any
    converters: Any
    model: type[Model] | None
    first: int
    last: int
    names: list[str]
    populators: list[Any]


def _composed_select(queryset: QuerySet[Any], on: BaseDatabaseWrapper) -> _Rows:
    compiler = queryset.query.get_compiler(using=on.alias)
    sql, params = compiler.as_sql()
    sql = _with_array(sql, params)
    info = compiler.klass_info
    if queryset.query.values_select or info is None:
        return _Rows(sql, params, compiler, _converters(compiler), None, 0, 0, [], [])
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
        _quick(_populators(info, compiler.select, on.alias)),
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
        return _instances(ready, fetched(on, ready.sql, _filled(ready.params, values, on)), on)

    def first(self, **values: object) -> M | None:
        """Run it; return the first instance, or None. The queryset limits itself where it must."""
        found = self.all(**values)
        return found[0] if found else None


class SelectMany(Generic[M]):
    """A queryset about a list: ``build`` gets the marks that stand for the list's items.

    Of a queryset with ``values_list`` the rows come back as plain tuples.
    """

    def __init__(self, build: Callable[[list[Any]], QuerySet[M]]) -> None:
        self._build = build
        self._ready: dict[tuple[str, int], _Rows] = {}

    def all(self, items: Sequence[object], /, **values: object) -> list[M]:
        """Run it; return the instances in the queryset's order; none for no items."""
        return self.ask(items, **values)() if items else []

    def ask(self, items: Sequence[object], /, **values: object) -> Callable[[], list[M]]:
        """Ask for it; return what waits for its instances."""
        on = database()
        key = on.vendor, _ITEMS.size_for(len(items), on)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = _composed_select(self._build(_ITEMS.marks(key[1])), on)
        given = {**values, **_ITEMS.spread(items, on)}
        answer = Answer(on, ready.sql, _filled(ready.params, given, on))
        return lambda: _instances(ready, answer.rows(), on)


def _instances(ready: _Rows, rows: Any, on: BaseDatabaseWrapper) -> list[Any]:  # noqa: ANN401
    if ready.converters:
        rows = ready.compiler.apply_converters(rows, ready.converters)
    if ready.model is None:
        return [tuple(row) for row in rows]
    found = []
    for row in rows:
        instance = made(ready.model, ready.names, row[ready.first : ready.last], on.alias)
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
        return self.ask(items, **values).count()

    def ask(self, items: Sequence[object] = (), /, **values: object) -> Answer:
        """Ask for it; reading its answer waits for how many rows changed."""
        on = database()
        return Answer(on, *self._filled(on, items, values))

    def along(self, items: Sequence[object] = (), /, **values: object) -> None:
        """Run it with the next statement or the commit; nobody needs to know how many changed."""
        on = database()
        sent_along(on, *self._filled(on, items, values))

    def _filled(
        self, on: BaseDatabaseWrapper, items: Sequence[object], values: Values
    ) -> tuple[str, list[Any]]:
        size = _ITEMS.size_for(len(items), on) if items else 0
        key = on.vendor, size
        ready = self._ready.get(key)
        if ready is None:
            query: Any = self._build(_ITEMS.marks(size)).query.chain(UpdateQuery)
            query.add_update_values(self._changes)
            sql, params = query.get_compiler(using=on.alias).as_sql()
            ready = self._ready[key] = _with_array(sql, params), params
        given = {**values, **_ITEMS.spread(items, on)} if items else values
        return ready[0], _filled(ready[1], given, on)
