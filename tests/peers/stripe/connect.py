"""Connected accounts: whether they are there, and whether they may receive transfers."""

import shapes
from forms import RefusedError


def require(account, name):
    """Refuse a destination that cannot receive. Raises: RefusedError."""
    if not account.is_platform or name not in account.destinations:
        text = f"No such destination: '{name}'"
        raise RefusedError("resource_missing", text, param="destination")
    if account.destinations[name] != "active":
        text = (
            "Your destination account needs to have at least one of the following capabilities"
            " enabled: transfers, crypto_transfers, legacy_payments"
        )
        raise RefusedError("insufficient_capabilities_for_transfer", text)


def connected(account, name):
    """Return a connected account; of others nothing is told, not even whether they exist."""
    if not account.is_platform or name not in account.destinations:
        text = (
            f"The provided key does not have access to account '{name}' (or that account does"
            " not exist). Application access may have been revoked."
        )
        raise RefusedError("account_invalid", text, status=403)
    return shapes.connected(name, transfers=account.destinations[name])


def listed(account):
    """Return all of them; whoever is no platform has none."""
    names = account.destinations if account.is_platform else ()
    return [connected(account, name) for name in names]
