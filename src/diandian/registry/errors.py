"""What the registry refuses."""

from collections.abc import Mapping

from diandian.kernel.errors import N_, ConflictError, Fixer, InputError


class NotEnoughCreditsError(ConflictError):
    """Fewer grams are free than asked for. ``available_g`` says how many; nothing was written."""

    code = "not_enough_credits"
    message = N_(
        "Only %(available_kg)s kg of this project are free. Nothing was reserved."
        " Please take less or choose another project."
    )
    fixer = Fixer.CUSTOMER

    def __init__(self, *, available_g: int) -> None:
        self.available_g = available_g
        super().__init__(available_g=available_g, available_kg=available_g // 1000)


class HoldGoneError(ConflictError):
    """Nothing is held for this owner: never was, or released since."""

    code = "hold_gone"
    message = N_(
        "No credits are reserved for %(owner_ref)s any more. Nothing was retired."
        " Please reserve them again or refund."
    )
    fixer = Fixer.OPERATOR


class HoldMismatchError(ConflictError):
    """The same owner already holds another mass."""

    code = "hold_mismatch"
    message = N_(
        "%(held_g)s g are already reserved for %(owner_ref)s, not %(asked_g)s g."
        " Nothing more was reserved. Please release them first."
    )
    fixer = Fixer.DEVELOPER


class AlreadyRetiredError(ConflictError):
    """The grams of this owner were retired before; what is retired stays retired."""

    code = "already_retired"
    message = N_(
        "The credits of %(owner_ref)s are already retired. Nothing was retired twice."
        " Please look at the retirement that exists."
    )
    fixer = Fixer.DEVELOPER


class BatchNotOpenError(ConflictError):
    """The batch may not serve now: frozen, under review, unverified or closed (R9)."""

    code = "batch_not_open"
    # A frozen batch may be opened again: paid orders wait for the operator's word.
    retryable = True
    # Why each owner among many was refused, so that the others need not be looked for by halving.
    by_owner: Mapping[str, "BatchNotOpenError"] = {}
    message = N_(
        "Batch %(batch)s does not serve retirements now. Nothing was retired."
        " Please wait for the review or use another batch."
    )
    fixer = Fixer.OPERATOR


class BatchRecalledError(BatchNotOpenError):
    """The batch was recalled: it never serves again, and whoever waits for it is refunded."""

    code = "batch_recalled"
    retryable = False
    message = N_(
        "Batch %(batch)s was recalled and never serves again. Nothing was retired."
        " Please use another batch or refund."
    )


class IssuedDifferentlyError(ConflictError):
    """The same source reference came with other facts."""

    code = "issued_differently"
    message = N_(
        "The issuance %(source_ref)s is already on record with other facts. Nothing was issued."
        " Please compare the two files."
    )
    fixer = Fixer.OPERATOR


class CancelledDifferentlyError(ConflictError):
    """The same source reference came with another batch or mass."""

    code = "cancelled_differently"
    message = N_(
        "The cancellation %(source_ref)s is already on record with other facts."
        " Nothing was cancelled. Please compare the two."
    )
    fixer = Fixer.OPERATOR


class SerialFormatError(InputError):
    """The text is not a serial range of this numbering."""

    code = "serial_format"
    message = N_(
        "“%(text)s” is not a serial range of this programme. Nothing was issued."
        " Please write it as the issuing registry does, such as %(example)s."
    )
    fixer = Fixer.OPERATOR


class SerialOverlapError(ConflictError):
    """Some of these serials are on record already (R4)."""

    code = "serial_overlap"
    message = N_(
        "Some of the serials %(text)s are already on record in %(other)s. Nothing was issued."
        " Please check the range with the issuing registry."
    )
    fixer = Fixer.OPERATOR


class IssuanceError(InputError):
    """The facts of an issuance do not fit together."""

    code = "issuance"
    message = N_(
        "This issuance does not fit: %(why)s. Nothing was issued. Please correct the facts."
    )
    fixer = Fixer.OPERATOR


class EvidenceError(InputError):
    """An outside retirement does not fit the batch."""

    code = "evidence"
    message = N_(
        "Serials %(first)s to %(last)s do not fit batch %(batch)s or are recorded already."
        " Nothing was recorded. Please check the numbers on the evidence."
    )
    fixer = Fixer.OPERATOR


class SiteShapeError(InputError):
    """A boundary is no area that can be drawn on the ground; ``why`` is a message id."""

    code = "site_shape"
    message = N_(
        "This boundary cannot be used: %(why)s. Nothing was entered. Please correct the file."
    )
    fixer = Fixer.OPERATOR


class SiteOverlapError(ConflictError):
    """The ground is used by another project already: one forest serves once."""

    code = "site_overlap"
    message = N_(
        "This ground overlaps the site %(site)s of the project %(project)s. Nothing was entered."
        " Please compare the two boundaries: a forest serves one project only."
    )
    fixer = Fixer.OPERATOR


class SiteDifferentError(ConflictError):
    """The project has a site of this code with other facts."""

    code = "site_different"
    message = N_(
        "The site %(site)s is already on record with other facts. Nothing was entered."
        " Please compare the two files, or withdraw the site that is wrong."
    )
    fixer = Fixer.OPERATOR


class SiteInUseError(ConflictError):
    """Issued credits name this site."""

    code = "site_in_use"
    message = N_(
        "Batch %(batch)s names the site %(site)s. Nothing was withdrawn."
        " Please freeze the batch instead."
    )
    fixer = Fixer.OPERATOR


class GrowthClaimedError(ConflictError):
    """Two issuances claim the growth of one site in the same time."""

    code = "growth_claimed"
    message = N_(
        "The growth of the site %(site)s in this period is already issued in batch %(batch)s."
        " Nothing was issued. Please check the monitoring period."
    )
    fixer = Fixer.OPERATOR


class NotVerifiedSoMuchError(ConflictError):
    """More tonnes are issued than were verified: only verified ones serve."""

    code = "not_verified_so_much"
    message = N_(
        "%(verified_t)s t were verified for this period and %(issued_t)s t would be issued."
        " Nothing was issued. Please enter the verified tonnes only; planned ones count zero."
    )
    fixer = Fixer.OPERATOR


class OwnRequestError(ConflictError):
    """Whoever asks for a cancellation does not also confirm it."""

    code = "own_request"
    message = N_(
        "You asked for this cancellation yourself. Nothing was cancelled."
        " Please let a second person decide."
    )
    fixer = Fixer.OPERATOR


class RequestDecidedError(ConflictError):
    """The request was confirmed or refused before."""

    code = "request_decided"
    message = N_("This request was decided before. Nothing was changed.")
    fixer = Fixer.OPERATOR


class CellError(InputError):
    """A cell of a file cannot be read; ``why`` is a message id."""

    code = "cell"
    message = N_("“%(value)s” cannot be read here: %(why)s. Nothing was entered.")
    fixer = Fixer.OPERATOR


class FileRefusedError(InputError):
    """A file is no list of issuances; ``why`` is a message id."""

    code = "issuance_file"
    message = N_("The file could not be read: %(why)s. Nothing was entered.")
    fixer = Fixer.OPERATOR


class FileGoneError(ConflictError):
    """The file that was looked at is no longer kept, or no longer right."""

    code = "issuance_file_gone"
    message = N_(
        "The file that you looked at can no longer be entered. Nothing was entered."
        " Please upload it again."
    )
    fixer = Fixer.OPERATOR


class CatalogueError(InputError):
    """A file of programmes and projects is wrong at one place; told to operators in a terminal."""

    code = "catalogue"
    message = N_("%(where)s: %(why)s. Nothing was entered.")
    fixer = Fixer.OPERATOR


class UnderRecallError(ConflictError):
    """A batch with an open recall stays frozen."""

    code = "under_recall"
    message = N_(
        "Batch %(batch)s stays frozen: recall %(recall)s is open. Nothing was changed."
        " Please approve or drop the recall first."
    )
    fixer = Fixer.OPERATOR
