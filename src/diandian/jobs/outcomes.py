"""How the handling of an event ends when it is neither done nor broken."""


class PutOffError(Exception):
    """It cannot be delivered yet: a setting is missing. It is tried again, for a while."""


class NobodyError(Exception):
    """There is nobody to tell, and trying again would not change that."""
