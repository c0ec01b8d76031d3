"""What people signed for keeps no supplier waiting for ever; what is missing proves nothing."""

from datetime import timedelta

import pytest

from diandian.flows import differences as people
from diandian.flows import matched
from diandian.flows.differences import Seen
from diandian.reconciliation.models import DayState
from tests.flows.statements import DAY, bought, differences, gross, later, the_day, told, turn

pytestmark = pytest.mark.django_db(transaction=True)


def sign(names=("li",)):
    """Let people sign for every difference of the day."""
    for found in people.of_day(the_day()):
        what = Seen(found.item.statement_kind, found.item.key, found.item.seen)
        for name in names:
            people.sign(the_day().id, what, reason="seen", actor_ref=f"operator:{name}", at=later())


@pytest.mark.parametrize("kinds", [("trades",), ("funds",), ("trades", "funds")])
def test_a_signed_difference_is_settled(world, kinds):
    payment = bought(world)
    with told(lambda lines: [gross(lines[0], 803), *lines[1:]], kinds=kinds):
        turn()
    assert differences() != []
    assert not matched.is_matched(payment)
    sign()
    assert the_day().state == DayState.CLOSED
    assert matched.is_matched(payment)


def test_one_signature_of_two_settles_nothing(world, settings):
    settings.SIGN_ALONE_MINOR = 10
    payment = bought(world)
    with told(lambda lines: [gross(lines[0], 700), *lines[1:]], kinds=("trades",)):
        turn()
    sign()
    assert not matched.is_matched(payment), "the line of funds agrees, that of trades is open"
    sign(("wang",))
    assert matched.is_matched(payment)


def test_what_is_missing_and_signed_for_waits_for_its_line(world):
    payment = bought(world)
    with told(lambda lines: []):
        turn()
    assert {outcome for _, outcome in differences()} == {"missing_there"}
    sign()
    assert the_day().state == DayState.CLOSED
    assert not matched.is_matched(payment), "no line has told of it yet"
    day_ms = 24 * 3600 * 1000
    world.peer.run("UPDATE trade SET paid_ms = paid_ms + ?", (day_ms,))
    turn(later(days=1))
    assert differences(DAY + timedelta(days=1)) == []
    assert matched.is_matched(payment)
