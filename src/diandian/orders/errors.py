"""What can stand in the way of an order, in words for the guest."""

from diandian.kernel.errors import (
    N_,
    ConflictError,
    DiandianError,
    Fixer,
    InputError,
    NotFoundError,
)


class UnknownOfferError(InputError):
    """The chosen project is not on offer."""

    code = "unknown_project"
    message = N_("This project is not on offer. Nothing was ordered. Please choose another one.")


class NothingToRetireError(InputError):
    """Zero grams cannot be bought."""

    code = "nothing_to_retire"
    message = N_("There is nothing to buy for zero kilograms. Nothing was ordered.")


class KilogramsError(InputError):
    """Not a whole number of kilograms that can be ordered at once."""

    code = "kilograms"
    message = N_(
        "Please give whole kilograms, from 1 to %(limit)s. Nothing was ordered. More than that"
        " goes in several orders."
    )


class TooMuchError(InputError):
    """More than one order may hold."""

    code = "too_much"
    message = N_(
        "One order holds at most %(limit_t)s tonnes. Nothing was ordered. Please split it."
    )


class SalesPausedError(DiandianError):
    """A close found that the books do not hold; nothing is sold until they do."""

    code = "sales_paused"
    message = N_(
        "Sales are paused: our books are being checked. Nothing was charged."
        " Please try again later."
    )
    fixer = Fixer.OPERATOR
    retryable = True


class QuoteNotFoundError(NotFoundError):
    """No quote of this token."""

    code = "quote_not_found"
    message = N_("This price offer does not exist. Nothing was ordered. Please ask for a new one.")


class QuoteExpiredError(ConflictError):
    """The quote is too old."""

    code = "quote_expired"
    message = N_(
        "This price offer has expired. Nothing was ordered or charged. Please ask for a new one."
    )
    retryable = False


class QuoteUsedError(ConflictError):
    """The quote already has an order."""

    code = "quote_used"
    message = N_("This price offer was already used for an order. Nothing was ordered twice.")


class OrderNotFoundError(NotFoundError):
    """No order of this token."""

    code = "order_not_found"
    message = N_("There is no order at this address. Please check the link.")


class AlreadyMatchedError(ConflictError):
    """This very estimate has a live order. ``order_token`` leads its owner there."""

    code = "already_matched"
    message = N_("An order for this trip already exists. Nothing was ordered twice.")

    def __init__(self, *, order_token: str) -> None:
        self.order_token = order_token
        super().__init__()


class IdempotencyConflictError(ConflictError):
    """The same key came with another body."""

    code = "idempotency_conflict"
    message = N_(
        "This idempotency key was already used with other content. Nothing was ordered."
        " Use a new key for a new order."
    )


class SceneClosedError(ConflictError):
    """The scene takes no more orders."""

    code = "scene_closed"
    message = N_(
        "This scene is closed. Nothing was ordered or charged. You can still read its report."
    )


class HostAnswersError(ConflictError):
    """The organiser counts the guests' travel; a second claim on the same grams is refused."""

    code = "host_answers"
    message = N_(
        "The organiser of this scene answers for the guests' travel. Nothing was ordered."
        " You can still retire a plain amount."
    )


class AlreadyCoveredError(ConflictError):
    """The organiser has claimed the guest's lines. ``name``: who covers them."""

    code = "already_covered"
    message = N_(
        "Your trip is already covered by %(name)s. Nothing was ordered or charged."
        " Your answers still count, and you can still retire a plain amount."
    )


class BeingCoveredError(ConflictError):
    """The organiser has just ordered the guest's lines and not paid yet."""

    code = "being_covered"
    message = N_(
        "%(name)s is just paying for your trip. Nothing was ordered or charged."
        " Please look again in half an hour."
    )
    retryable = True


class CoverChangedError(ConflictError):
    """What an organiser's quote covers is no longer what is open in its scene."""

    code = "cover_changed"
    message = N_(
        "What is left to cover has changed since this price offer: somebody paid for a part of it,"
        " or it was counted anew. Nothing was ordered or charged. Please ask for a new price."
    )


class NothingLeftError(ConflictError):
    """Every gram of the scene that an organiser may cover has its claimant."""

    code = "nothing_left"
    message = N_("Nothing of this scene is left to cover. Nothing was ordered or charged.")


class SponsoringClosedError(ConflictError):
    """The organiser opened nothing, or not this part, to sponsors."""

    code = "sponsoring_closed"
    message = N_(
        "This scene is not open to sponsors for that. Nothing was ordered or charged. Please ask"
        " the organiser for the address to use now."
    )


class VisitsWholeError(InputError):
    """A visit is taken over whole or not at all."""

    code = "visits_whole"
    message = N_(
        "A visit is taken over whole, and every open one is larger than that. Nothing was ordered."
        " Please give more kilograms, or leave the field empty for all that is open."
    )


class SponsorPayingError(ConflictError):
    """One sponsor after the other: an unpaid cover keeps guests away from what it holds."""

    code = "sponsor_paying"
    message = N_(
        "Another sponsor is just paying for this scene. Nothing was ordered or charged."
        " Please look again in half an hour."
    )
    retryable = True


class InventoryOpenError(ConflictError):
    """An inventory is being written; nobody buys what still changes."""

    code = "inventory_open"
    message = N_(
        "The inventory of this scene is still open. Nothing was ordered or charged."
        " Please close it first."
    )


class ShareError(InputError):
    """A share outside one to a hundred per cent."""

    code = "share_out_of_range"
    message = N_(
        "The share must be a whole number from 1 to 100 per cent. Nothing was ordered."
        " Please correct it."
    )


class FootprintExpiredError(ConflictError):
    """The saved answers are too old."""

    code = "footprint_expired"
    message = N_(
        "This calculation has expired. Nothing was charged."
        " You can start again with the same answers."
    )


class SoldOutError(ConflictError):
    """Not enough grams are left. ``available_g`` says how many."""

    code = "sold_out"
    message = N_(
        "Only %(available_kg)s kg of this project are left. Nothing was charged."
        " Please choose another one."
    )

    def __init__(self, *, available_g: int) -> None:
        self.available_g = available_g
        super().__init__(available_kg=available_g // 1000)


class TooManyUnpaidError(ConflictError):
    """One device has enough orders that nobody paid."""

    code = "too_many_unpaid"
    message = N_(
        "You have %(limit)s orders that are not paid yet. Nothing more was ordered or charged."
        " Please pay or cancel one of them first."
    )


class HeldUnpaidError(ConflictError):
    """Large orders may not hold more than half of a project without paying."""

    code = "held_unpaid"
    message = N_(
        "Large orders that are not paid yet may hold at most half of a project."
        " Nothing was ordered or charged. Please order at most %(limit_kg)s kg at a time,"
        " and the rest once that is paid."
    )


class NotUnderReviewError(ConflictError):
    """Only an order under review can be decided."""

    code = "not_under_review"
    message = N_(
        "This order is not under review. Nothing was changed. Please look at the order first."
    )
    fixer = Fixer.OPERATOR


class MoneyDiffersError(ConflictError):
    """The money received is not the price of the order."""

    code = "money_differs"
    message = N_(
        "The order costs %(total)s, but what lies ready for it is %(received)s."
        " Nothing was changed. Please give the money back instead."
    )
    fixer = Fixer.OPERATOR


class StillPayableError(ConflictError):
    """Nothing was received, and the gateway does not say that nothing can come any more."""

    code = "still_payable"
    message = N_(
        "Nothing was received for this order, and its payment may still succeed."
        " Nothing was changed. Please try again later."
    )
    fixer = Fixer.OPERATOR
    retryable = True


class WaitUntilError(InputError):
    """An order cannot wait until then."""

    code = "wait_until"
    message = N_(
        "A paid order waits until a day after today, %(days)s days at most. Nothing was changed."
        " Please choose such a day, or give the money back."
    )
    fixer = Fixer.OPERATOR


class NotPayableError(ConflictError):
    """The order is paid, given up, or its time to pay is over."""

    code = "not_payable"
    message = N_(
        "This order can no longer be paid: it is paid already, or its time is over."
        " Nothing was charged now. Its page shows where it stands."
    )


class PaymentUnavailableError(DiandianError):
    """No gateway took the payment."""

    code = "payment_unavailable"
    message = N_(
        "The payment could not be started. Nothing was charged. Please try again in a minute."
    )
    fixer = Fixer.OPERATOR
    retryable = True


class NoWithdrawalError(InputError):
    """Who has no right to withdraw cannot ask to wait for its end."""

    code = "no_withdrawal"
    message = N_(
        "There is no right to withdraw from this order, so its retirement cannot wait for it."
        " Nothing was ordered or charged. Please order it to be retired at once."
    )


class WithdrawalEndedError(ConflictError):
    """The right was given up or has ended; what is retired stays so."""

    code = "withdrawal_ended"
    message = N_(
        "It is too late to withdraw from this order: its kilograms are retired or about to be, and"
        " that is final. Nothing was refunded. The certificate is at the link of this order."
    )
    retryable = False


class NotHeldError(ConflictError):
    """The order is not paid, or its money is on its way back."""

    code = "not_held"
    message = N_(
        "No paid kilograms wait for you in this order. Nothing was changed. This page shows where"
        " it stands."
    )
    retryable = False
