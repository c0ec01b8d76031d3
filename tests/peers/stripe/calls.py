"""The gateway's calls: who asks, with which version and idempotency key, and what is answered."""

import base64
import hashlib
import json
import zlib

import connect
import forms
import shapes
from bank import A_DAY, VERSION
from forms import RefusedError
from slim import shown


class Calls:
    """Answers of one bank. Not safe for threads: who calls holds the bank's lock."""

    def __init__(self, bank):
        self.bank = bank

    def answer(self, method, path, query, headers, body):
        """Return status, headers and JSON of an answer."""
        try:
            steps = path.removeprefix("/v1/").split("/")
            account = self._who(headers)
            _check_rights(account, steps, headers.get("stripe-version", VERSION))
            if method == "POST":
                return self._once(account, steps, path, headers, body)
            return 200, {}, self._get(account, steps, query)
        except RefusedError as error:
            return error.status, {}, error.body

    def _who(self, headers):
        kind, _, key = headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            try:
                key = base64.b64decode(key).decode().partition(":")[0]
            except ValueError:
                key = ""
        account = self.bank.by_key.get(key)
        if account is None:
            text = f"Invalid API Key provided: {key[:8]}****"
            raise RefusedError(None, text, status=401)
        return account

    # -- writing ------------------------------------------------------------------------------

    def _once(self, account, steps, path, headers, body):
        """Do a thing once for each idempotency key, and answer the same within a day."""
        key = headers.get("idempotency-key", "")
        if len(key) > 255:
            raise RefusedError("parameter_invalid", "The idempotency key is too long.")
        now = self.bank.now()
        asked = account.asked.get(key) if key else None
        digest = hashlib.sha256(f"{path}?{body}".encode()).digest()
        if asked and now - asked[0] < A_DAY:
            if asked[1] != digest:
                text = (
                    f"Keys for idempotent requests can only be used with the same parameters: {key}"
                )
                raise RefusedError(None, text, kind="idempotency_error")
            return asked[2], {"Idempotent-Replayed": "true"}, json.loads(zlib.decompress(asked[3]))
        call, act = self._write(account, steps)
        # What fails validation is not kept, so it may be mended and sent again.
        params = forms.read(body, call)
        expand = params.pop("expand", [])
        try:
            status, found = 200, _expanded(account, shown(act(params)), expand)
        except RefusedError as error:
            status, found = error.status, error.body
        if key:
            kept = zlib.compress(json.dumps(found).encode(), 1)
            account.asked[key] = (now, digest, status, kept)
        return status, {}, found

    def _write(self, account, steps):
        match steps:
            case ["checkout", "sessions"]:
                return "POST sessions", account.open_page
            case ["checkout", "sessions", name, "expire"]:
                return "POST expire", lambda _: account.close_page(name)
            case ["refunds"]:
                return "POST refunds", account.refund
            case ["transfers"]:
                return "POST transfers", account.transfer
            case ["transfers", name, "reversals"]:
                return "POST reversals", lambda params: account.reverse(name, params)
        raise RefusedError(None, "Unrecognized request URL.", status=404)

    # -- reading ------------------------------------------------------------------------------

    def _get(self, account, steps, query):
        match steps:
            case ["account"]:
                forms.read(query, "GET account")
                return shapes.account(
                    account.name,
                    currency=account.currency or "sgd",
                    is_live=account.is_live,
                    is_open=account.is_open,
                )
            case ["accounts", name]:
                found = connect.connected(account, name)
            case ["checkout", "sessions", name]:
                found = account.page_of(name)
            case [
                "charges" | "refunds" | "transfers" | "disputes" | "payment_intents" as what,
                name,
            ]:
                shelf = account.intents if what == "payment_intents" else getattr(account, what)
                found = shelf.get(name, what.removesuffix("s"))
            case _:
                return self._list(account, steps, query)
        params = forms.read(query, "GET one")
        return _expanded(account, shown(found), params.get("expand", []))

    def _list(self, account, steps, query):
        match steps:
            case ["accounts"]:
                params = forms.read(query, "GET accounts")
                page, more = connect.listed(account), False
            case ["checkout", "sessions"]:
                params = forms.read(query, "GET sessions")
                status = params.get("status")
                page, more = account.sessions.page(
                    params,
                    fits=lambda each: status in (None, account.page_of(each["id"])["status"]),
                )
            case ["transfers", name, "reversals"]:
                params = forms.read(query, "GET reversals")
                account.transfers.get(name, "transfer")
                page, more = account.reversals.page(
                    params, among=account.reversals.groups.get(name, [])
                )
            case ["charges" | "refunds" | "transfers" | "disputes" as what]:
                params = forms.read(query, f"GET {what}")
                shelf = getattr(account, what)
                group = params.get("transfer_group") or params.get("charge")
                group = group or params.get("payment_intent")
                among = None if group is None else shelf.groups.get(group, [])
                page, more = shelf.page(params, among=among)
            case ["balance_transactions"]:
                params = forms.read(query, "GET balance_transactions")
                kind = params.get("type")
                page, more = account.movements.page(
                    params, fits=lambda each: kind in (None, each["type"])
                )
            case ["events"]:
                params = forms.read(query, "GET events")
                kind = params.get("type")
                page, more = account.events.page(
                    params, fits=lambda each: kind in (None, each["type"])
                )
            case _:
                raise RefusedError(None, "Unrecognized request URL.", status=404)
        expand = [each.removeprefix("data.") for each in params.get("expand", [])]
        data = [_expanded(account, shown(each), expand) for each in page]
        url = "/v1/" + "/".join(steps)
        return {"object": "list", "data": data, "has_more": more, "url": url}


def _check_rights(account, steps, version):
    if version != VERSION:
        raise RefusedError("parameter_invalid", f"Invalid Stripe API version: {version}")
    if steps[0] in account.denied:
        text = "The provided key does not have the required permissions."
        raise RefusedError("more_permissions_required", text, status=403)


def _expanded(account, thing, paths):
    """Put things in the place of their names, as asked."""
    for path in paths:
        _expand(account, thing, path.split("."))
    return thing


def _expand(account, thing, steps):
    step = steps[0]
    if step == "refunds" and thing.get("object") == "charge":
        back = list(reversed(account.refunds.groups.get(thing["id"], [])))
        url = f"/v1/charges/{thing['id']}/refunds"
        thing[step] = shapes.empty(url) | {
            "data": [shown(each) for each in back[:10]],
            "has_more": len(back) > 10,
        }
        return
    value = thing.get(step)
    if isinstance(value, str):
        value = shown(_named(account, value))
        thing[step] = value
    if isinstance(value, dict) and len(steps) > 1:
        _expand(account, value, steps[1:])


def _named(account, name):
    shelves = {
        "ch": account.charges,
        "pi": account.intents,
        "re": account.refunds,
        "tr": account.transfers,
        "trr": account.reversals,
        "txn": account.movements,
        "dp": account.disputes,
        "po": account.payouts,
    }
    return shelves[name.partition("_")[0]].get(name, "object")
