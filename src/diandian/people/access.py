"""Who may see or do what at a desk: one question, asked before every read and write.

What belongs to another organisation does not exist for a visitor; what a role does not allow is
refused by name.
"""

from diandian.people import rules
from diandian.people.errors import NotAllowedError, OrganisationNotFoundError
from diandian.people.queries import Visitor


def require(visitor: Visitor, organisation_ref: str, right: str) -> None:
    """Refuse what a visitor may not do: ``right`` is read, write or manage.

    Raises: OrganisationNotFoundError for others' organisations, NotAllowedError.
    """
    role = visitor.role_in(organisation_ref)
    if not role:
        raise OrganisationNotFoundError
    if not rules.may(role, right):
        raise NotAllowedError


def allows(visitor: Visitor, organisation_ref: str, right: str) -> bool:
    """Tell whether a visitor may, to show or hide a button."""
    return rules.may(visitor.role_in(organisation_ref), right)
