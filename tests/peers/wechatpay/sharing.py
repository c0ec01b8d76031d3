"""Profit sharing of the peer: receivers, divisions, releases and returns."""

from dataclasses import dataclass

from world import WORK_SECONDS, RefusedError, needed

EARLIEST_SECONDS = 30
MOST_SPLITS = 50
MOST_RECEIVERS = 50
RETURN_WINDOW = 180 * 86_400
WHOLE = 10_000


@dataclass
class Split:
    no: str
    id: str
    trade: object
    asked: list
    created: int
    releases: bool
    details: list
    decided: str = ""
    reason: str = ""

    def result(self, now):
        if self.decided:
            return self.decided
        return "SUCCESS" if now >= self.created + WORK_SECONDS else "PENDING"

    def shared(self):
        """What went away from the payment: all legs that did not fail."""
        return 0 if self.decided == "CLOSED" else sum(leg["amount"] for leg in self.asked)


@dataclass
class Reversal:
    no: str
    id: str
    split: Split
    receiver: str
    amount: int
    created: int
    result: str
    reason: str = ""


def add_receiver(world, merchant, facts, key_of_call):
    world.check_sub(merchant, facts.get("sub_mchid", ""))
    account, kind = needed(facts, "account", str), needed(facts, "type", str)
    needed(facts, "relation_type", str)
    if kind == "MERCHANT_ID":
        # The full name is closed for the gateway alone.
        try:
            key_of_call.open(needed(facts, "name", str))
        except ValueError as error:
            raise RefusedError(400, "PARAM_ERROR", "name cannot be opened") from error
    merchant.receivers.add((facts.get("sub_mchid", ""), account))
    return {"type": kind, "account": account, "relation_type": facts["relation_type"]}


def split(world, merchant, facts, *, is_release):
    trade = _payment(world, merchant, facts)
    no = needed(facts, "out_order_no", str)
    asked = [] if is_release else needed(facts, "receivers", list)
    releases = True if is_release else needed(facts, "unfreeze_unsplit", bool)
    earlier = world.splits.get((merchant.mchid, no))
    if earlier is not None:
        if (earlier.trade, earlier.asked, earlier.releases) != (trade, asked, releases):
            raise RefusedError(400, "INVALID_REQUEST", "other facts than at the first time")
        return earlier
    _divisible(world, merchant, trade, asked)
    found = Split(no, world.next_ref("30000"), trade, asked, world.now(), releases, [])
    found.details = [world.next_ref("36000") for _ in asked]
    trade.splits.append(found)
    trade.released = trade.released or releases
    world.splits[merchant.mchid, no] = found
    return found


def _payment(world, merchant, facts):
    sub = facts.get("sub_mchid", "")
    world.check_sub(merchant, sub)
    return world._payment(world.trade_by_id, merchant, needed(facts, "transaction_id", str), sub)


def _divisible(world, merchant, trade, asked):
    if "profitsharing" not in merchant.products:
        raise RefusedError(403, "NO_AUTH", "profit sharing is not opened")
    if not trade.sharing or trade.released or trade.paid == 0:
        raise RefusedError(400, "INVALID_REQUEST", "nothing of this payment is held for sharing")
    if world.now() < trade.paid + EARLIEST_SECONDS:
        raise RefusedError(403, "RULE_LIMIT", "the payment is still being settled")
    if len(trade.splits) >= MOST_SPLITS or len(asked) > MOST_RECEIVERS:
        raise RefusedError(403, "RULE_LIMIT", "too many splits or receivers")
    amounts = [_leg(merchant, trade, leg) for leg in asked]
    cap = trade.total * merchant.subs.get(trade.sub, 3_000) // WHOLE
    given = sum(each.shared() for each in trade.splits)
    refunded = sum(each.amount for each in trade.refunds)
    if given + sum(amounts) > cap:
        raise RefusedError(403, "RULE_LIMIT", "more than the share that may be given away")
    if given + sum(amounts) + refunded > trade.total:
        raise RefusedError(403, "NOT_ENOUGH")


def _leg(merchant, trade, leg):
    account, amount = needed(leg, "account", str), needed(leg, "amount", int)
    needed(leg, "description", str)
    if needed(leg, "type", str) != "MERCHANT_ID" or amount < 1:
        raise RefusedError(400, "PARAM_ERROR", "receivers")
    if (trade.sub, account) not in merchant.receivers:
        raise RefusedError(400, "INVALID_REQUEST", "the receiver was never added")
    return amount


def split_of(world, merchant, no, query):
    found = world.splits.get((merchant.mchid, no))
    if found is None or found.trade.transaction_id != query.get("transaction_id"):
        raise RefusedError(404, "RESOURCE_NOT_EXISTS")
    return found


def split_facts(world, found):
    now = world.now()
    result = found.result(now)
    legs = [
        {
            "type": leg["type"],
            "account": leg["account"],
            "amount": leg["amount"],
            "description": leg["description"],
            "result": result,
            "detail_id": detail,
        }
        | ({"fail_reason": found.reason} if result == "CLOSED" else {})
        for leg, detail in zip(found.asked, found.details, strict=True)
    ]
    rest = found.trade.total - sum(each.shared() for each in found.trade.splits)
    if found.releases and rest > 0:
        legs.append(
            {
                "type": "MERCHANT_ID",
                "account": found.trade.collector,
                "amount": rest,
                "description": "rest released to who collected",
                "result": "PENDING" if result == "PENDING" else "SUCCESS",
                "detail_id": f"{found.id}R",
            }
        )
    facts = {
        "transaction_id": found.trade.transaction_id,
        "out_order_no": found.no,
        "order_id": found.id,
        "state": "PROCESSING" if result == "PENDING" else "FINISHED",
        "receivers": legs,
    }
    return facts | ({"sub_mchid": found.trade.sub} if found.trade.sub else {})


def reverse(world, merchant, facts):
    no, split_no = needed(facts, "out_return_no", str), needed(facts, "out_order_no", str)
    receiver, amount = needed(facts, "return_mchid", str), needed(facts, "amount", int)
    needed(facts, "description", str)
    found = world.splits.get((merchant.mchid, split_no))
    if found is None:
        raise RefusedError(404, "RESOURCE_NOT_EXISTS")
    earlier = world.reversals.get((merchant.mchid, no))
    if earlier is not None:
        if (earlier.split, earlier.receiver, earlier.amount) != (found, receiver, amount):
            raise RefusedError(400, "INVALID_REQUEST", "other facts than at the first time")
        return earlier
    got = sum(leg["amount"] for leg in found.asked if leg["account"] == receiver)
    back = sum(
        each.amount
        for each in world.reversals.values()
        if (each.split, each.receiver) == (found, receiver) and each.result != "FAILED"
    )
    now = world.now()
    if found.result(now) != "SUCCESS" or now > found.created + RETURN_WINDOW or amount < 1:
        raise RefusedError(400, "INVALID_REQUEST", "not split, or too long ago")
    if amount + back > got:
        raise RefusedError(403, "RULE_LIMIT", "more than the receiver got")
    balance = world.receiver_balances.get(receiver)
    is_short = balance is not None and balance < amount
    made = Reversal(
        no=no,
        id=world.next_ref("37000"),
        split=found,
        receiver=receiver,
        amount=amount,
        created=now,
        result="FAILED" if is_short else "SUCCESS",
        reason="ACCOUNT_ABNORMAL" if is_short else "",
    )
    if balance is not None and not is_short:
        world.receiver_balances[receiver] = balance - amount
    world.reversals[merchant.mchid, no] = made
    return made


def reversal_of(world, merchant, no, query):
    found = world.reversals.get((merchant.mchid, no))
    if found is None or found.split.no != query.get("out_order_no"):
        raise RefusedError(404, "RESOURCE_NOT_EXISTS")
    return found


def reversal_facts(found):
    facts = {
        "order_id": found.split.id,
        "out_order_no": found.split.no,
        "out_return_no": found.no,
        "return_id": found.id,
        "return_mchid": found.receiver,
        "amount": found.amount,
        "description": "return",
        "result": found.result,
    }
    sub = found.split.trade.sub
    return (
        facts
        | ({"sub_mchid": sub} if sub else {})
        | ({"fail_reason": found.reason} if found.reason else {})
    )
