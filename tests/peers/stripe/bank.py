"""What the gateway keeps: accounts with their pages, charges, refunds, transfers and movements."""

import hashlib
import mmap
from pathlib import Path

import connect
import shapes
from forms import RefusedError
from shelf import Recent, Shelf
from slim import shown

VERSION = "2026-10-28.endive"
HALF_AN_HOUR, A_DAY = 1_800, 86_400
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "hkd": 400, "jpy": 50, "krw": 50}
THREE_DIGITS = {"bhd", "jod", "kwd", "omr", "tnd"}
LARGEST = 99_999_999
FEE_BASIS_POINTS, FEE_FIXED = 290, 30


class Account:
    """One merchant there, with keys and secrets of its own."""

    def __init__(self, bank, name, *, currency, is_live, least=0):
        self.bank, self.name, self.currency, self.is_live = bank, name, currency, is_live
        self.least = least
        self.is_open = True
        self.keys, self.secrets, self.denied = [], [], set()
        self.refunds_wait, self.short = False, set()
        # Connected accounts, and where the capability to receive transfers stands with each.
        self.is_platform, self.destinations = True, {}
        self.asked = {}
        for shelf in ("sessions", "intents", "charges", "refunds", "transfers", "reversals"):
            setattr(self, shelf, Shelf())
        self.movements, self.disputes, self.payouts = Shelf(), Shelf(), Shelf()
        self.events = Recent()

    # -- pages --------------------------------------------------------------------------------

    def open_page(self, params):
        now = self.bank.now()
        if params.get("mode") != "payment" or len(params.get("line_items", [])) != 1:
            raise RefusedError("parameter_missing", "mode and line_items", param="mode")
        price = params["line_items"][0].get("price_data", {})
        currency, amount = price.get("currency", ""), price.get("unit_amount", 0)
        total = amount * params["line_items"][0].get("quantity", 1)
        self._payable(total, currency)
        for name in ("success_url", "cancel_url"):
            if not params.get(name, "").startswith(("http://", "https://")):
                raise RefusedError("url_invalid", "Not a valid URL", param=name)
        params.setdefault("expires_at", now + A_DAY)
        if not now + HALF_AN_HOUR <= params["expires_at"] <= now + A_DAY:
            text = "The `expires_at` timestamp must be 30 minutes to 24 hours from now."
            raise RefusedError("parameter_invalid", text, param="expires_at")
        name = self.bank.name("cs_live" if self.is_live else "cs_test", 58)
        page = shapes.session(
            name,
            params,
            total=total,
            currency=currency,
            is_live=self.is_live,
            created=now,
            url=f"{self.bank.url}/c/pay/{name}",
        )
        page["_intent_data"] = params.get("payment_intent_data", {})
        return self.sessions.put(page, page["client_reference_id"])

    def _payable(self, amount, currency):
        if currency not in LEAST and currency not in {"cny", *THREE_DIGITS}:
            raise RefusedError("currency_not_supported", "Invalid currency", param="currency")
        if amount < max(LEAST.get(currency, 1), self.least):
            raise RefusedError("amount_too_small", "Amount is too small.", param="amount")
        if amount > LARGEST:
            raise RefusedError("amount_too_large", "Amount is too large.", param="amount")
        if currency in THREE_DIGITS and amount % 10:
            raise RefusedError("invalid_amount", "The last digit must be 0.", param="amount")

    def page_of(self, name):
        """Return a page as it stands now: its time may have run out."""
        page = self.sessions.get(name, "checkout.session")
        if page["status"] == "open" and self.bank.now() >= page["expires_at"]:
            self._expire(page)
        return page

    def close_page(self, name):
        page = self.page_of(name)
        if page["status"] != "open":
            text = f"Only Checkout Sessions with a status of open can be expired: {page['status']}"
            raise RefusedError("resource_unexpected_state", text)
        return self._expire(page)

    def _expire(self, page):
        page.update(status="expired", url=None)
        self.tell("checkout.session.expired", page)
        return page

    def find_page(self, number):
        """Return the newest page of a merchant's number."""
        found = self.sessions.groups.get(number) or [self.sessions.by_name.get(number)]
        if found[-1] is not None:
            return self.page_of(found[-1]["id"])
        raise RefusedError("resource_missing", f"No such page: {number}", status=404)

    # -- what guests do -----------------------------------------------------------------------

    def decide(self, page, how):
        """Let the guest pay, be declined, or pay in a way that takes days (``waits``)."""
        if page["status"] != "open":
            raise RefusedError("resource_unexpected_state", "The page is closed.")
        status = {"pay": "succeeded", "decline": "failed", "waits": "pending"}[how]
        intended = self._intended(page)
        paid = shapes.charge(self.bank.name("ch"), intended, status=status, created=self.bank.now())
        intended["latest_charge"] = paid["id"]
        self.charges.put(paid, paid["transfer_group"], paid["payment_intent"])
        if how == "decline":
            intended["status"] = "requires_payment_method"
            self.tell("charge.failed", paid)
            return paid
        page.update(status="complete", url=None)
        if how == "waits":
            intended["status"] = "processing"
            self.tell("checkout.session.completed", page)
            return paid
        self._receive(page, intended, paid)
        self.tell("checkout.session.completed", page)
        return paid

    def settle(self, page, how):
        """End a payment that took days."""
        intended = self.intents.get(page["payment_intent"], "payment_intent")
        paid = self.charges.get(intended["latest_charge"], "charge")
        if how == "pay":
            paid.update(
                status="succeeded", paid=True, captured=True, amount_captured=paid["amount"]
            )
            self._receive(page, intended, paid)
            self.tell("checkout.session.async_payment_succeeded", page)
        else:
            paid.update(status="failed")
            intended["status"] = "requires_payment_method"
            self.tell("checkout.session.async_payment_failed", page)
        return paid

    def _intended(self, page):
        if page["payment_intent"] is None:
            name = self.bank.name("pi")
            made = shapes.intent(name, page, page["_intent_data"], created=self.bank.now())
            self.intents.put(made)
            page["payment_intent"] = name
        return self.intents.get(page["payment_intent"], "payment_intent")

    def _receive(self, page, intended, paid):
        page["payment_status"] = "paid"
        intended.update(status="succeeded", amount_received=paid["amount"])
        amount = paid["amount"]
        fee = min(amount, amount * FEE_BASIS_POINTS // 10_000 + FEE_FIXED)
        # Converted one to one: what matters is that the currency is another.
        move = self.move("charge", amount, fee, source=paid["id"], currency=self._settled(paid))
        paid["balance_transaction"] = move["id"]
        self.tell("charge.succeeded", paid)
        self.tell("payment_intent.succeeded", intended)

    def _settled(self, paid):
        return self.currency or paid["currency"]

    def move(self, kind, amount, fee=0, *, source, currency):
        name = self.bank.name("txn")
        return self.movements.put(
            shapes.movement(
                name,
                kind=kind,
                amount=amount,
                fee=fee,
                currency=currency,
                source=source,
                created=self.bank.now(),
            )
        )

    # -- money back ---------------------------------------------------------------------------

    def refund(self, params):
        if "charge" in params:
            paid = self.charges.get(params["charge"], "charge")
        else:
            intended = self.intents.get(params.get("payment_intent", ""), "payment_intent")
            paid = self.charges.get(intended["latest_charge"], "charge")
        left = paid["amount"] - paid["amount_refunded"]
        amount = params.get("amount", left)
        if not paid["paid"] or left == 0:
            text = f"Charge {paid['id']} has already been refunded."
            raise RefusedError("charge_already_refunded", text)
        if paid["disputed"]:
            raise RefusedError("charge_disputed", "The charge is disputed.")
        if not 0 < amount <= left:
            text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise RefusedError("amount_too_large", text, param="amount")
        status = "pending" if self.refunds_wait else "succeeded"
        back = shapes.refund(
            self.bank.name("re"),
            paid,
            params,
            amount=amount,
            status=status,
            created=self.bank.now(),
        )
        move = self.move("refund", -amount, source=back["id"], currency=self._settled(paid))
        back["balance_transaction"] = move["id"]
        self.refunds.put(back, paid["id"])
        paid["amount_refunded"] += amount
        paid["refunded"] = paid["amount_refunded"] == paid["amount"]
        self.tell("refund.created", back)
        self.tell("charge.refunded", paid)
        return back

    def end_refund(self, back, status):
        """Let a refund arrive, fail (its money comes back) or be cancelled."""
        paid = self.charges.get(back["charge"], "charge")
        back["status"] = status
        if status in {"failed", "canceled"}:
            back["failure_reason"] = "lost_or_stolen_card"
            paid["amount_refunded"] -= back["amount"]
            paid["refunded"] = False
            self.move(
                "refund_failure", back["amount"], source=back["id"], currency=self._settled(paid)
            )
            self.tell("refund.failed", back)
        self.tell("refund.updated", back)
        return back

    # -- disputes -----------------------------------------------------------------------------

    def dispute(self, paid, status, fee, back=0, alone=False):
        """Begin or end a dispute; ``back``: of its fee, within the movement or ``alone`` beside."""
        old = self.disputes.groups.get(paid["id"], [])
        if not old:
            move = self.move(
                "adjustment", -paid["amount"], fee, source=None, currency=self._settled(paid)
            )
            paid["disputed"] = True
            made = shapes.dispute(
                self.bank.name("dp"),
                paid,
                status=status,
                moves=[shown(move)],
                created=self.bank.now(),
            )
            move["source"] = made["id"]
            self.disputes.put(made, paid["id"])
            self.tell("charge.dispute.created", made)
            return made
        made = old[0]
        made["status"] = status
        if status == "won":
            within = 0 if alone else -back
            currency = self._settled(paid)
            move = self.move(
                "adjustment", paid["amount"], within, source=made["id"], currency=currency
            )
            move["reporting_category"] = "dispute_reversal"
            made["balance_transactions"].append(shown(move))
            if alone:
                move = self.move("adjustment", back, 0, source=made["id"], currency=currency)
                move["reporting_category"] = "fee"
        self.tell("charge.dispute.closed", made)
        return made

    def pay_out(self, amount):
        currency = self.currency or "usd"
        made = self.payouts.put(
            shapes.payout(
                self.bank.name("po"),
                amount=amount,
                currency=currency,
                is_live=self.is_live,
                created=self.bank.now(),
            )
        )
        move = self.move("payout", -amount, source=made["id"], currency=currency)
        made["balance_transaction"] = move["id"]
        self.tell("payout.paid", made)
        return made

    # -- suppliers ----------------------------------------------------------------------------

    def transfer(self, params):
        for needed in ("amount", "currency", "destination"):
            if needed not in params:
                raise RefusedError("parameter_missing", f"Missing: {needed}", param=needed)
        connect.require(self, params["destination"])
        paid = self.charges.get(params.get("source_transaction", ""), "charge")
        if self._settled(paid) != params["currency"]:
            text = "The currency of source_transaction's balance transaction must match."
            raise RefusedError("parameter_invalid", text, param="currency")
        group = paid["transfer_group"]
        if params.setdefault("transfer_group", group) != group:
            raise RefusedError("transfer_source_balance_parameters_mismatch", "transfer_group")
        sent = sum(
            each["amount"] - each["amount_reversed"]
            for each in self.transfers.groups.get(group, [])
            if each["source_transaction"] == paid["id"]
        )
        if not 0 < params["amount"] <= paid["amount"] - sent:
            text = "Transfers using this transaction as a source must not exceed its amount."
            raise RefusedError("amount_too_large", text, param="amount")
        made = shapes.transfer(
            self.bank.name("tr"), params, is_live=self.is_live, created=self.bank.now()
        )
        move = self.move(
            "transfer", -params["amount"], source=made["id"], currency=params["currency"]
        )
        made["balance_transaction"] = move["id"]
        self.transfers.put(made, group)
        self.tell("transfer.created", made)
        return made

    def reverse(self, name, params):
        sent = self.transfers.get(name, "transfer")
        left = sent["amount"] - sent["amount_reversed"]
        params.setdefault("amount", left)
        if not 0 < params["amount"] <= left:
            text = f"Amount is greater than what is left of the transfer ({left})"
            raise RefusedError("amount_too_large", text, param="amount")
        if sent["destination"] in self.short:
            raise RefusedError("balance_insufficient", "The balance of the account is short.")
        made = shapes.reversal(self.bank.name("trr"), sent, params, created=self.bank.now())
        move = self.move(
            "transfer_refund", params["amount"], source=made["id"], currency=sent["currency"]
        )
        made["balance_transaction"] = move["id"]
        sent["amount_reversed"] += params["amount"]
        sent["reversed"] = sent["amount_reversed"] == sent["amount"]
        self.reversals.put(made, name)
        self.tell("transfer.reversed", sent)
        return made

    # -- events -------------------------------------------------------------------------------

    def tell(self, kind, thing):
        """Keep an event with the thing as it is now."""
        made = shapes.event(
            self.bank.name("evt"),
            kind,
            shown(thing),
            is_live=self.is_live,
            created=self.bank.now(),
            version=VERSION,
        )
        return self.events.put(made)


class Bank:
    """All accounts, one clock, names that are the same in every run."""

    def __init__(self, now):
        self.url = ""
        self.accounts, self.by_key = {}, {}
        self._now, self._count = now, 0
        # Another process may write its clock where we read it: 8 bytes, the low ones first.
        self._shared = None

    def now(self):
        if self._shared is not None:
            return int.from_bytes(self._shared[:8], "little")
        return self._now

    def set_clock(self, now):
        self._now, self._shared = now, None

    def share_clock(self, path):
        with Path(path).open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def name(self, prefix, length=24):
        self._count += 1
        digits = hashlib.sha512(f"{prefix}:{self._count}".encode()).hexdigest()
        return f"{prefix}_{digits[:length]}"

    def open_account(self, *, currency="", is_live=False, least=0):
        made = Account(self, self.name("acct", 16), currency=currency, is_live=is_live, least=least)
        self.accounts[made.name] = made
        self.add_key(made)
        self.add_secret(made)
        made.destinations[self.name("acct", 16)] = "active"
        return made

    def add_key(self, account):
        key = self.name("sk_live" if account.is_live else "sk_test", 40)
        account.keys.append(key)
        self.by_key[key] = account
        return key

    def add_secret(self, account):
        account.secrets.append(self.name("whsec", 32))
        return account.secrets[-1]
