"""Tries the set-up without moving money, and says in plain words what to mend."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from diandian.kernel.clock import business_day
from diandian.payments import trials
from diandian.payments.gateways.alipay import client, faults, splits, statements, trades
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError, text_or
from diandian.payments.messages import NOT_FOUND, Finding, Rejected, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from diandian.payments.messages import MerchantContext

_BASIS_POINTS_OF_PERCENT = 100
# No payment of ours has this number.
_NOBODYS = "DIANDIANTRIAL"
_ADVICE = {
    "isv.invalid-app-id": "The gateway does not know this app id. Compare merchant with the "
    "number of the app on its page.",
    "isv.invalid-signature": "The gateway knows another public key of ours. Upload the public "
    "key that belongs to app_private_key.",
    "isv.invalid-timestamp": "The gateway refuses our clock. Set it by NTP.",
    "isv.invalid-app-auth-token": "The supplier's permission is not valid any more. Ask for a "
    "new one.",
    "isv.insufficient-isv-permissions": "The app lacks this product. Add it on the app's page "
    "and sign its contract.",
    "unsigned": "An answer came without a signature that alipay_public_key fits. Copy Alipay's "
    "public key (not the app's) from the app's page.",
}


def findings(context: MerchantContext, *, notify_url: str, at: datetime) -> list[Finding]:
    """Return what the trial found, faults and all that is fine."""
    found = [
        *trials.address(context),
        *_keys(context),
        _seller(context),
        *_fee(context),
        trials.notices(notify_url, "Every payment asks for notices at"),
    ]
    if all(each.is_fine for each in found if each.subject in _needed(context)):
        found += [_clock(context, at), _trade(context, at)]
        if found[-1].is_fine:
            found += [_supplier(context, at), _sharing(context, at), _bills(context, at)]
    return [each for each in found if each.text]


def _needed(context: MerchantContext) -> tuple[str, ...]:
    given = (*client.PRIVATE_OPTIONS, *client.PUBLIC_OPTIONS, client.TOKEN_OPTION)
    first = (client.PRIVATE_OPTIONS[0], client.PUBLIC_OPTIONS[0])
    return tuple(option for option in given if option in first or context.options.get(option))


def _keys(context: MerchantContext) -> Iterator[Finding]:
    yield from trials.keys(context, _needed(context), _fit)
    if _is_own(context):
        text = (
            "It is the public key of our own app. Copy Alipay's public key instead: the page of "
            "the app shows both."
        )
        yield Finding(client.PUBLIC_OPTIONS[0], is_fine=False, text=text)


def _fit(context: MerchantContext, option: str) -> None:
    if option == client.TOKEN_OPTION:
        context.secret(option)
    else:
        client.fit_key(context, option)


def _is_own(context: MerchantContext) -> bool:
    from Cryptodome.PublicKey import RSA  # noqa: PLC0415 - loaded by who uses it

    try:
        ours = RSA.import_key(client.fit_key(context, client.PRIVATE_OPTIONS[0]))
        theirs = RSA.import_key(client.fit_key(context, client.PUBLIC_OPTIONS[0]))
    except (SecretMissingError, MalformedError):
        return False
    return ours.public_key() == theirs


def _seller(context: MerchantContext) -> Finding:
    if context.sub_merchant and not context.options.get(client.TOKEN_OPTION):
        text = "sub_merchant needs app_auth_token: the supplier's permission to act for it."
        return Finding("sub_merchant", is_fine=False, text=text)
    if not trades.seller_of(context):
        text = (
            "It is not set which account collects: sub_merchant, or the option seller_id, is a "
            "number of 16 digits that begins with 2088. Without it the receiver of a notice is "
            "checked by the app id alone."
        )
        return Finding("seller_id", is_fine=False, text=text)
    return Finding("seller_id", is_fine=True, text=f"{trades.seller_of(context)} collects.")


def _fee(context: MerchantContext) -> Iterator[Finding]:
    given = context.options.get(splits.FEE_OPTION, "")
    if splits.fee_account(context):
        yield Finding(splits.FEE_OPTION, is_fine=True, text=f"{given} gets our fee.")
    elif given or context.sub_merchant:
        text = (
            "Where a supplier collects, fee_account is our own account, which gets the fee: a "
            "number of 16 digits that begins with 2088. Without it no payment is divided."
        )
        yield Finding(splits.FEE_OPTION, is_fine=False, text=text)


def _clock(context: MerchantContext, at: datetime) -> Finding:
    try:
        reply = client.post(context, "")
    except NoAnswerError as error:
        return Finding("clock", is_fine=False, text=f"No answer: {_said(error)}")
    return trials.clock(reply.headers.get("date", ""), at)


def _trade(context: MerchantContext, at: datetime) -> Finding:
    """Ask for a payment that nobody made: a signed "no such trade" proves app and keys."""
    try:
        trades.look_up(context, _NOBODYS, at=at)
    except NoAnswerError as error:
        outcome = error.outcome
        if isinstance(outcome, Rejected) and outcome.code == NOT_FOUND:
            text = f"App {context.merchant} is known, and both sides' keys fit."
            return Finding("payments", is_fine=True, text=text)
        return Finding("payments", is_fine=False, text=_said(error))
    except MalformedError:
        pass
    return Finding("payments", is_fine=False, text="The gateway's answer cannot be read.")


def _supplier(context: MerchantContext, at: datetime) -> Finding:
    """Ask whose permission the token is."""
    if not (context.sub_merchant and context.options.get(client.TOKEN_OPTION)):
        return Finding("sub_merchant", is_fine=True, text="")
    token = context.secret(client.TOKEN_OPTION)
    content = {client.TOKEN_OPTION: token}
    try:
        facts = client.ask(context, "alipay.open.auth.token.app.query", content, at=at).facts
    except (NoAnswerError, MalformedError) as error:
        return Finding("sub_merchant", is_fine=False, text=_said(error))
    given_by = text_or(facts, "user_id")
    is_fine = given_by == context.sub_merchant
    text = (
        f"{given_by} lets us act for it."
        if is_fine
        else f"The permission is from {given_by or 'nobody'}, and the merchant here is "
        f"{context.sub_merchant}."
    )
    return Finding("sub_merchant", is_fine=is_fine, text=text)


def _sharing(context: MerchantContext, at: datetime) -> Finding:
    content = {"out_request_no": _NOBODYS}
    try:
        facts = client.ask(context, "alipay.trade.royalty.rate.query", content, at=at).facts
    except (NoAnswerError, MalformedError) as error:
        text = f"Our fee cannot be split off: {_said(error)}"
        return Finding("splits", is_fine=False, text=text)
    cap = splits.terms(context).cap_basis_points
    allowed = text_or(facts, "max_ratio")
    is_fine = _is_enough(allowed, cap)
    text = f"Of a payment {allowed or 'nobody knows how many'} percent may be split off"
    advice = "" if is_fine else f"; {splits.CAP_OPTION} says {cap}. Lower it"
    return Finding("splits", is_fine=is_fine, text=f"{text}{advice}.")


def _is_enough(allowed: str, cap: int) -> bool:
    is_number = allowed.isascii() and allowed.isdigit() and len(allowed) <= len("100")
    return is_number and int(allowed) * _BASIS_POINTS_OF_PERCENT >= cap


def _bills(context: MerchantContext, at: datetime) -> Finding:
    content = {
        "bill_type": statements.BILL_TYPES["trades"],
        "bill_date": (business_day(at) - timedelta(days=2)).isoformat(),
    }
    try:
        client.call(context, statements.METHOD, content, at=at)
    except NoAnswerError as error:
        # That there was no payment that day is fine.
        if not error.hint.upper().endswith("BILL_NOT_EXIST"):
            text = f"Statements cannot be fetched: {_said(error)}"
            return Finding("statements", is_fine=False, text=text)
    except MalformedError as error:
        return Finding("statements", is_fine=False, text=_said(error))
    return Finding("statements", is_fine=True, text="Statements can be fetched.")


def _said(error: Exception) -> str:
    if not isinstance(error, NoAnswerError):
        return "The gateway's answer cannot be read."
    if error.hint in _ADVICE:
        return _ADVICE[error.hint]
    if error.hint in faults.WRONG_SIGNATURE:
        return _ADVICE["isv.invalid-signature"]
    return f"{error.said} ({error.hint})" if error.hint else error.said
