"""Notices of the peer: made on demand, right or forged, and sent with resends where asked."""

import json
import urllib.error
import urllib.request
import uuid

import signing
from world import RefusedError, rfc3339

LONGEST_S = 5


def payment(world, key, merchant, trade, wishes):
    facts = transaction(world, trade)
    return _notice(world, key, merchant, facts, "TRANSACTION.SUCCESS", "transaction", wishes)


def refund(world, key, merchant, found, wishes):
    trade, status = found.trade, found.status(world.now())
    facts = _who(trade) | {
        "out_trade_no": trade.no,
        "transaction_id": trade.transaction_id,
        "out_refund_no": found.no,
        "refund_id": found.id,
        "refund_status": status,
        "success_time": rfc3339(world.now()),
        "user_received_account": "balance",
        "amount": {
            "total": trade.total,
            "refund": found.amount,
            "payer_total": trade.total - trade.coupon,
            "payer_refund": found.amount,
        },
    }
    return _notice(world, key, merchant, facts, f"REFUND.{status}", "refund", wishes)


def split(world, key, merchant, found, wishes):
    leg = found.asked[0]
    facts = _who(found.trade) | {
        "transaction_id": found.trade.transaction_id,
        "order_id": found.id,
        "out_order_no": found.no,
        "receiver": leg,
        "success_time": rfc3339(world.now()),
    }
    return _notice(world, key, merchant, facts, "TRANSACTION.SUCCESS", "profitsharing", wishes)


def _who(trade):
    if trade.sub:
        return {"sp_mchid": trade.mchid, "sub_mchid": trade.sub}
    return {"mchid": trade.mchid}


def transaction(world, trade):
    """Return a payment as both a query and a notice tell it."""
    facts = _who(trade) | {
        "sp_appid" if trade.sub else "appid": trade.app,
        "out_trade_no": trade.no,
        "trade_state": trade.state,
        "trade_state_desc": trade.state.lower(),
    }
    if trade.state in {"SUCCESS", "REFUND"}:
        payer = "sp_openid" if trade.sub else "openid"
        facts |= {
            "transaction_id": trade.transaction_id,
            "trade_type": {"h5": "MWEB"}.get(trade.kind, trade.kind.upper()),
            "bank_type": "OTHERS",
            "success_time": rfc3339(trade.paid),
            "payer": {payer: trade.payer or "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {
                "total": trade.total,
                "payer_total": trade.total - trade.coupon,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }
    elif world.tells_amount:
        facts["amount"] = {"total": trade.total, "payer_currency": "CNY"}
    return facts


def _notice(world, key, merchant, facts, event, original_type, wishes):
    facts |= wishes.get("alter", {})
    api_key = wishes.get("api_key") or merchant.api_key
    body = json.dumps(
        {
            "id": wishes.get("id") or str(uuid.uuid4()),
            "create_time": rfc3339(world.now()),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": event.lower(),
            "resource": signing.closed(api_key, facts, original_type),
        },
        ensure_ascii=False,
    ).encode()
    stamp = world.now() + wishes.get("shift_seconds", 0)
    forged = wishes.get("forged", "")
    headers = signing.headers_for(key, body, stamp, fault=forged)
    if forged == "body":
        body = body.replace(b"encrypt-resource", b"encrypt-Resource")
    headers["Content-Type"] = "application/json"
    return {"headers": headers, "body": body.decode()}


def deliver(notice, url, most):
    """Send a notice until it is taken; return the statuses, 0 for no answer."""
    if not url.startswith(("http://127.0.0.1", "http://localhost")):
        raise RefusedError(400, "PARAM_ERROR", "this peer sends to this machine only")
    statuses = []
    for _ in range(most):
        request = urllib.request.Request(  # noqa: S310 - the address was checked
            url, notice["body"].encode(), notice["headers"], method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=LONGEST_S) as answer:  # noqa: S310
                statuses.append(answer.status)
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
            error.close()
        except OSError:
            statuses.append(0)
        if statuses[-1] in {200, 204}:
            break
    return statuses
