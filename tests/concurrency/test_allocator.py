"""Candidates for the allocator's office in sessions of their own: a dead one is soon followed."""

import threading
import time

import pytest
from django.db import connection

from diandian.flows.allocator import Allocator
from diandian.jobs.allocating import Allocating
from diandian.orders.models import AllocatorLease

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def in_a_session(work):
    """Run work in a thread, and so in a database session, of its own; return its result."""
    found = []

    def run():
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert found, "the work came to an end"
    return found[0]


def test_of_two_candidates_one_leads():
    first, second = Allocator("first"), Allocator("second")
    assert first.lead()
    assert not in_a_session(second.lead)
    first.retire()
    assert in_a_session(second.lead)


def test_a_leader_that_dies_without_a_word_is_followed_within_five_seconds():
    assert in_a_session(Allocator("dies with its session").lead)
    follower = Allocator("follows")
    began = time.monotonic()
    while not follower.lead():
        assert time.monotonic() - began < 5
        time.sleep(0.1)


def test_the_thread_leads_until_it_is_stopped_and_leaves_the_office_empty():
    allocating = Allocating()
    allocating.start()
    deadline = time.monotonic() + 10
    while not AllocatorLease.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    allocating.stop()
    assert not allocating.is_alive()
    assert not AllocatorLease.objects.exists()


def test_a_failure_is_waited_out_and_the_office_taken_again(monkeypatch, caplog):
    failures = iter([RuntimeError("crash")])
    allocate = Allocator.allocate
    done = threading.Event()

    def once_broken(self):
        for error in failures:
            raise error
        done.set()
        return allocate(self)

    monkeypatch.setattr(Allocator, "allocate", once_broken)
    allocating = Allocating()
    allocating.start()
    assert done.wait(10)
    allocating.stop()
    assert "the allocator failed" in caplog.text
