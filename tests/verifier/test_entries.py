import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import entries
from tests.verifier.log_bodies import AT, BODIES, HASH, ORIGIN, body

pytestmark = pytest.mark.pure


def test_every_type_of_the_decision_has_an_example_here():
    assert set(BODIES) == set(entries.TYPES)


@pytest.mark.parametrize("kind", entries.TYPES)
def test_every_type_is_encoded_canonically_and_read_back(kind):
    data = entries.encode(body(kind))
    assert data == rfc8785.dumps(body(kind))
    assert entries.decode(data) == body(kind)
    assert set(entries.members(kind)) == set(body(kind))


@pytest.mark.parametrize("kind", entries.TYPES)
def test_a_member_more_or_less_is_refused(kind):
    with pytest.raises(entries.EntryError, match=r"not listed \['name'\]"):
        entries.encode(body(kind, name="Wang Fang"))
    for member in body(kind):
        short = body(kind)
        del short[member]
        with pytest.raises(entries.EntryError):
            entries.encode(short)


@pytest.mark.parametrize("kind", entries.TYPES)
def test_a_body_like_another_is_looked_at_where_it_differs(kind):
    like = body(kind)
    assert entries.encode(dict(like), like) == entries.encode(like)
    for member in like:
        with pytest.raises(entries.EntryError):
            entries.encode({**like, member: 1.5}, like)
        if type(like[member]) is list:
            # A list may have been changed since.
            with pytest.raises(entries.EntryError):
                entries.encode(altered := {**like, member: [[]]}, altered)


SENTENCE = "for my mother, Wang Fang"
WRONG = [None, True, 1.0, -1, "", SENTENCE, "王芳", [], {}, ["x"], {"name": "Wang"}, "a\nb", 2**53]
# A prefix may be empty; what may be null, a flag, is listed.
FINE = {
    ("prefix", ""),
    ("previous", None),
    ("claim_from", None),
    ("claim_to", None),
    ("replaces", None),
    ("replacement", None),
    ("sample", True),
    ("simulated", True),
    ("ex_ante", True),
}


@pytest.mark.parametrize("kind", entries.TYPES)
def test_no_member_takes_free_text_or_another_type(kind):
    for member in body(kind):
        for value in WRONG:
            if any(member == name and value is fine for name, fine in FINE):
                entries.encode(body(kind, **{member: value}))
                continue
            with pytest.raises(entries.EntryError):
                entries.encode(body(kind, **{member: value}))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("retire", {"ranges": []}),
        ("retire", {"ranges": [["B-1", 5, 5]]}),
        ("retire", {"ranges": [["B-1", 5]]}),
        ("retire", {"ranges": [["B-1", 5, 6, 7]]}),
        ("retire", {"ranges": [["B 1", 5, 6]]}),
        ("retire", {"ranges": [["B-1", True, 6]]}),
        ("retire", {"ranges": [["B-1", -1, 6]]}),
        ("retire", {"claim_from": "2026-11-29"}),
        ("retire", {"claim_to": "2026-02-30"}),
        ("retire", {"claim_to": "20261128"}),
        ("retire", {"at": "2026-11-28T08:00:00"}),
        ("retire", {"at": "2026-11-28T24:00:01Z"}),
        ("retire", {"at": "2026-11-28T08:00:00+00:00"}),
        ("retire", {"at": "2026-11-28t08:00:00Z"}),
        ("retire", {"commit": HASH.upper()}),
        ("retire", {"commit": HASH[:-1]}),
        ("issue", {"last": 0}),
        ("issue", {"first": 11}),
        ("issue", {"custody": "own"}),
        ("issue", {"lanes": [["stock", 0, 5]]}),
        ("issue", {"vintage": 24}),
        ("upstream", {"first": 3}),
        ("recall", {"end_g": 0}),
        ("remedy", {"outcome": "paid"}),
        ("correction", {"version": 0}),
        ("key", {"vkey": "log.example+00000000+AAAA"}),
        ("open", {"schema": "diandian/log/2"}),
        ("open", {"previous": {"origin": ORIGIN, "size": 3}}),
        ("open", {"previous": {"origin": ORIGIN, "size": 3, "root": "x"}}),
        ("freeze", {"reason": "A fire"}),
        ("freeze", {"type": "melt"}),
        ("freeze", {"type": ["freeze"]}),
    ],
)
def test_values_that_do_not_fit_are_refused(kind, changes):
    with pytest.raises(entries.EntryError):
        entries.encode(body(kind, **changes))


def test_a_successor_names_the_log_before():
    previous = {"origin": ORIGIN, "size": 3, "root": HASH}
    data = entries.encode(body("open", previous=previous))
    assert entries.decode(data)["previous"] == previous


def test_an_entry_that_is_too_long_is_refused():
    ranges = [["B-1", place, place + 1] for place in range(10**6, 10**6 + 4000)]
    with pytest.raises(entries.EntryError, match="more than an entry may have"):
        entries.encode(body("retire", ranges=ranges))
    with pytest.raises(entries.EntryError, match="more bytes"):
        entries.decode(b" " * 70_000)


GOOD = entries.encode(body("freeze"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"NaN",
        b"9" * 6000,
        b"[" * 60_000,
        GOOD + b"\n",
        GOOD.replace(b":", b": ", 1),
        GOOD.replace(b'"review"', b'"\\u0072eview"'),
        GOOD[:-1] + b',"type":"freeze"}',
        json.dumps(body("freeze")).encode(),
        json.dumps(dict(reversed(body("freeze").items())), separators=(",", ":")).encode(),
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(entries.EntryError):
        entries.decode(data)


@given(st.binary(max_size=60), st.integers(0, len(GOOD)))
def test_no_bytes_surprise_the_reader(noise, place):
    for data in (noise, GOOD[:place] + noise + GOOD[place:]):
        try:
            found = entries.decode(data)
        except entries.EntryError:
            continue
        assert entries.encode(found) == data


def test_a_form_may_ask_early():
    assert entries.problem_of("upstream", "reference", "UP-2026/17") == ""
    assert "without spaces" in entries.problem_of("upstream", "reference", SENTENCE)
    assert entries.problem_of("freeze", "at", AT) == ""
