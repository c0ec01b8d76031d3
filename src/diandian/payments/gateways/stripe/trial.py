"""Tries the set-up without moving money, and says in plain words what to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments import trials
from diandian.payments.gateways.stripe import answers, client, faults
from diandian.payments.gateways.stripe.answers import MalformedError, NoAnswerError
from diandian.payments.gateways.stripe.notices import SECRET_OPTIONS
from diandian.payments.messages import Finding, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from diandian.payments.gateways.stripe.answers import Answer
    from diandian.payments.messages import MerchantContext

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
    found = [
        *trials.address(context),
        *trials.keys(
            context, client.KEY_OPTIONS, client.fit_key, unfit="It begins with sk_ or rk_."
        ),
        *trials.keys(context, SECRET_OPTIONS, _fit_secret, missing="No notice can be believed."),
        trials.notices(notify_url, "Enter this address at the gateway:"),
    ]
    answer = None
    for option in client.KEY_OPTIONS:
        try:
            key = client.fit_key(context, option)
        except (SecretMissingError, MalformedError):
            continue
        answer = _account(context, option, key, found) or answer
    if answer is not None:
        found += [
            trials.clock(answer.headers.get("date", ""), at),
            *_products(answer),
            *_rights(context, at),
        ]
    return found


def _fit_secret(context: MerchantContext, option: str) -> None:
    if not context.secret(option).startswith(_SECRET_PREFIX):
        raise MalformedError(f"{option}: it does not begin with {_SECRET_PREFIX}")


def _account(
    context: MerchantContext, option: str, key: str, found: list[Finding]
) -> Answer | None:
    """Note whose account a key opens; return the answer about it."""
    try:
        answer = client.line_of(context).send(key, "get", "/v1/account", {})
        name = answers.ref(answer.facts)
    except faults.WrongKeyError:
        text = "The gateway does not take this key. Make a new one there and write it down here."
    except NoAnswerError as error:
        text = f"The gateway was asked and gave no answer: {error.said}"
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
            text = f"{name} cannot be read: {error.said}. Give the key this right."
            yield Finding("permissions", is_fine=False, text=text)
