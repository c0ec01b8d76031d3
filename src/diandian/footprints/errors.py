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
