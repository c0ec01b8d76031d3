"""Tries the set-up without moving money, and says in plain words what to mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diandian.payments import trials
from diandian.payments.gateways.stripe import answers, client, faults
from diandian.payments.gateways.stripe.answers import MalformedError, NoAnswerError
from diandian.payments.gateways.stripe.notices import SECRET_OPTIONS
from diandian.payments.messages import Finding, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from diandian.payments.gateways.stripe.answers import Answer, Facts
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
_WORD = re.compile(r"[a-z0-9_.]{1,60}")
_MOST_WANTED = 5
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


# -- suppliers' accounts ----------------------------------------------------------------------


def receivers(context: MerchantContext, accounts: Sequence[str], *, at: datetime) -> list[Finding]:
    """Return whether Connect is open, and whether each account may receive transfers."""
    try:
        listed = client.ask(context, "get", "/v1/accounts", {"limit": 1}, at=at)
        is_open = bool(answers.items(listed.facts))
    except NoAnswerError as error:
        text = f"Connected accounts cannot be read: {error.said}. Give the key this right."
        return [Finding("connect", is_fine=False, text=text)]
    if not is_open:
        text = (
            "No account is connected to this one, so no supplier can be paid. Open Connect at the"
            " gateway and connect the account of each supplier there, before the first guest pays."
        )
        return [Finding("connect", is_fine=False, text=text)]
    found = [
        Finding("connect", is_fine=True, text="It is open: suppliers' accounts are connected.")
    ]
    if not accounts:
        text = "None is entered here yet: until then suppliers' parts wait. Enter it at the desk."
        found.append(Finding("receivers", is_fine=False, text=text))
    return found + [_receiver(context, account, at) for account in accounts]


def _receiver(context: MerchantContext, account: str, at: datetime) -> Finding:
    # Of an account only its end is told.
    subject = f"receiver …{account[-4:]}"
    if not answers.is_ref(account):
        return Finding(subject, is_fine=False, text="It is no account of this gateway.")
    try:
        facts = client.ask(context, "get", f"/v1/accounts/{account}", at=at).facts
    except NoAnswerError as error:
        text = (
            f"It cannot be looked at: {error.said}. It is not connected to this account, or no"
            " longer: connect it, or enter the right one at the desk."
        )
        return Finding(subject, is_fine=False, text=text)
    capabilities = facts.get("capabilities")
    state = capabilities.get("transfers") if isinstance(capabilities, dict) else None
    if answers.ref(facts) == account and state == "active":
        return Finding(subject, is_fine=True, text="It may receive transfers.")
    text = (
        f"It may not receive transfers: this capability is {_plain(state)}. {_wanted(facts)}"
        " Until it is active the supplier's parts fail."
    )
    return Finding(subject, is_fine=False, text=text)


def _wanted(facts: Facts) -> str:
    """Return what the gateway still wants of an account, in its own words."""
    requirements = facts.get("requirements")
    due = requirements.get("currently_due") if isinstance(requirements, dict) else None
    wanted = [_plain(each) for each in due[:_MOST_WANTED]] if isinstance(due, list) else []
    if not wanted:
        return "Ask for the capability transfers in the account's page at the gateway."
    return f"The supplier has to give the gateway: {', '.join(wanted)}."


def _plain(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "not there"
