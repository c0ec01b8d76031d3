"""Opens, finds and closes the gateway's hosted pages (Checkout Sessions).

The gateway finds no session by our number. So what this process opened it remembers, and for the
rest it reads the list of the last day, each part of it once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diandian.kernel.money import Money
from diandian.payments.gateways.stripe import answers, client, faults
from diandian.payments.gateways.stripe.answers import MalformedError, NoAnswerError
from diandian.payments.messages import Instruction, Rejected, Unknown

if TYPE_CHECKING:
    from datetime import datetime

    from stripe.params.checkout._session_create_params import SessionCreateParams

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import CloseAnswer, MerchantContext, PaymentRequest

PAY_ORIGIN = "https://checkout.stripe.com"
# What the gateway takes; below the least, its own fee would eat the payment. Checked, see README.
# Of renminbi and dinar it says only: as much as the least of the account's own currency.
_LEAST_MINOR = {
    "CNY": 400,
    "EUR": 50,
    "USD": 50,
    "GBP": 30,
    "HKD": 400,
    "JPY": 50,
    "KRW": 50,
    "KWD": 200,
}
_MOST_MINOR = 99_999_999
# Currencies of three digits: the last one must be 0.
_LAST_DIGIT_ZERO = frozenset({"KWD"})
# A page must live half an hour at least; one minute for the way there.
SHORTEST_LIFE = timedelta(minutes=31)
# No page lives longer than a day, however it was opened.
_REACH = timedelta(hours=25)
# Clocks differ, and a list may lag behind a little.
_OVERLAP_SECONDS = 300
_MOST_PAGES = 1_000


def limits_minor(context: MerchantContext) -> dict[str, tuple[int, int]]:
    """Return least and most of each currency; options such as ``least_cny`` move the least."""
    found = {}
    for code, least in _LEAST_MINOR.items():
        given = context.options.get(f"least_{code.lower()}", "")
        own = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0  # noqa: PLR2004 - as long as the most
        found[code] = (own or least, _MOST_MINOR)
    return found


def is_payable(context: MerchantContext, amount: Money) -> bool:
    """Tell whether the gateway takes a payment of this amount."""
    least, most = limits_minor(context).get(amount.currency, (1, 0))
    is_whole = amount.currency not in _LAST_DIGIT_ZERO or amount.amount_minor % 10 == 0
    return least <= amount.amount_minor <= most and is_whole


def open_page(context: MerchantContext, request: PaymentRequest, *, at: datetime) -> Instruction:
    """Open the page of a payment, or find the open one. Raises: NoAnswerError, MalformedError.

    Idempotent by: the payment number. Where the gateway was asked before with another deadline, it
    refuses, and the page of then is looked up.
    """
    known = client.line_of(context).sessions.get(request.payment_no)
    if known:
        return _way(context, request, _fetch(context, known, at=at))
    try:
        session = client.ask(
            context,
            "post",
            "/v1/checkout/sessions",
            _parameters(context, request, at),
            at=at,
            idempotency_key=request.payment_no,
        ).facts
    except NoAnswerError as error:
        if not isinstance(error.outcome, Rejected) or error.outcome.code != faults.ASKED_BEFORE:
            raise
        found = find(context, request.payment_no, at=at)
        if found is None:
            raise NoAnswerError(Unknown("asked before, and not there")) from error
        session = found
    way = _way(context, request, session)
    client.line_of(context).sessions.note(request.payment_no, way.gateway_ref)
    return way


def find(context: MerchantContext, payment_no: str, *, at: datetime) -> Facts | None:
    """Return the session of a payment or None. Raises: NoAnswerError, MalformedError."""
    known = client.line_of(context).sessions
    if not known.get(payment_no):
        _read_new(context, at)
    name = known.get(payment_no)
    return _fetch(context, name, at=at) if name else None


def close(context: MerchantContext, session: Facts, *, at: datetime) -> CloseAnswer:
    """Make a page unpayable. Raises: NoAnswerError, MalformedError.

    Refused is a page that is not open any more; what became of it, a look tells.
    """
    name = answers.ref(session)
    if answers.text(session, "status") == "open":
        try:
            path = f"/v1/checkout/sessions/{name}/expire"
            session = client.ask(context, "post", path, at=at).facts
        except NoAnswerError as error:
            if not isinstance(error.outcome, Rejected) or error.outcome.retryable:
                raise
            session = _fetch(context, name, at=at)
    match answers.text(session, "status"):
        case "expired":
            return "closed"
        case "complete":
            return "already_paid"
    raise NoAnswerError(Unknown("neither open nor closed"))


def _read_new(context: MerchantContext, at: datetime) -> None:
    known = client.line_of(context).sessions
    now = int(at.timestamp())
    since = max(int((at - _REACH).timestamp()), known.read_until - _OVERLAP_SECONDS)
    if known.read_until > now:
        since = int((at - _REACH).timestamp())
    params = {"created": {"gte": since}}
    for _, sessions in client.pages(
        context, "/v1/checkout/sessions", params, at=at, limit=_MOST_PAGES
    ):
        for session in sessions:
            number = answers.our_number(session.get("client_reference_id"))
            if number:
                known.note(number, answers.ref(session))
    known.read_until = now


def _fetch(context: MerchantContext, name: str, *, at: datetime) -> Facts:
    params = {
        "expand": [
            "payment_intent.latest_charge.balance_transaction",
            "payment_intent.latest_charge.refunds",
        ]
    }
    return client.ask(context, "get", f"/v1/checkout/sessions/{name}", params, at=at).facts


def _parameters(
    context: MerchantContext, request: PaymentRequest, at: datetime
) -> SessionCreateParams:
    number, amount = request.payment_no, request.amount
    subject = request.subject[:250] or number
    methods = context.options.get("payment_methods", "card").split(",")
    return {
        "mode": "payment",
        "client_reference_id": number,
        "metadata": {"payment_no": number},
        "payment_intent_data": {
            "metadata": {"payment_no": number},
            "transfer_group": number,
            "description": subject,
        },
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": amount.currency.lower(),
                    "unit_amount": amount.amount_minor,
                    "product_data": {"name": subject},
                },
            }
        ],
        "allowed_payment_method_types": [name.strip() for name in methods if name.strip()],
        # The guest pays exactly what was shown, in the currency that was shown.
        "adaptive_pricing": {"enabled": False},
        "expires_at": int(max(request.expires_at, at + SHORTEST_LIFE).timestamp()),
        "success_url": request.return_url,
        "cancel_url": request.return_url,
    }


def _way(context: MerchantContext, request: PaymentRequest, session: Facts) -> Instruction:
    """Return the way to an open page that asks for the right amount."""
    asked = Money(request.amount.amount_minor, request.amount.currency)
    match answers.text(session, "status"):
        case "expired":
            raise NoAnswerError(Rejected("closed", "the page of this payment is closed"))
        case "complete":
            raise NoAnswerError(Unknown("the page was used: ask for the payment"))
    facts = (answers.amount(session, "amount_total"), answers.currency(session))
    if facts != (asked.amount_minor, asked.currency):
        raise NoAnswerError(Unknown("the page asks for another amount"))
    if answers.our_number(session.get("client_reference_id")) != request.payment_no:
        raise MalformedError("the page is of another payment")
    return Instruction(
        kind="redirect", url=_address(context, session), gateway_ref=answers.ref(session)
    )


def _address(context: MerchantContext, session: Facts) -> str:
    """Return the page's address; never one that leads elsewhere. Raises: MalformedError."""
    url = session.get("url")
    if not isinstance(url, str) or len(url) > 4_000 or not (url.isascii() and url.isprintable()):  # noqa: PLR2004 - as long as an address may be
        raise MalformedError("url is no address")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise MalformedError("url is no address") from error
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in {PAY_ORIGIN, _own_origin(context)}:
        raise MalformedError("url leads to another site")
    return url


def _own_origin(context: MerchantContext) -> str:
    """Return the origin of pages where another address than the official one is in use."""
    base = client.base_url(context)
    return PAY_ORIGIN if base == client.OFFICIAL_URL else base
