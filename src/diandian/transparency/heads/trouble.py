"""Why a head is not signed, in words for the operator; pure.

*Source:* design of the registry, L3: a restored backup is how an honest operator forks a log.
"""

from diandian.kernel.errors import N_

BEHIND_PUBLISHED = "behind-published"
DIFFERS_FROM_PUBLISHED = "differs-from-published"
BEHIND_HIGH_WATER = "behind-high-water"
DIFFERS_FROM_HIGH_WATER = "differs-from-high-water"
BEHIND_WITNESS = "behind-witness"
DIFFERS_FROM_WITNESS = "differs-from-witness"
DAMAGED = "damaged-files"

WORDS = {
    BEHIND_PUBLISHED: N_(
        "The database has fewer entries than were published: it is an older backup. Nothing is"
        " sold, retired or signed. Please run: diandian log recover"
    ),
    DIFFERS_FROM_PUBLISHED: N_(
        "The database has other entries than were published. Nothing is sold, retired or signed."
        " Please find out which is right; then: diandian log recover"
    ),
    BEHIND_HIGH_WATER: N_(
        "The database has fewer entries than were signed, as the high-water file says: it is an"
        " older backup. Nothing is sold, retired or signed. Please fetch a copy of the published"
        " files from somewhere else and run: diandian log recover --from FOLDER"
    ),
    DIFFERS_FROM_HIGH_WATER: N_(
        "The database has other entries than were signed, or the high-water file cannot be read."
        " Nothing is sold, retired or signed. Please find out which is right."
    ),
    BEHIND_WITNESS: N_(
        "A witness has seen more entries than the database has. Nothing is sold, retired or signed."
        " Please run: diandian log recover"
    ),
    DIFFERS_FROM_WITNESS: N_(
        "A witness has seen other entries than the database has. Nothing is sold, retired or"
        " signed. Please find out which is right."
    ),
    DAMAGED: N_(
        "A published file is not what the entries make of it. Nothing is sold, retired or signed."
        " Please move the folder log away from the data folder, keep it, and let the signer build"
        " it again."
    ),
}


class RefusedError(Exception):
    """The head may not be signed. ``code``: one of ``WORDS``; ``detail``: for the program's log."""

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in WORDS, "every refusal has its words"
        self.code = code
        super().__init__(f"{WORDS[code]} ({detail})" if detail else WORDS[code])
