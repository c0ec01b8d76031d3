"""In which form values go to the database and come back, where Django's own way is the slow one.

JSON is written and read by msgspec: a footprint with its lines took longer to read than to fetch.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, JSONField, Model
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

M = TypeVar("M", bound=Model)
# What both databases take as it is; a field may still have a form of its own for others.
_PLAIN = frozenset({int, str, type(None)})
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def _dumped(value: object) -> str:
    return _encode(value).decode()


def are_plain(values: Iterable[object]) -> bool:
    """Tell whether both databases take all of a field's values as they are."""
    return _PLAIN.issuperset(map(type, values))


def written(field: "Field[Any, Any]", value: object, on: BaseDatabaseWrapper) -> object:
    """Return a field's value as the database takes it."""
    if isinstance(field, JSONField):
        return _json(field, value, on)
    if type(value) in _PLAIN:
        return value
    return field.get_db_prep_save(value, on)


def _json(field: JSONField, value: object, on: BaseDatabaseWrapper) -> object:
    if type(value) not in {dict, list} or field.encoder is not None:
        return field.get_db_prep_save(value, on)
    if on.vendor != "postgresql":
        return _dumped(value)
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - only where PostgreSQL is spoken

    return Jsonb(value, dumps=_dumped)


def json_text(field: JSONField, value: object) -> str | None:
    """Return a JSON field's value as text; None, the missing value, stays None."""
    if value is None:
        return None
    return _dumped(value) if field.encoder is None else json.dumps(value, cls=field.encoder)


def packed(values: Iterable[Any], on: Any, *, of_integers: bool | None = None) -> list[Any]:  # noqa: ANN401
    """Return values of one kind, integers or texts, as PostgreSQL takes an array.

    ``of_integers``: where the kind is known; else the first value tells.
    """
    from diandian.store.postgresql import arrays  # noqa: PLC0415 - only where it is spoken

    if not on.binds_on_server:
        return list(values)
    if of_integers is None:
        values = list(values)
        of_integers = type(values[0]) is int
    return arrays.Integers(values) if of_integers else arrays.Texts(values)


@cache
def _is_silent(model: type[Model]) -> bool:
    """Tell whether nobody wants to hear when an instance of the model is made."""
    return (
        model.__init__ is Model.__init__
        and model.from_db.__func__ is Model.from_db.__func__  # type: ignore[attr-defined]
        and not pre_init.has_listeners(model)
        and not post_init.has_listeners(model)
    )


def made(model: type[M], names: Sequence[str], values: Sequence[Any], alias: str) -> M:
    """Return the instance that a row of a table is, as ``Model.from_db`` does.

    Columns that are not among ``names`` are read when they are asked for. Where a model wants to
    hear of its instances, Django makes them.
    """
    if not _is_silent(model):
        return model.from_db(alias, names, values)
    instance = model.__new__(model)
    instance._state = state = ModelState()  # noqa: SLF001
    state.adding, state.db = False, alias
    instance.__dict__.update(zip(names, values, strict=True))
    return instance


Converter = Callable[[Any, Any, Any], Any]


def read_by(converters: list[Converter]) -> list[Converter]:
    """Return a column's converters, with the reading of JSON exchanged for the quick one."""
    return [_read_json if _is_json(each) else each for each in converters]


def _is_json(converter: Converter) -> bool:
    field = getattr(converter, "__self__", None)
    return type(field) is JSONField and field.decoder is None


def _read_json(value: str | None, expression: object, connection: object) -> object:
    del expression, connection
    return None if value is None else _decode(value)
