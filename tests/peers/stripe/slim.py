"""Keeps hundreds of thousands of objects small: what is the same in most of a sort is kept once."""

from functools import wraps

# Of the first object of each sort, what may be shared.
_COMMON = {}
_SHARED_TREES = {
    "adaptive_pricing",
    "allowed_payment_method_types",
    "automatic_tax",
    "billing_details",
    "custom_fields",
    "custom_text",
    "destination_details",
    "discounts",
    "fee_details",
    "fraud_details",
    "payment_method_details",
    "payment_method_options",
    "payment_method_types",
    "shipping_options",
    "total_details",
}


class Thing(dict):
    """An object that has at hand only what is its own."""

    def __missing__(self, key):
        return _COMMON[self["object"]][key]


def slim(make):
    """Let a maker of objects keep apart what they have in common."""

    @wraps(make)
    def made(*args, **facts):
        full = make(*args, **facts)
        common = _COMMON.setdefault(
            full["object"],
            {
                name: value
                for name, value in full.items()
                if not isinstance(value, dict | list) or name in _SHARED_TREES
            },
        )
        return Thing(
            (name, value)
            for name, value in full.items()
            if name == "object" or not _is_common(common, name, value)
        )

    return made


def _is_common(common, name, value):
    # 0 and False are equal, and not the same.
    return name in common and common[name] == value and type(common[name]) is type(value)


def shown(thing):
    """Return a whole object, as an answer shows it."""
    whole = {**_COMMON.get(thing["object"], {}), **thing}
    return {name: value for name, value in whole.items() if not name.startswith("_")}
