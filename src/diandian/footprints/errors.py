"""What can be wrong with a saved footprint."""

from diandian.kernel.errors import N_, NotFoundError


class FootprintNotFoundError(NotFoundError):
    """No footprint of this token."""

    code = "footprint_not_found"
    message = N_("There is no calculation at this address. Please check the link, or start again.")
