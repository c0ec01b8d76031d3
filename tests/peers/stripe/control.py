"""What tests steer: clock, faults, guests' decisions, notices, and the whole truth."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request

from forms import RefusedError
from shelf import MOST_EVENTS
from slim import shown

_TRUTH = (
    "id",
    "amount",
    "amount_total",
    "amount_refunded",
    "amount_reversed",
    "client_reference_id",
    "created",
    "currency",
    "charge",
    "fee",
    "metadata",
    "net",
    "destination",
    "source",
    "status",
    "transfer",
    "transfer_group",
    "type",
)


def sign(secret, stamp, body):
    """Return the header that goes with a notice."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


class Control:
    """Steers one bank. Not safe for threads: who calls holds the bank's lock."""

    def __init__(self, bank):
        self.bank = bank
        self.faults = []
        self._texts = {}

    def answer(self, path, asked):
        """Return the JSON answer to a command."""
        act = getattr(self, f"do_{path.rpartition('/')[2]}", None)
        if act is None:
            raise RefusedError(None, f"no such command: {path}", status=404)
        return act(asked)

    def _account(self, asked):
        return self.bank.accounts[asked["account"]]

    def do_clock(self, asked):
        if "file" in asked:
            self.bank.share_clock(asked["file"])
            return {"now": self.bank.now()}
        self.bank.set_clock(asked.get("now", self.bank.now() + asked.get("advance", 0)))
        return {"now": self.bank.now()}

    def do_account(self, asked):
        """Open an account, or change one that is named."""
        if "account" not in asked:
            made = self.bank.open_account(
                currency=asked.get("currency", ""),
                is_live=asked.get("is_live", False),
                least=asked.get("least", 0),
            )
        else:
            made = self._account(asked)
            made.is_open = asked.get("is_open", made.is_open)
            made.refunds_wait = asked.get("refunds_wait", made.refunds_wait)
            made.denied = set(asked.get("denied", made.denied))
            made.short = set(asked.get("short", made.short))
            made.is_platform = asked.get("is_platform", made.is_platform)
            made.destinations.update(asked.get("transfers", {}))
        return self._described(made)

    def do_key(self, asked):
        """Add a key or a secret, or revoke one."""
        account = self._account(asked)
        if asked["what"] == "key":
            self.bank.add_key(account)
        elif asked["what"] == "secret":
            self.bank.add_secret(account)
        elif asked["what"] == "revoke_key":
            self.bank.by_key.pop(account.keys.pop(0))
        elif asked["what"] == "revoke_secret":
            account.secrets.pop(0)
        return self._described(account)

    def _described(self, account):
        return {
            "account": account.name,
            "keys": account.keys,
            "secrets": account.secrets,
            "destination": min(account.destinations),
        }

    def do_fault(self, asked):
        """Let the next ``count`` answers to ``method`` and ``path`` (a beginning) go wrong."""
        self.faults.append({"count": 1, "path": "/v1/", "method": "", "key": "", **asked})
        return {"faults": len(self.faults)}

    def do_calm(self, asked):
        del asked
        self.faults.clear()
        return {}

    def fault_for(self, method, path, key):
        """Return the fault that an answer meets, and count it down."""
        for fault in self.faults:
            is_meant = path.startswith(fault["path"]) and fault["method"] in ("", method)
            if is_meant and fault["key"] in ("", key):
                fault["count"] -= 1
                if fault["count"] <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    # -- guests and the world -------------------------------------------------------------------

    def do_decide(self, asked):
        account = self._account(asked)
        paid = account.decide(account.find_page(asked["number"]), asked["how"])
        paid.update(asked.get("altered", {}))
        if paid["balance_transaction"] and "amount" in asked.get("altered", {}):
            move = account.movements.get(paid["balance_transaction"], "movement")
            move.update(amount=paid["amount"], net=paid["amount"] - move["fee"])
        return shown(paid)

    def do_settle(self, asked):
        account = self._account(asked)
        return shown(account.settle(account.find_page(asked["number"]), asked["how"]))

    def do_refund(self, asked):
        """Refund in the console, or end a refund that is named."""
        account = self._account(asked)
        if "status" in asked:
            for back in account.refunds.all:
                if asked["refund_no"] == back["metadata"].get("refund_no"):
                    return shown(account.end_refund(back, asked["status"]))
            raise RefusedError("resource_missing", "no such refund", status=404)
        paid = account.charges.groups[asked["number"]][-1]
        return shown(account.refund({"charge": paid["id"], "amount": asked["amount"]}))

    def do_dispute(self, asked):
        account = self._account(asked)
        paid = account.charges.groups[asked["number"]][-1]
        back, alone = asked.get("back", 0), asked.get("alone", False)
        return shown(account.dispute(paid, asked["status"], asked.get("fee", 1_500), back, alone))

    def do_payout(self, asked):
        return shown(self._account(asked).pay_out(asked["amount"]))

    # -- notices --------------------------------------------------------------------------------

    def do_notice(self, asked):
        """Return headers and body of an event, right or wrong.

        ``type`` and ``number`` choose it; ``how``: right, late, early, forged, other_body,
        unsigned, garbage. Every secret in force signs, as in a rotation.
        """
        account = self._account(asked)
        event = self._event(account, asked.get("type"), asked.get("number"))
        event = json.loads(json.dumps(event)) | asked.get("altered", {})
        body = json.dumps(event).encode()
        stamp = self.bank.now() + asked.get("shift", 0)
        how = asked.get("how", "right")
        secrets = ["whsec_of_somebody_else"] if how == "forged" else account.secrets
        signatures = ",".join(sign(secret, stamp, body) for secret in secrets)
        header = {"unsigned": None, "garbage": "t=,v1=%%,,=;"}.get(how, f"t={stamp},{signatures}")
        if how == "other_body":
            body = body.replace(b"evt_", b"evt_f")
        headers = {"Content-Type": "application/json"}
        if header is not None:
            headers["Stripe-Signature"] = header
        return {"headers": headers, "body": body.decode(), "id": event["id"]}

    def _event(self, account, kind, number):
        for event in reversed(account.events.all):
            is_meant = kind in (None, event["type"])
            if is_meant and (number is None or number in self._text_of(event)):
                return event
        raise RefusedError("resource_missing", f"no event {kind} of {number}", status=404)

    def _text_of(self, event):
        """Return an event as a text, written once: it never changes."""
        name = event["id"]
        if name not in self._texts:
            if len(self._texts) > 2 * MOST_EVENTS:
                self._texts.clear()
            self._texts[name] = json.dumps(event)
        return self._texts[name]

    def deliver(self, asked, notice):
        """Send a notice, again as long as it is not taken; return the statuses. Holds no lock."""
        statuses = []
        for _ in range(asked.get("tries", 3)):
            request = urllib.request.Request(  # noqa: S310 - an address that a test gives
                asked["url"], notice["body"].encode(), notice["headers"], method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
                    statuses.append(answer.status)
            except urllib.error.HTTPError as error:
                statuses.append(error.code)
            except OSError:
                statuses.append(0)
            if statuses[-1] // 100 == 2 and not asked.get("repeat"):
                break
        return {"statuses": statuses, "id": notice["id"]}

    # -- truth ----------------------------------------------------------------------------------

    def truth(self):
        """Return all that ever happened here, by account, in a few facts each."""
        shelves = ("charges", "refunds", "transfers", "reversals", "disputes", "movements")
        return {
            name: {
                "pages": [_brief(page) for page in account.sessions.all],
                **{shelf: [_brief(t) for t in getattr(account, shelf).all] for shelf in shelves},
            }
            for name, account in self.bank.accounts.items()
        }


def _brief(thing):
    whole = shown(thing)
    return {name: whole[name] for name in _TRUTH if name in whole}
