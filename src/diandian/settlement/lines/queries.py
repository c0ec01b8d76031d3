"""What went back of a part with refunds that did happen, or still may."""

from django.db.models import Sum

from diandian.kernel.money import Money
from diandian.settlement.models import Line, Return, ReturnWay, SplitState


def went_back(line: Line) -> tuple[Money, Money]:
    """Return what of a part's leg went back for good, and of its gross with it.

    Without what was given back again, as its refund did not happen.
    """
    done = line.returns.filter(state=SplitState.PAID, given_back_at__isnull=True)
    sums = done.order_by().aggregate(leg=Sum("amount_minor"), gross=Sum("refund_minor"))
    return Money(sums["leg"] or 0, line.currency), Money(sums["gross"] or 0, line.currency)


def fee_went_back(line: Line, *, but: Return) -> Money:
    """Return what went back for good of our fee that we had got, ``but`` left out.

    Of what was forgone nothing was ever earned.
    """
    done = line.returns.filter(state=SplitState.PAID, given_back_at__isnull=True)
    earned = done.exclude(id=but.id).exclude(way=ReturnWay.FORGONE).order_by()
    return Money(earned.aggregate(total=Sum("amount_minor"))["total"] or 0, line.currency)


def claimed_minor(line: Line) -> int:
    """Return what was claimed of a part after a bank paid it, in minor units."""
    claimed = line.returns.filter(way=ReturnWay.CLAIMED, created_at__gte=line.paid_at)
    return int(claimed.aggregate(total=Sum("amount_minor"))["total"] or 0) if line.paid_at else 0


def was_given_back(line: Line) -> bool:
    """Tell whether something that came back of a part goes to its supplier again, by bank."""
    return line.returns.filter(given_back_at__isnull=False, amount_minor__gt=0).exists()
