"""Prepares a demo with orders that wait for their payment; prints their numbers as JSON."""

from __future__ import annotations

import json
import sys

from kit import prepare


def main(count: int) -> None:
    """Prepare the folder that the environment names, and place so many orders."""
    prepare.main()
    # Models load after Django's set-up, which ``prepare`` does.
    from diandian.flows import checkout  # noqa: PLC0415
    from diandian.flows.quote import open_quote  # noqa: PLC0415
    from diandian.kernel.clock import now  # noqa: PLC0415

    made = []
    for _ in range(count):
        quote = open_quote(project_code=prepare.PROJECT, mass_g=1_000, at=now())
        order = checkout.place_order(
            quote_token=quote.token,
            beneficiary_name="",
            on_board=False,
            language="zh-Hans",
            is_vouched_for=True,
        )
        payment = order.newest_payment
        token = payment.instruction["url"].rpartition("/")[2]
        made.append([payment.payment_no, token, order.token])
    print(json.dumps(made))


if __name__ == "__main__":
    sys.path.insert(0, str(__file__.rpartition("/kit/")[0]))
    main(int(sys.argv[1]))
