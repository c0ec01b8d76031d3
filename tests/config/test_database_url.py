"""What the address of a database means."""

import pytest

from diandian.config import settings

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "name"),
    [
        ("postgresql://ann@db.example:5433/shop", "db.example", 5433, "ann", "shop"),
        ("postgresql://ann@/shop?host=/run/postgresql", "/run/postgresql", "", "ann", "shop"),
        ("postgresql://ann@:5433/shop?host=/run/pg%20sql", "/run/pg sql", 5433, "ann", "shop"),
        ("postgres:///shop", "", "", "", "shop"),
    ],
)
def test_a_server_by_the_network_or_by_its_socket(url, host, port, user, name):
    found = settings._database(url)
    assert (found["HOST"], found["PORT"], found["USER"], found["NAME"]) == (host, port, user, name)


def test_other_databases_are_refused():
    with pytest.raises(ValueError, match="sqlite://"):
        settings._database("mysql://ann@db.example/shop")
