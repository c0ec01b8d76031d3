"""Which states follow each other, which receiving details can be right, and how parts add up; pure.

*Source:* payments design, sections 4, 9, 10 and 11.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from diandian.kernel.errors import N_
from diandian.kernel.money import Money, round_half_up

WHOLE_BASIS_POINTS = 10_000
# What somebody works on at once is looked at again after this long, in case they crash.
FIRST_LOOK = timedelta(seconds=30)
# Whatever was sent has its answer by then, or never gets one.
SENT_BY_THEN = timedelta(minutes=5)
_NEXT_LOOKS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 360))
# A payment that waits for its statement, its supplier or a person is looked at so often.
WAITS_LOOK = timedelta(hours=1)
# What still is not paid so long after its time is for people: statements are there by then.
WAITS_TOO_LONG = timedelta(days=5)

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_ACCOUNT = re.compile(r"[A-Za-z0-9_.@-]{3,64}")
_CN_ACCOUNT = re.compile(r"[0-9]{8,32}")
_CNAPS = re.compile(r"[0-9]{12}")
_LONGEST_NAME = 70

FIELDS: Mapping[str, tuple[str, ...]] = {
    "account": ("account",),
    "iban": ("name", "iban", "bic"),
    "cn_bank": ("name", "account", "bank", "cnaps"),
}
WORDS = {
    "kind": N_("Kind of account"),
    "gateway": N_("Gateway"),
    "name": N_("Name of the account's holder"),
    "iban": N_("IBAN"),
    "bic": N_("BIC (may stay empty)"),
    "account": N_("Account number"),
    "bank": N_("Name of the bank"),
    "cnaps": N_("CNAPS number, 12 digits"),
}
_OPTIONAL = ("bic",)
_DOTS = "•••• "
_MASKED = ("account", "iban")


def clean_detail(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return a receiving detail without what people add for reading."""
    plain = {name: " ".join(given.get(name, "").split()) for name in FIELDS[kind]}
    for name in ("iban", "bic", "cnaps"):
        if name in plain:
            plain[name] = plain[name].replace(" ", "").upper()
    if kind == "cn_bank":
        plain["account"] = plain["account"].replace(" ", "").replace("-", "")
    return plain


def wrong_field(kind: str, detail: Mapping[str, str]) -> str:
    """Return the name of the first field that cannot be right; "" when all may be."""
    for name in FIELDS[kind]:
        text = detail.get(name, "")
        if (text or name not in _OPTIONAL) and not _can_be(kind, name, text):
            return name
    return ""


def _can_be(kind: str, name: str, text: str) -> bool:
    if name in {"name", "bank"}:
        return 0 < len(text) <= _LONGEST_NAME and text.isprintable()
    if name == "iban":
        return is_iban(text)
    account = _CN_ACCOUNT if kind == "cn_bank" else _ACCOUNT
    patterns = {"bic": _BIC, "cnaps": _CNAPS, "account": account}
    return patterns[name].fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Tell whether the check digits of an IBAN are right (ISO 13616: modulo 97 leaves 1)."""
    if not _IBAN.fullmatch(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def masked(detail: Mapping[str, str]) -> dict[str, str]:
    """Return a detail as pages may show it: of an account only its end."""
    return {
        name: f"{_DOTS}{text[-4:]}" if name in _MASKED and text else text
        for name, text in detail.items()
    }


def active_from(*, is_change: bool, cool_down: timedelta, at: datetime) -> datetime:
    """Return from when a confirmed detail is used: the first one at once, a change later."""
    return at + cool_down if is_change else at


def next_look_at(created_at: datetime, at: datetime) -> datetime:
    """Return when to ask about what is on its way: soon at first, then ever more seldom."""
    age = at - created_at
    for wait in _NEXT_LOOKS:
        if age < 3 * wait:
            return at + wait
    return at + _NEXT_LOOKS[-1]


def is_within_cap(leg: Money, gross: Money, cap_basis_points: int) -> bool:
    """Tell whether a gateway lets this part of a payment be divided off."""
    return leg.amount_minor * WHOLE_BASIS_POINTS <= gross.amount_minor * cap_basis_points


def share_of_refund(
    leg: Money, gross: Money, refund: Money, *, already: Money, refunded: Money
) -> Money:
    """Return how much of a leg goes back with a refund.

    ``already``: what of the leg went back before, with refunds of ``refunded`` in all. Rounding:
    half up, of all refunds together, so that the whole leg goes back with the whole payment.
    """
    given, left = refunded + refund, leg - already
    if given.amount_minor >= gross.amount_minor:
        return left
    due = round_half_up(Decimal(leg.amount_minor) * given.amount_minor / gross.amount_minor)
    return Money(max(0, min(due - already.amount_minor, left.amount_minor)), leg.currency)


def totals(lines: Iterable[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    """Add up gross, fee, tax and supplier's part of lines, in minor units."""
    sums = [0, 0, 0, 0]
    for line in lines:
        sums = [total + part for total, part in zip(sums, line, strict=True)]
    return sums[0], sums[1], sums[2], sums[3]


def split_no(payment_no: str, attempt: int) -> str:
    """Return the number of an attempt to divide a payment; the same on every retry of it."""
    return f"S{payment_no}" if attempt == 1 else f"S{payment_no}-{attempt}"


def batch_no(running_number: int, at: datetime) -> str:
    """Return the number of a payout: its day and a running number."""
    return f"P{at:%y%m%d}-{running_number}"
