"""Form parameters with brackets, read as the gateway reads them, and refused as it refuses them."""

import re
from urllib.parse import parse_qsl

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_METADATA_KEYS = 50

TEXT, INTEGER, FLAG, NUMBER_LIST, ANY = "text", "integer", "flag", "list", "any"
_SPAN = {"gt": INTEGER, "gte": INTEGER, "lt": INTEGER, "lte": INTEGER}
_LISTED = {
    "limit": INTEGER,
    "starting_after": TEXT,
    "ending_before": TEXT,
    "created": _SPAN,
    "expand": NUMBER_LIST,
}
_ITEM = {
    "quantity": INTEGER,
    "price_data": {
        "currency": TEXT,
        "unit_amount": INTEGER,
        "product_data": {"name": TEXT, "description": TEXT},
    },
}

# What each call takes; the gateway refuses a parameter that it does not know.
KNOWN = {
    "GET account": {"expand": NUMBER_LIST},
    "GET accounts": _LISTED,
    "GET one": {"expand": NUMBER_LIST},
    "GET sessions": _LISTED | {"status": TEXT, "payment_intent": TEXT},
    "GET charges": _LISTED | {"transfer_group": TEXT, "payment_intent": TEXT},
    "GET refunds": _LISTED | {"charge": TEXT, "payment_intent": TEXT},
    "GET disputes": _LISTED | {"charge": TEXT, "payment_intent": TEXT},
    "GET transfers": _LISTED | {"transfer_group": TEXT, "destination": TEXT},
    "GET reversals": _LISTED,
    "GET balance_transactions": _LISTED | {"currency": TEXT, "type": TEXT, "source": TEXT},
    "GET events": _LISTED | {"type": TEXT},
    "POST expire": {"expand": NUMBER_LIST},
    "POST sessions": {
        "mode": TEXT,
        "client_reference_id": TEXT,
        "metadata": ANY,
        "payment_intent_data": {"metadata": ANY, "transfer_group": TEXT, "description": TEXT},
        "line_items": [_ITEM],
        "allowed_payment_method_types": NUMBER_LIST,
        "adaptive_pricing": {"enabled": FLAG},
        "expires_at": INTEGER,
        "success_url": TEXT,
        "cancel_url": TEXT,
        "locale": TEXT,
        "expand": NUMBER_LIST,
    },
    "POST refunds": {
        "charge": TEXT,
        "payment_intent": TEXT,
        "amount": INTEGER,
        "reason": TEXT,
        "metadata": ANY,
        "expand": NUMBER_LIST,
    },
    "POST transfers": {
        "amount": INTEGER,
        "currency": TEXT,
        "destination": TEXT,
        "source_transaction": TEXT,
        "transfer_group": TEXT,
        "description": TEXT,
        "metadata": ANY,
        "expand": NUMBER_LIST,
    },
    "POST reversals": {"amount": INTEGER, "description": TEXT, "metadata": ANY},
}


class RefusedError(Exception):
    """The gateway refuses a call. ``kind`` is its word for the sort of error."""

    def __init__(self, code, message, *, status=400, kind="invalid_request_error", param=None):
        self.status = status
        self.body = {
            "error": {
                "code": code,
                "doc_url": f"https://docs.stripe.com/error-codes/{code}",
                "message": message,
                "param": param,
                "type": kind,
            }
        }
        super().__init__(message)


def read(encoded, call):
    """Return the parameters of a call, each of its type."""
    tree = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        match = _KEY.fullmatch(key)
        if match is None:
            raise RefusedError("parameter_unknown", f"Received unknown parameter: {key}", param=key)
        steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        _put(tree, steps, value)
    return _typed(tree, KNOWN[call], "")


def _put(tree, steps, value):
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise RefusedError("parameter_invalid", "Invalid parameter.", param=step)
    last = steps[-1]
    if last == "":
        last = str(len(tree))
    tree[last] = value


def _typed(value, kind, name):
    if kind == ANY:
        return _metadata(value, name)
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            if name == "created" and str(value).isdigit():
                return {"gte": int(value), "lte": int(value)}
            raise RefusedError("parameter_invalid", f"Invalid object: {name}", param=name)
        for key in value:
            if key not in kind:
                full = f"{name}[{key}]" if name else key
                text = f"Received unknown parameter: {full}"
                raise RefusedError("parameter_unknown", text, param=full)
        return {key: _typed(each, kind[key], key) for key, each in value.items()}
    if isinstance(kind, list) or kind == NUMBER_LIST:
        if not isinstance(value, dict):
            raise RefusedError("parameter_invalid", f"Invalid array: {name}", param=name)
        inner = kind[0] if isinstance(kind, list) else TEXT
        return [_typed(value[key], inner, name) for key in sorted(value, key=int)]
    return _plain(value, kind, name)


def _plain(value, kind, name):
    if not isinstance(value, str):
        raise RefusedError("parameter_invalid", f"Invalid string: {name}", param=name)
    if kind == INTEGER:
        if not re.fullmatch(r"-?[0-9]{1,15}", value):
            raise RefusedError("parameter_invalid_integer", f"Invalid integer: {value}", param=name)
        return int(value)
    if kind == FLAG:
        if value not in {"true", "false", "True", "False"}:
            raise RefusedError("parameter_invalid", f"Invalid boolean: {value}", param=name)
        return value.lower() == "true"
    if not value:
        text = f"You passed an empty string for '{name}'."
        raise RefusedError("parameter_invalid_empty", text, param=name)
    if len(value) > 5000:
        raise RefusedError("parameter_invalid", f"Invalid string: {name} is too long", param=name)
    return value


def _metadata(value, name):
    if not isinstance(value, dict) or len(value) > _METADATA_KEYS:
        raise RefusedError("parameter_invalid", f"Invalid hash: {name}", param=name)
    for key, text in value.items():
        if len(key) > 40 or not isinstance(text, str) or len(text) > 500:
            raise RefusedError("parameter_invalid", "Metadata is too long.", param=name)
    return dict(value)
