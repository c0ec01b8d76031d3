"""What can be wrong with a saved footprint, or with an inventory."""

from diandian.kernel.errors import N_, ConflictError, Fixer, InputError, NotFoundError


class FootprintNotFoundError(NotFoundError):
    """No footprint of this token."""

    code = "footprint_not_found"
    message = N_("There is no calculation at this address. Please check the link, or start again.")


class InventoryBrokenError(InputError):
    """An inventory's lines do not make its total."""

    code = "inventory_broken"
    message = N_(
        "This inventory does not add up: %(why)s. Nothing was saved. Please compute it again."
    )
    fixer = Fixer.DEVELOPER


class NoOpenInventoryError(ConflictError):
    """There is no open version that could be closed."""

    code = "no_open_inventory"
    message = N_(
        "This scene has no open inventory. Nothing was closed. Please save an inventory first."
    )


class InventoryMovedError(ConflictError):
    """Somebody else changed the very same thing meanwhile."""

    code = "inventory_moved"
    message = N_(
        "Somebody else changed this meanwhile. Nothing was saved. What you typed is still here:"
        " please compare it with what stands there now, and save again."
    )


class InventoryClosedError(ConflictError):
    """A closed version never changes; a correction is the next version."""

    code = "inventory_closed"
    message = N_(
        "This inventory is closed. Nothing was changed. To correct it, please begin the next"
        " version."
    )


class InventoryUnreadyError(ConflictError):
    """An inventory that cannot be closed as it stands; ``why`` is a message id of its own."""

    code = "inventory_unready"
    message = N_("The inventory was not closed: %(why)s.")


class EntryGoneError(ConflictError):
    """An entry that somebody removed, or that never was."""

    code = "entry_gone"
    message = N_(
        "This entry is no longer in the inventory. Nothing was changed. Please look at the list."
    )


class DuplicateEntryError(InputError):
    """The very same entry stands there already."""

    code = "duplicate_entry"
    message = N_(
        "The very same entry stands in the inventory already, so it was not added. If both are"
        " meant, please give them different notes."
    )


class TooManyEntriesError(InputError):
    """More than one inventory holds."""

    code = "too_many_entries"
    message = N_(
        "An inventory holds at most %(limit)s of these. Nothing was added. Please add small ones up"
        " to one."
    )


class AlreadyImportedError(ConflictError):
    """The very same file was imported, and its entries still stand there."""

    code = "already_imported"
    message = N_(
        "This very file was imported already. Nothing was imported again. To replace it, please"
        " remove its entries first."
    )


class ImportGoneError(ConflictError):
    """A checked file that is no longer there, or no longer passes."""

    code = "import_gone"
    message = N_(
        "The checked file is no longer here, or no longer fits the inventory. Nothing was imported."
        " Please upload it again."
    )


class MeasureGoneError(ConflictError):
    """A measure that is not planned, or whose entry is another one by now."""

    code = "measure_gone"
    message = N_(
        "This measure is no longer in the list. Nothing was changed. Please look at the list."
    )


class EvidenceFileError(InputError):
    """A file that cannot be evidence; ``why`` is a message id of its own."""

    code = "evidence_file"
    message = N_("The file was not kept: %(why)s. Please choose another one.")


class EvidenceUnknownError(InputError):
    """An entry names a file that is not kept for its scene."""

    code = "evidence_unknown"
    message = N_(
        "No file with this digest is kept for this scene, so nothing was counted. Please add the"
        " file first, or leave this empty."
    )


class EvidenceNotFoundError(NotFoundError):
    """No such file of this scene, or one that was erased."""

    code = "evidence_not_found"


class OuterSceneError(InputError):
    """A scene that another cannot lie in; ``why`` is a message id of its own."""

    code = "outer_scene"
    message = N_(
        "That cannot be the scene around yours: %(why)s. Nothing was saved. Please check its"
        " address."
    )


class NotCountedThereError(InputError):
    """A reference must lead to something. ``names``: sources."""

    code = "not_counted_there"
    message = N_(
        "The closed inventory of that scene holds nothing of this: %(names)s. Nothing was saved."
        " Please count it yourself, or ask that organiser to close it first."
    )


class AlreadyClaimedError(ConflictError):
    """Whose a gram is does not change after somebody paid. ``names``: sources."""

    code = "already_claimed"
    message = N_(
        "Somebody has already paid for a part of this: %(names)s. Nothing was saved, since it would"
        " be counted twice or not at all."
    )

    def __init__(self, *, field: str = "", **params: object) -> None:
        self.field = field
        super().__init__(**params)


class CountedTwiceError(ConflictError):
    """What the house around counts as a whole. ``names``: sources; ``scene``: its address."""

    code = "counted_twice"
    message = N_(
        "“%(scene)s”, in which this scene takes place, counts this already: %(names)s. Nothing was"
        " closed, ordered or charged. Please state that it is counted there, or remove it here."
    )


class CountedElsewhereError(InputError):
    """Something that cannot be a reference to another visit; ``why`` is a message id of its own."""

    code = "counted_elsewhere"
    message = N_("It was not taken over from there: %(why)s. Nothing was changed.")
