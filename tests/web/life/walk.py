"""Walks through the questions of /life as a form is sent, without a browser."""

import re
from urllib.parse import parse_qs, urlsplit

ANSWERS = {
    "people": "2",
    "electricity_kwh": "180",
    "heating": "gas",
    "gas_m3": "unknown",
    "car": "petrol",
    "car_km": "8000",
    "commute": "metro",
    "commute_km": "90",
    "flights_short": "2",
    "flights_long": "0",
    "diet": "daily",
    "clothes": "20",
    "devices": "0,5",
    "video_hours": "2",
    "hotel_nights": "5",
}


def begin(client, region="CN-SC"):
    return client.post("/life", {"region": region})["Location"]


def page(client, address, status=200):
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def step_of(address):
    return urlsplit(address).path.removeprefix("/life/")


def a_of(address):
    return parse_qs(urlsplit(address).query)["a"][0]


def answer(client, address, value):
    """Answer the question at an address; return the response."""
    found = re.search(r'name="a" value="([^"]*)"', page(client, address))
    key = step_of(address)
    sent = {"a": found[1], "unknown": "1"} if value is None else {"a": found[1], key: value}
    return client.post(f"/life/{key}", sent)


def walk(client, answers=None, region="CN-SC"):
    """Answer every question; return the addresses, the last one that of the result."""
    addresses = [begin(client, region)]
    while step_of(addresses[-1]) != "result":
        value = (answers or {}).get(step_of(addresses[-1]))
        response = answer(client, addresses[-1], value)
        assert response.status_code == 303, addresses[-1]
        addresses.append(response["Location"])
        assert len(addresses) < 30
    return addresses


def total(text):
    """Return the dots in the foot of a page."""
    found = re.search(r'<b class="num">([\d,]+)</b>', text)
    return int(found[1].replace(",", "")) if found else 0
