"""What customers ask for: offers, quotes, orders, and their links to money and grams."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from diandian.footprints.models import Footprint
from diandian.ledger.models import Journal
from diandian.orders import rules
from diandian.payments.models import Payment
from diandian.registry.models import Project, Retirement
from diandian.scenes.models import Scene


class Offer(models.Model):
    """A project's price in one currency, per tonne; a new price is a new offer.

    ``position`` is the published order of the list: the operator rotates it by age of stock.
    """

    project = models.ForeignKey(Project, models.PROTECT, related_name="offers")
    currency = models.CharField(max_length=3)
    price_per_tonne_minor = models.BigIntegerField()
    fee_basis_points = models.PositiveIntegerField()
    fee_minimum_minor = models.PositiveIntegerField()
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(price_per_tonne_minor__gt=0), name="offer_positive"),
            models.UniqueConstraint(
                fields=["project", "currency"], condition=Q(is_active=True), name="offer_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.price_per_tonne_minor} {self.currency}"


class HolderKind(models.TextChoices):
    """In whose name grams are retired; the words of the public register."""

    PERSON = "person"
    HOST = "host"
    COMPANY = "company"
    SPONSOR = "sponsor"


class Quote(models.Model):
    """A price for exact grams of one project, until ``expires_at``; used by one order at most."""

    token = models.CharField(max_length=32, unique=True)
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="quotes")
    scene = models.ForeignKey(Scene, models.PROTECT, null=True, blank=True, related_name="quotes")
    footprint = models.ForeignKey(
        Footprint, models.PROTECT, null=True, blank=True, related_name="quotes"
    )
    # For quotes of an estimate that nobody saved (API): the estimate itself, for the certificate.
    estimate = models.JSONField(null=True, blank=True)
    # Of an organiser's cover: what it claims of its scene, see ``flows/cover``.
    cover = models.JSONField(null=True, blank=True)
    holder_kind = models.CharField(max_length=12, choices=HolderKind, default=HolderKind.PERSON)
    holder_ref = models.CharField(max_length=80, blank=True, default="")
    mass_g = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    supplier_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="quote_has_grams"),
            models.CheckConstraint(
                condition=Q(total_minor=models.F("supplier_minor") + models.F("fee_minor"))
                & Q(supplier_minor__gte=0)
                & Q(fee_minor__gte=0),
                name="quote_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"quote {self.id}"


class OrderState(models.TextChoices):
    """Where an order stands; ``flows`` move it, ``rules.py`` says which moves are lawful."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNFULFILLABLE = "unfulfillable"
    REFUNDED = "refunded"
    REVIEW = "review"


class Withdrawal(models.TextChoices):
    """What became of a consumer's right to withdraw from an order within 14 days.

    None: there is no such right. Waived: retired at once at their wish, which ends it. Kept: paid
    grams wait until it ends. Used: they withdrew, and the money goes back.
    """

    NONE = "", "none"
    WAIVED = "waived"
    KEPT = "kept"
    USED = "used"


LIVE_STATES = ("awaiting_payment", "paid", "completed", "review")


class Order(models.Model):
    """One person's wish to retire the grams of a quote; reachable only by its secret token.

    ``newest_payment``: the attempt to pay of whoever just made both; it is read from no table.
    ``paid_by``: the received payment that was booked as its price, written with it; whatever else
    arrives lies aside. ``settlement``: who collected it, as that payment was agreed.
    ``retire_after``: written with the payment of an order whose right to withdraw was kept; its
    grams are not retired before then. Empty is at once. ``reviewed_at``: since when it is under
    review, or was last.
    """

    newest_payment: Payment | None = None

    token = models.CharField(max_length=32, unique=True)
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="order")
    scene = models.ForeignKey(Scene, models.PROTECT, null=True, blank=True, related_name="orders")
    footprint = models.ForeignKey(
        Footprint, models.PROTECT, null=True, blank=True, related_name="orders"
    )
    project = models.ForeignKey(Project, models.PROTECT, related_name="orders")
    holder_kind = models.CharField(max_length=12, choices=HolderKind, default=HolderKind.PERSON)
    mass_g = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=OrderState, default=OrderState.AWAITING_PAYMENT)
    beneficiary_name = models.CharField(max_length=120, blank=True)
    on_board = models.BooleanField(default=False)
    guest_key = models.CharField(max_length=32, blank=True)
    language = models.CharField(max_length=10)
    idempotency_key = models.CharField(max_length=120, null=True, blank=True, unique=True)
    body_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    # When it was last tried to release the grams of an order that nobody paid.
    release_tried_at = models.DateTimeField(null=True, blank=True)
    paid_by = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    settlement = models.CharField(max_length=16, blank=True)
    withdrawal = models.CharField(
        max_length=8, choices=Withdrawal, blank=True, default=Withdrawal.NONE
    )
    retire_after = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # The same trip cannot be paid for twice: at most one live order per footprint.
            models.UniqueConstraint(
                fields=["footprint"],
                condition=Q(state__in=LIVE_STATES),
                name="order_one_live_per_footprint",
            ),
            models.CheckConstraint(
                condition=Q(retire_after__isnull=True) | Q(withdrawal__in=("kept", "used")),
                name="order_waits_for_a_right",
            ),
        ]
        indexes = [
            models.Index(
                fields=["scene", "id"],
                include=["mass_g", "holder_kind"],
                condition=Q(state="completed"),
                name="order_completed_by_scene",
            ),
            models.Index(
                fields=["created_at"], condition=Q(state="awaiting_payment"), name="order_unpaid"
            ),
            models.Index(
                fields=["guest_key"],
                condition=Q(state="awaiting_payment"),
                name="order_unpaid_by_guest",
            ),
            models.Index(
                fields=["reviewed_at"], condition=Q(state="review"), name="order_under_review"
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.id}"

    @property
    def ref(self) -> str:
        """Return the opaque reference that ledger, registry and payments keep."""
        return f"order:{self.id}"

    def is_held(self, at: datetime) -> bool:
        """Tell whether a paid order waits at that moment, because it may be withdrawn from."""
        return self.state == OrderState.PAID and rules.waits(self.retire_after, at)


class OrderPayment(models.Model):
    """An attempt to pay an order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="payment_links")
    payment = models.OneToOneField(Payment, models.PROTECT, related_name="order_link")

    def __str__(self) -> str:
        return f"{self.order_id}-{self.payment_id}"


class OrderEntry(models.Model):
    """A journal that an order caused."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="entry_links")
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="order_link")

    class Meta:
        verbose_name_plural = "order entries"

    def __str__(self) -> str:
        return f"{self.order_id}-{self.journal_id}"


class OrderRetirement(models.Model):
    """The one retirement of an order."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="retirement_link")
    retirement = models.OneToOneField(Retirement, models.PROTECT, related_name="order_link")

    def __str__(self) -> str:
        return f"{self.order_id}-{self.retirement_id}"


class IntakeState(models.TextChoices):
    """A paid order waits here until it is fulfilled or found impossible.

    Parked: it failed again and again; its order is under review until people decide.
    """

    WAITING = "waiting"
    PARKED = "parked"
    DONE = "done"
    IMPOSSIBLE = "impossible"


class Intake(models.Model):
    """The durable queue of paid orders; written with the payment, drained by ``flows/fulfil``.

    ``next_attempt_at``: not before then; empty is at once. ``keep_until``: people decided to go on
    trying until then; empty is the usual deadline (``flows/deadline``).
    """

    order = models.OneToOneField(Order, models.PROTECT, related_name="intake")
    state = models.CharField(max_length=12, choices=IntakeState, default=IntakeState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    keep_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=Q(state="waiting"), name="intake_waiting")]

    def __str__(self) -> str:
        return f"intake of {self.order_id}"


class AllocatorLease(models.Model):
    """Who takes paid orders from the intake, many at a time, and when it last said so.

    One row at most. Nothing but speed hangs on it: two who believe to lead lock the same orders.
    """

    ONLY_ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ROW)
    holder = models.CharField(max_length=64)
    beat_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="allocator_lease_one_row")]

    def __str__(self) -> str:
        return self.holder
