"""The gateway WeChat Pay: our words into its protocol, its signed answers into ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from diandian.payments import messages as port
from diandian.payments import options, trials
from diandian.payments.facts import NoAnswerError
from diandian.payments.gateways.wechatpay import (
    account,
    answers,
    notices,
    orders,
    splits,
    statements,
    trial,
)
from diandian.payments.gateways.wechatpay.account import Account, SetupError
from diandian.payments.gateways.wechatpay.client import (
    LARGEST_ANSWER_BYTES,
    LARGEST_FILE_BYTES,
    Library,
    Reply,
    library_of,
)
from diandian.payments.statements import NOT_READY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from diandian.payments.messages import MerchantContext, Outcome
    from diandian.payments.splits import (
        ReversalRequest,
        ReversalSnapshot,
        SplitRequest,
        SplitSnapshot,
    )
    from diandian.payments.statements import Statement, StatementKind

T = TypeVar("T")

_REFUND_WINDOW_DAYS = 365
_MOST_REFUNDS = 50
_REFUND_GAP_SECONDS = 60
_SHORTEST_LIFE_SECONDS = 60
_LONGEST_REASON_BYTES = 80
_NO_CONTENT = 204
_CLOSED = {"ORDER_CLOSED", "ORDERCLOSED"}
_PAID = {"ORDER_PAID", "ORDERPAID"}


class WeChatPayGateway:
    """Keeps the contract of ``payments.gateway.Gateway``."""

    key = "wechatpay"
    pay_origins: tuple[str, ...] = (orders.H5_ORIGIN,)

    def capabilities(self, context: MerchantContext) -> port.Capabilities:
        """Return what WeChat Pay can do; splits only where a sub-merchant collects."""
        flows = account.flows_of(context)
        return port.Capabilities(
            limits_minor={answers.CURRENCY: orders.LIMITS_MINOR},
            flows=tuple(flow for flow in orders.FLOWS if flow.key in flows),
            can_close=True,
            can_partial_refund=True,
            refund_window_days=_REFUND_WINDOW_DAYS,
            shortest_life_seconds=_SHORTEST_LIFE_SECONDS,
            refunds_limit=_MOST_REFUNDS,
            refund_gap_seconds=_REFUND_GAP_SECONDS,
            split=splits.terms(context) if context.sub_merchant else None,
            # What flows through a sub-merchant's account, WeChat Pay tells the sub-merchant.
            statements=("trades",) if context.sub_merchant else ("trades", "funds"),
        )

    # -- paying -------------------------------------------------------------------------------

    def create_payment(
        self, context: MerchantContext, request: port.PaymentRequest, *, at: datetime
    ) -> Outcome[port.Instruction]:
        """Open a payment in one of the three flows; again with the same facts for a fresh link."""
        fault = orders.fault_of(request, account.flows_of(context), at)
        if fault is not None:
            return fault

        def read(ours: Account, reply: Reply) -> Outcome[port.Instruction]:
            return answers.outcome(
                reply, lambda facts: orders.instruction(ours, request, facts, at)
            )

        return _ask(
            context, at, lambda ours, library: library.pay(**orders.parameters(ours, request)), read
        )

    def query_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[port.Snapshot]:
        """Ask where a payment stands."""
        if not orders.is_number(payment_no):
            return port.Rejected(port.NOT_FOUND)

        def read(ours: Account, reply: Reply) -> Outcome[port.Snapshot]:
            return answers.outcome(
                reply, lambda facts: answers.snapshot(ours, payment_no, facts, reply.body)
            )

        return _ask(
            context,
            at,
            lambda ours, library: library.query(out_trade_no=payment_no, **_sub(ours)),
            read,
        )

    def close_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[port.CloseAnswer]:
        """Make an unpaid payment unpayable; past its deadline it does not close by itself."""
        if not orders.is_number(payment_no):
            return port.Done("not_found_yet")
        return _ask(
            context,
            at,
            lambda ours, library: library.close(out_trade_no=payment_no, **_sub(ours)),
            lambda _, reply: _closing(reply),
        )

    # -- money back ---------------------------------------------------------------------------

    def refund(
        self, context: MerchantContext, request: port.RefundRequest, *, at: datetime
    ) -> Outcome[port.RefundSnapshot]:
        """Give money back; accepted is processing."""
        fault = _refund_fault(request)
        if fault is not None:
            return fault
        facts: dict[str, Any] = {
            "out_refund_no": request.refund_no,
            "amount": {
                "refund": request.amount.amount_minor,
                "total": request.total.amount_minor,
                "currency": request.total.currency,
            },
            "reason": orders.shortened(request.reason, _LONGEST_REASON_BYTES) or None,
            "notify_url": request.notify_url or None,
        }
        of = (
            {"transaction_id": request.gateway_ref}
            if request.gateway_ref
            else {"out_trade_no": request.payment_no}
        )
        return _ask(
            context,
            at,
            lambda ours, library: library.refund(**facts, **of, **_sub(ours)),
            lambda _, reply: _refunding(request.refund_no, reply),
        )

    def query_refund(
        self, context: MerchantContext, refund_no: str, *, at: datetime
    ) -> Outcome[port.RefundSnapshot]:
        """Ask where a refund stands."""
        if not orders.is_refund_number(refund_no):
            return port.Rejected(port.NOT_FOUND)
        return _ask(
            context,
            at,
            lambda ours, library: library.query_refund(out_refund_no=refund_no, **_sub(ours)),
            lambda _, reply: _refunding(refund_no, reply),
        )

    # -- splits -------------------------------------------------------------------------------

    def split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Take our fee out of what a sub-merchant collected, or release all of it."""
        fault = splits.fault_of(request)
        if fault is not None:
            return fault
        name = context.options.get("split_receiver_name", "")
        for leg in request.legs if name else ():
            added = self._add_receiver(context, leg.receiver, name, at)
            if not isinstance(added, port.Done):
                return added
        return _ask(
            context,
            at,
            lambda ours, library: splits.send(ours, library, request),
            lambda _, reply: _splitting(request, reply),
        )

    def _add_receiver(
        self, context: MerchantContext, receiver: str, name: str, at: datetime
    ) -> Outcome[None]:
        """Say that a receiver belongs to the sub-merchant; again does no harm.

        Said before every split: who was removed at the gateway meanwhile is there again.
        """
        return _ask(
            context,
            at,
            lambda ours, library: splits.add_receiver(ours, library, receiver, name),
            lambda _, reply: answers.outcome(reply, lambda _facts: None),
        )

    def query_split(
        self, context: MerchantContext, request: SplitRequest, *, at: datetime
    ) -> Outcome[SplitSnapshot]:
        """Ask where a division stands."""
        fault = splits.fault_of(request)
        if fault is not None:
            return fault
        return _ask(
            context,
            at,
            lambda ours, library: library.profitsharing_order_query(
                transaction_id=request.gateway_ref, out_order_no=request.split_no, **_sub(ours)
            ),
            lambda _, reply: _splitting(request, reply),
        )

    def reverse_split(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Take a leg back from its receiver, in whole or part."""
        fault = splits.reversal_fault(request)
        if fault is not None:
            return fault
        return _ask(
            context,
            at,
            lambda ours, library: library.profitsharing_return(
                out_return_no=request.reversal_no,
                out_order_no=request.split_no,
                return_mchid=request.receiver,
                amount=request.amount.amount_minor,
                description=request.reversal_no,
                **_sub(ours),
            ),
            lambda _, reply: _reversing(request, reply),
        )

    def query_reversal(
        self, context: MerchantContext, request: ReversalRequest, *, at: datetime
    ) -> Outcome[ReversalSnapshot]:
        """Ask where a reversal stands."""
        fault = splits.reversal_fault(request)
        if fault is not None:
            return fault
        return _ask(
            context,
            at,
            lambda ours, library: library.profitsharing_return_query(
                out_order_no=request.split_no, out_return_no=request.reversal_no, **_sub(ours)
            ),
            lambda _, reply: _reversing(request, reply),
        )

    # -- statements, set-up, notices ----------------------------------------------------------

    def fetch_statement(
        self, context: MerchantContext, day: date, kind: StatementKind, *, at: datetime
    ) -> Outcome[Statement]:
        """Fetch the statement of a day: where it lies, then the file, proven by its digest."""
        if kind not in self.capabilities(context).statements:
            return port.Rejected("not_offered")
        if not statements.is_ready(day, at):
            return port.Rejected(NOT_READY)
        found = _ask(
            context,
            at,
            lambda ours, library: statements.ask_for(ours, library, day, kind),
            statements.place,
        )
        if not isinstance(found, port.Done):
            return found
        place = found.value
        if place is None:
            return port.Done(statements.statement(day, kind, b""))
        return _ask(
            context,
            at,
            lambda _, library: library._core.request(place.path, skip_verify=True),  # noqa: SLF001
            lambda _, reply: statements.file_outcome(day, kind, place, reply),
            LARGEST_FILE_BYTES,
        )

    def check(
        self, context: MerchantContext, *, notify_url: str, at: datetime
    ) -> list[port.Finding]:
        """Try the set-up: keys, clock, address for notices, products. Moves no money."""
        return trials.whole(lambda: trial.findings(self, context, notify_url=notify_url, at=at))

    def parse_notification(
        self, context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
    ) -> port.VerifiedNotice | port.NoticeRefused:
        """Verify a notice: known key, signature over the very bytes, age, form, addressee."""
        try:
            ours = account.read(context)
        except SetupError:
            return port.NoticeRefused("unknown_key")
        return notices.parse(ours, headers, body, at)

    def ack(self, refusal: port.NoticeRefused | None) -> port.Ack:
        """Answer a notice: nothing to say, or that it shall come again."""
        return notices.ack(refusal)


def _ask(
    context: MerchantContext,
    at: datetime,
    call: Callable[[Account, Library], Reply],
    read: Callable[[Account, Reply], Outcome[T]],
    largest_bytes: int = LARGEST_ANSWER_BYTES,
) -> Outcome[T]:
    """Call WeChat Pay and read its answer; what was never sent is rejected, the rest unknown."""
    try:
        ours = account.read(context)
    except SetupError as error:
        return options.not_set_up(str(error))
    try:
        reply = call(ours, library_of(ours, at, largest_bytes))
    except NoAnswerError as error:
        return error.outcome
    return read(ours, reply)


def _sub(ours: Account) -> dict[str, str]:
    return {"sub_mchid": ours.sub_merchant} if ours.is_partner else {}


def _closing(reply: Reply) -> Outcome[port.CloseAnswer]:
    if reply.is_signed and reply.status == _NO_CONTENT:
        return port.Done("closed")
    code = answers.code_of(reply) if reply.is_signed else ""
    if code in _CLOSED:
        return port.Done("closed")
    if code in _PAID:
        return port.Done("already_paid")
    refused = answers.refusal(reply)
    if isinstance(refused, port.Rejected) and refused.code == port.NOT_FOUND:
        return port.Done("not_found_yet")
    # A yes with words in it: a guest may be typing the password.
    return refused or port.Unknown(f"answer {reply.status} {code}")


def _refund_fault(request: port.RefundRequest) -> port.Rejected | None:
    rules = {
        "number_unfit": orders.is_refund_number(request.refund_no),
        "payment_unfit": orders.is_number(request.payment_no)
        if not request.gateway_ref
        else orders.is_reference(request.gateway_ref),
        "currency_unfit": request.amount.currency == request.total.currency == answers.CURRENCY,
        "amount_out_of_range": 0 < request.amount.amount_minor <= request.total.amount_minor,
    }
    wrong = next((code for code, is_right in rules.items() if not is_right), None)
    return None if wrong is None else port.Rejected(wrong)


def _refunding(refund_no: str, reply: Reply) -> Outcome[port.RefundSnapshot]:
    return answers.outcome(
        reply,
        lambda facts: answers.refund_snapshot(refund_no, facts),
        answers.LATER_WITH_MONEY,
    )


def _splitting(request: SplitRequest, reply: Reply) -> Outcome[SplitSnapshot]:
    return answers.outcome(
        reply, lambda facts: splits.snapshot(request, facts), answers.LATER_WITH_MONEY
    )


def _reversing(request: ReversalRequest, reply: Reply) -> Outcome[ReversalSnapshot]:
    return answers.outcome(
        reply, lambda facts: splits.reversal_snapshot(request, facts), answers.LATER_WITH_MONEY
    )


GATEWAY = WeChatPayGateway()
