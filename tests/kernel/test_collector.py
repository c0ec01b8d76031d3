"""Cycles wait for the end of a portion, and are collected again afterwards whatever happened."""

import gc

import pytest

from diandian.kernel.collector import collector_held


def test_it_is_off_inside_and_on_again_behind_the_outermost():
    assert gc.isenabled()
    with collector_held:
        with collector_held:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(KeyError), collector_held:
        raise KeyError
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off():
    gc.disable()
    try:
        with collector_held:
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
