"""The same at the same moment, over connections of their own: a code works once, an owner stays."""

import threading

import pytest
from django.db import connections

from diandian.flows import organisation as organisations
from diandian.flows import sign_in
from diandian.people import queries
from diandian.people.errors import CodeGoneError, LastOwnerError, NotAllowedError, WrongCodeError
from diandian.people.models import Membership, Person
from tests.office.host_world import organisation, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def together(*calls):
    """Run calls in threads that start at one moment; return what they returned and raised."""
    barrier, results, errors = threading.Barrier(len(calls)), [], []

    def one(call):
        barrier.wait()
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(type(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results, errors


def test_one_code_lets_one_of_many_in():
    row, code = sign_in.ask("zhou@example.org")
    results, errors = together(*[lambda: sign_in.sign_in(row.token, code)] * 5)
    assert len(results) == 1
    assert errors == [CodeGoneError] * 4
    assert Person.objects.count() == 1


def test_many_guesses_at_once_are_five_and_no_more():
    row, code = sign_in.ask("zhou@example.org")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    results, errors = together(*[lambda: sign_in.sign_in(row.token, wrong)] * 12)
    assert results == []
    assert errors.count(WrongCodeError) == 5
    assert errors.count(CodeGoneError) == 7


def test_two_owners_who_leave_at_once_leave_one_behind():
    zhou = person("zhou@example.org")
    hosts = organisation(zhou)
    he = person("he@example.org")
    organisations.set_member(queries.visitor(zhou), hosts, email=he.email, role="owner")

    def leave(who):
        number = Membership.objects.get(person=who).id
        organisations.remove_member(queries.visitor(who), hosts, number)

    _, errors = together(lambda: leave(zhou), lambda: leave(he))
    assert set(errors) <= {LastOwnerError, NotAllowedError}
    assert Membership.objects.filter(organisation=hosts, role="owner").count() == 1
