"""What an entry is about, in words that no other entry has."""

import pytest

from diandian.transparency import rules
from diandian.verifier import entries

pytestmark = pytest.mark.pure


def test_every_type_of_entry_says_what_it_is_about():
    for kind in entries.TYPES:
        body = {member: f"the {member}" for member in entries.members(kind)} | {"type": kind}
        ref = rules.ref_of(body)
        assert (ref is None) == (kind in {"freeze", "thaw"})
        assert ref is None or ref.startswith(f"{kind}:the ")
