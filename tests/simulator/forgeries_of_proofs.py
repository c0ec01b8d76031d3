"""Forged outside retirements and certificates; how they are used stands in ``forgeries``."""

from tests.simulator.rows import copy, one, run


def upstream_overlaps():
    """Enter evidence for a tonne that has some already."""
    row = one("SELECT batch_id, last_serial FROM registry_upstreamretirement ORDER BY id DESC")
    last = row["last_serial"]
    place = {"batch_id": row["batch_id"], "first_serial": last, "last_serial": last + 9}
    return copy("registry_upstreamretirement", **place)


def another_document():
    """The newest certificate signed anew under its own number."""
    run("UPDATE certificates_certificate SET sha256 = 'ff' WHERE id = %s", newest_certificate())


def newest_certificate():
    """Return the id of a certificate that no version followed."""
    sql = "SELECT id FROM certificates_certificate WHERE state = 'current' ORDER BY id DESC"
    return one(sql)["id"]
