import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import notes, policy
from tests.verifier.log_bodies import LOG

pytestmark = pytest.mark.pure

HEAD = notes.Checkpoint(LOG.name, 3, b"r" * 32)
WITNESSES = {
    name: notes.Signer(
        f"{name}.example", Ed25519PrivateKey.from_private_bytes(name.encode() * 16), kind=4
    )
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
NAMED = "".join(f"witness {name} {signer.vkey()}\n" for name, signer in WITNESSES.items())
TEXT = f"""# the example of the specification
log {LOG.vkey()}

{NAMED}
\tgroup X-witnesses 2 X1 X2 X3
group  Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def signed_by(*names):
    keys = [WITNESSES[name] for name in names]
    note = notes.sign(HEAD.text(), [LOG, *keys], timestamp_s=9)
    return note, policy.open_head(note, [LOG.verifier], policy.Policy.parse(TEXT))[1]


def test_two_levels_of_groups_are_counted():
    rule = policy.Policy.parse(TEXT)
    assert rule.logs == (LOG.verifier,)
    for names in itertools.chain.from_iterable(
        itertools.combinations(WITNESSES, count) for count in range(4)
    ):
        met = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
        assert (rule.problem(signed_by(*names)[1]) == "") == met, names


def test_the_problem_names_who_has_signed():
    assert policy.Policy.parse(TEXT).problem(signed_by("X1", "Y2")[1]).endswith("X1, Y2")
    assert policy.Policy.parse(TEXT).problem(signed_by()[1]).endswith("none")


def test_no_quorum_asks_for_nobody():
    rule = policy.Policy.parse(f"log {LOG.vkey()} https://log.example\nquorum none\n")
    assert rule.problem(()) == ""
    assert policy.Policy().problem(()) == ""


def test_one_witness_may_be_the_quorum_and_has_an_address():
    rule = policy.Policy.parse(
        f"witness one {WITNESSES['X1'].vkey()} https://w.example/\nquorum one"
    )
    assert rule.problem(signed_by("X1")[1]) == ""
    assert rule.problem(signed_by("X2")[1])
    assert rule.urls == {"one": "https://w.example/"}


X1 = WITNESSES["X1"].vkey()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum\n",
        "quorum one\n",
        "quorum none\nquorum none\n",
        "quorum none none\n",
        f"log {LOG.vkey()}\nlog {LOG.vkey()}\nquorum none\n",
        f"witness a {X1}\nwitness a {WITNESSES['X2'].vkey()}\nquorum a\n",
        f"witness a {X1}\nwitness b {X1}\nquorum a\n",
        f"witness none {X1}\nquorum none\n",
        f"witness a {LOG.vkey()}\nquorum none\n",
        f"witness a {X1}x\nquorum none\n",
        f"{NAMED}group g 0 X1\nquorum g\n",
        f"{NAMED}group g 2 X1\nquorum g\n",
        f"{NAMED}group g +1 X1\nquorum g\n",
        f"{NAMED}group g any\nquorum g\n",
        f"{NAMED}group g any X1 X1\nquorum g\n",
        f"{NAMED}group g any X1\ngroup h any X1\nquorum g\n",
        f"{NAMED}group g any g\nquorum g\n",
        f"{NAMED}group g any none\nquorum g\n",
        "trust everybody\nquorum none\n",
        "quorum none\r\n",
        "_take_log x\nquorum none\n",
        "# \x00\nquorum none\n",
        "#" * 300_000 + "\nquorum none\n",
    ],
)
def test_other_policies_are_refused(text):
    with pytest.raises(policy.PolicyError):
        policy.Policy.parse(text)


def test_a_head_needs_the_logs_own_signature_under_its_own_name():
    note = signed_by("X1", "X2", "Y1")[0]
    rule = policy.Policy.parse(TEXT)
    other = notes.Verifier("other.example", 1, LOG.verifier.public)
    for keys in ((), (other,)):
        with pytest.raises(notes.NoteError, match="did not sign this head"):
            policy.open_head(note, keys, rule)
    # A witness that signs a tree under its own name is no log.
    witness = WITNESSES["X1"]
    own = notes.Checkpoint(witness.name, 3, b"r" * 32).text()
    with pytest.raises(notes.NoteError, match="did not sign this head"):
        policy.open_head(notes.sign(own, [witness], timestamp_s=1), [LOG.verifier], rule)


def test_another_known_log_cannot_sign_for_this_one():
    other = notes.Signer("other.example", Ed25519PrivateKey.from_private_bytes(b"O" * 32))
    note = notes.sign(HEAD.text(), [other])
    with pytest.raises(notes.NoteError, match="did not sign this head"):
        policy.open_head(note, [LOG.verifier, other.verifier])
