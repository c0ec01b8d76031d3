"""Tries the set-up without moving money, and says in plain words what to mend."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diandian.payments.gateways.stripe import answers, client, faults
from diandian.payments.gateways.stripe.answers import MalformedError, NoAnswerError
from diandian.payments.gateways.stripe.notices import SECRET_OPTIONS
from diandian.payments.messages import Finding, SecretMissingError, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from diandian.payments.gateways.stripe.answers import Answer
    from diandian.payments.messages import MerchantContext

_SKEW_SECONDS = 60
# What is read in the course of a payment's life, as the gateway's page of rights names it.
_READ = {
    "/v1/checkout/sessions": "Checkout Sessions",
    "/v1/charges": "Charges",
    "/v1/refunds": "Refunds",
    "/v1/disputes": "Disputes",
    "/v1/transfers": "Transfers",
    "/v1/balance_transactions": "Balance transactions",
}
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how such secrets begin, not one of them


def findings(context: MerchantContext, *, notify_url: str, at: datetime) -> list[Finding]:
    """Return what the trial found, faults and all that is fine."""
    found = [*_address(context), *_keys(context), *_secrets(context), _notices(notify_url)]
    answer = None
    for option in client.KEY_OPTIONS:
        try:
            key = client.fit_key(context, option)
        except (SecretMissingError, MalformedError):
            continue
        answer = _account(context, option, key, found, at=at) or answer
    if answer is not None:
        found += [_clock(answer, at), *_products(answer), *_rights(context, at)]
    return found


def _address(context: MerchantContext) -> Iterator[Finding]:
    own = context.options.get("base_url", "").rstrip("/")
    if own and not client.is_allowed(context, own):
        yield Finding(
            "base_url",
            is_fine=False,
            text="base_url is not used: another address is taken only in mode test, or with "
            "allow_base_url = yes, and only as https://HOST or on this machine. Remove it.",
        )


def _keys(context: MerchantContext) -> Iterator[Finding]:
    for option in client.KEY_OPTIONS:
        if option != client.KEY_OPTIONS[0] and not context.options.get(option):
            continue
        try:
            client.fit_key(context, option)
        except SecretMissingError as error:
            yield Finding(option, is_fine=False, text=f"{error}. Write the key there.")
        except MalformedError as error:
            yield Finding(option, is_fine=False, text=f"{error}. It begins with sk_ or rk_.")


def _secrets(context: MerchantContext) -> Iterator[Finding]:
    for option in SECRET_OPTIONS:
        if option != SECRET_OPTIONS[0] and not context.options.get(option):
            continue
        try:
            is_fine = context.secret(option).startswith(_SECRET_PREFIX)
        except SecretMissingError as error:
            yield Finding(option, is_fine=False, text=f"{error}. No notice can be believed.")
            continue
        text = "It can be read." if is_fine else f"It does not begin with {_SECRET_PREFIX}."
        yield Finding(option, is_fine=is_fine, text=text)


def _notices(notify_url: str) -> Finding:
    try:
        parts = urlsplit(notify_url)
        is_fine = parts.scheme == "https" and bool(parts.hostname) and not parts.query
    except ValueError:
        is_fine = False
    text = (
        f"Enter this address at the gateway: {notify_url}"
        if is_fine
        else f"Notices cannot come to {notify_url or 'nowhere'}: it must be https, without a query."
    )
    return Finding("notices", is_fine=is_fine, text=text)


def _account(
    context: MerchantContext, option: str, key: str, found: list[Finding], *, at: datetime
) -> Answer | None:
    """Note whose account a key opens; return the answer about it."""
    try:
        answer = client.line_of(context).send(key, "get", "/v1/account", {}, at=at)
        name = answers.ref(answer.facts)
    except faults.WrongKeyError:
        text = "The gateway does not take this key. Make a new one there and write it down here."
    except NoAnswerError as error:
        text = f"The gateway was asked and gave no answer: {_said(error)}"
    except MalformedError:
        text = "The gateway's answer cannot be read."
    else:
        is_fine = name == context.account
        text = (
            f"It opens the account {name}."
            if is_fine
            else (
                f"It opens the account {name}, and the merchant here is {context.account}. "
                "No payment is made with it."
            )
        )
        found.append(Finding(option, is_fine=is_fine, text=text))
        return answer if is_fine else None
    found.append(Finding(option, is_fine=False, text=text))
    return None


def _said(error: NoAnswerError) -> str:
    outcome = error.outcome
    if isinstance(outcome, Unknown):
        return outcome.cause
    return outcome.message or outcome.code


def _clock(answer: Answer, at: datetime) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        skew = abs(int((theirs - at).total_seconds()))
    except (TypeError, ValueError, OverflowError):
        return Finding("clock", is_fine=False, text="The gateway did not say what time it is.")
    if skew > _SKEW_SECONDS:
        text = f"Our clock is {skew} seconds off; notices will be refused. Set it by NTP."
        return Finding("clock", is_fine=False, text=text)
    return Finding("clock", is_fine=True, text=f"Our clock is {skew} seconds off.")


def _products(answer: Answer) -> Iterator[Finding]:
    facts = answer.facts
    if facts.get("charges_enabled") is not True:
        text = "The account may not take payments yet. Finish its activation at the gateway."
        yield Finding("payments", is_fine=False, text=text)
    if facts.get("payouts_enabled") is not True:
        text = "The account may not pay out yet. Enter its bank account at the gateway."
        yield Finding("payouts", is_fine=False, text=text)


def _rights(context: MerchantContext, at: datetime) -> Iterator[Finding]:
    for path, name in _READ.items():
        try:
            client.ask(context, "get", path, {"limit": 1}, at=at)
        except NoAnswerError as error:
            text = f"{name} cannot be read: {_said(error)}. Give the key this right."
            yield Finding("permissions", is_fine=False, text=text)
