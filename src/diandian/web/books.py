"""The books as anybody may read them: both equations, the closed days, the whole tonnes.

Added up from all rows there are, twenty seconds ago at most; every number leads to its list or
file.
*Source:* product design, section 10; market study, M2.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext

from diandian.audit.breaches import computed
from diandian.flows import books as the_books
from diandian.flows import pool
from diandian.flows.books import Books, Cash
from diandian.kernel.errors import N_
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.memory import ttl_cache
from diandian.kernel.money import EXPONENTS, Money
from diandian.ledger import chart
from diandian.ledger import queries as ledger
from diandian.registry import queries as registry
from diandian.ui import cells
from diandian.ui import format as text
from diandian.ui.drawing import State
from diandian.web import money as supplier_money
from diandian.web.equations import Equation, Term, equation

_DAYS_SHOWN = 14
# Part of the stock, its word, its colour, and how its dots are drawn.
_PARTS: tuple[tuple[str, str, str, State], ...] = (
    ("retired_g", N_("retired"), "", "full"),
    ("held_g", N_("held for open orders"), "", "half"),
    ("available_g", N_("for sale"), "", "hollow"),
    ("blocked_g", N_("stopped"), "goods", "hollow"),
    ("cancelled_g", N_("cancelled"), "goods", "full"),
    ("buffer_g", N_("buffer"), "local", "hollow"),
)
_GRAM_COLUMNS = (
    *("project", "programme", "batch", "state", "serial_first", "serial_last", "issued_g"),
    *("available_g", "blocked_g", "held_g", "retired_g", "cancelled_g", "buffer_g"),
)
_MONEY_COLUMNS = ("currency", "account", "name", "debits_minor", "credits_minor", "balance_minor")
_DAY_COLUMNS = (
    *("first_day", "day", "journals", "journals_sha256", "retirements", "retirements_sha256"),
    *("issued_g", "sold_g", "held_g", "retired_g", "money", "previous_sha256", "sha256"),
)


@ttl_cache(20)
def read() -> Books | None:
    """Return both equations as of some seconds ago: every order and retirement is read for them.

    None where they cannot be computed, which the program's log explains.
    """
    with the_books.one_moment():
        found, _ = computed(the_books.read_whole)
    return found


@ttl_cache(20)
def _classes() -> list[pool.ClassPool]:
    return pool.by_class()


def _lang() -> str:
    return text.canonical_lang(get_language() or "en")


def _mass(name: str, mass_g: int, url: str, kind: str = "", state: State = "full") -> Term:
    return Term(gettext(name), mass_g, text.exact_mass(mass_g, _lang()), url, kind, state)


def grams(found: Books) -> list[Equation]:
    """Return the equations of grams: what was issued, and what was sold."""
    stock, files = found.stock, reverse("books_grams")
    links = {"retired_g": reverse("register"), "available_g": reverse("projects")}
    parts = {
        name: _mass(word, getattr(stock, name), links.get(name, files), kind, state)
        for name, word, kind, state in _PARTS
    }
    issued = _mass(N_("issued"), stock.issued_g, reverse("projects"))
    sold = _mass(N_("sold, as orders say"), found.sold_g, files)
    shown = [part for name, part in parts.items() if part.amount or name in _ALWAYS]
    return [
        equation(
            "issued",
            gettext("Every gram issued is accounted for"),
            [issued],
            shown,
            unit=GRAMS_PER_KG,
        ),
        equation(
            "sold",
            gettext("Every gram sold is held or retired"),
            [sold],
            [parts["retired_g"], parts["held_g"]],
            unit=GRAMS_PER_KG,
        ),
    ]


_ALWAYS = {"available_g", "held_g", "retired_g"}


def money(cash: Cash) -> Equation:
    """Return the equation of one currency's money."""
    url = reverse("books_money")

    def term(name: str, amount_minor: int, kind: str = "", state: State = "full") -> Term:
        shown = text.money(Money(amount_minor, cash.currency), _lang())
        return Term(gettext(name), amount_minor, shown, url, kind, state)

    put_in = [term(N_("put in by us"), cash.put_in, "fee")] if cash.put_in else []
    return equation(
        f"money-{cash.currency.lower()}",
        gettext("Every amount received is paid out, earned or owed (%(currency)s)")
        % {"currency": cash.currency},
        [term(N_("received"), cash.received), *put_in],
        [
            term(N_("owed"), cash.owed, "", "half"),
            term(N_("fees"), cash.fees, "fee"),
            term(N_("paid out"), cash.paid_out, "goods"),
        ],
        unit=10 ** EXPONENTS[cash.currency],
    )


def _scale(each: Equation, currency: str = "") -> str:
    """Return what one dot of an equation stands for, in words."""
    if not currency:
        return gettext("1 dot = %(mass)s CO₂e") % {"mass": text.mass(each.step, _lang())}
    amount = text.money(Money(each.step, currency), _lang())
    return gettext("1 dot = %(amount)s") % {"amount": amount}


def _difference(each: Equation, currency: str = "") -> str:
    if currency:
        return text.money(Money(abs(each.difference), currency), _lang())
    return text.exact_mass(abs(each.difference), _lang())


def page(request: HttpRequest) -> HttpResponse:
    """Show both equations, the last closed days, and the tonnes behind the grams."""
    found = read()
    shown: list[tuple[Equation, str]] = []
    if found is not None:
        shown += [(each, "") for each in grams(found)]
        shown += [(money(cash), currency) for currency, cash in found.cash.items()]
    switch = ledger.sales_switch()
    days = ledger.closed_days(_DAYS_SHOWN)
    facts = {
        "equations": [
            {"is": each, "scale": _scale(each, unit), "difference": _difference(each, unit)}
            for each, unit in shown
        ],
        "unread": found is None,
        "holds": found is not None and all(each.holds for each, _ in shown),
        "stopped": switch if switch is not None and not switch.is_open else None,
        "days": days,
        "classes": _classes(),
        "months": supplier_money.by_month(),
    }
    return render(request, "web/books/page.html", facts)


# Files -------------------------------------------------------------------------------------------


def _gram_rows() -> Iterator[dict[str, object]]:
    for project in registry.projects(active_only=False):
        for entry in registry.batch_stocks(project):
            yield {
                "project": project.code,
                "programme": project.programme.code,
                "batch": entry.batch.public_id,
                "state": entry.batch.state,
                "serial_first": entry.serial_first,
                "serial_last": entry.serial_last,
                **{name: getattr(entry.stock, name) for name in entry.stock.__slots__},
            }


def _money_rows() -> Iterator[dict[str, object]]:
    """Yield every kind of account, without saying how much single suppliers are owed."""
    for currency in ledger.currencies():
        sums: dict[str, list[int]] = {}
        for account in ledger.trial_balance(currency):
            row = sums.setdefault(chart.number_of(account.code), [0, 0])
            row[0] += account.debits_minor
            row[1] += account.credits_minor
        for number, (debits, credits_) in sorted(sums.items()):
            yield {
                "currency": currency,
                "account": number,
                "name": chart.NAMES[number],
                "debits_minor": debits,
                "credits_minor": credits_,
                "balance_minor": debits - credits_,
            }


def _day_rows(days: Sequence[Any]) -> Iterator[dict[str, object]]:
    for day in days:
        masses = day.totals["grams"]
        amounts = (
            f"{currency} {name} {amount}"
            for currency, parts in day.totals["money"].items()
            for name, amount in parts.items()
        )
        yield {
            **{name: masses[name] for name in ("issued_g", "sold_g", "held_g", "retired_g")},
            **{name: getattr(day, name) for name in _DAY_COLUMNS if hasattr(day, name)},
            "first_day": day.first_day.isoformat(),
            "day": day.day.isoformat(),
            "money": "; ".join(amounts),
        }


def grams_csv(_request: HttpRequest) -> StreamingHttpResponse:
    """Send where the grams of every batch are."""
    return cells.as_csv("diandian-grams", _GRAM_COLUMNS, _gram_rows())


def money_csv(_request: HttpRequest) -> StreamingHttpResponse:
    """Send debits and credits of every kind of account."""
    return cells.as_csv("diandian-money", _MONEY_COLUMNS, _money_rows())


def days_csv(_request: HttpRequest) -> StreamingHttpResponse:
    """Send every closed day with its seal, newest first."""
    return cells.as_csv("diandian-days", _DAY_COLUMNS, _day_rows(ledger.closed_days()))


def days_json(_request: HttpRequest) -> JsonResponse:
    """Send every closed day with all that its seal covers, so that anybody can compute it again."""
    days = [
        {
            **ledger.facts_of(day),
            "previous_sha256": day.previous_sha256,
            "sha256": day.sha256,
            "closed_at": day.closed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for day in ledger.closed_days()
    ]
    seal = (
        "sha256 is the SHA-256 of canonical JSON (RFC 8785) of schema, first_day, day, totals,"
        " journals, journals_sha256, retirements, retirements_sha256 and previous_sha256."
    )
    answer = {"schema": "diandian/closed-day/1", "seal": seal, "days": days}
    return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
