"""What the API refuses: always problem details, a stable code, words in the caller's language."""

import logging
import sqlite3

import pytest
from django.db import OperationalError

from diandian.api import orders
from diandian.kernel.tokens import new_code
from tests.doors.conftest import refusal

LINE = {"factor": "transport.rail.high_speed", "region": "CN-SC", "amount": "100"}
OWN = {"value": "0.5", "unit": "kg", "source": "Supplier's figure 2026"}


def fields(problem):
    return {each["field"]: each["code"] for each in problem["errors"]}


def test_malformed_json(api):
    for raw in ("{", "", "[" * 200_000, '"\\ud800"', '{"a": NaN}', b"\xff\xfe"):
        refusal(api.post("/estimates", raw=raw), 400, "malformed_json")


def test_another_media_type(api):
    refusal(api.post("/estimates", raw="a=1", content_type="text/plain"), 415, "not_json")
    answer = api.post(
        "/quotes",
        {"project": "rooftop-solar", "mass_g": 1000},
        content_type="application/json; charset=utf-8",
    )
    assert answer.status_code == 201


def test_a_body_that_is_too_large(api):
    refusal(api.post("/estimates", raw='"' + "x" * 300_000 + '"'), 413, "too_large")


def test_an_unknown_address(api):
    for path in ("/nothing", "/", "/orders/", "/orders/x/y", "/../../api/v2/scenes"):
        refusal(api.get(path), 404, "no_such_address")
    refusal(api.post("/nothing", {}), 404, "no_such_address")


def test_another_method(api):
    answer = api.client.delete("/api/v1/estimates")
    refusal(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "POST"
    refusal(api.post("/openapi.json", {}), 405, "method_not_allowed")
    assert api.client.put("/api/v1/scenes")["Allow"] == "GET, HEAD"
    assert api.client.head("/api/v1/scenes").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/orders/nobodys-order", "/orders/%00", "/orders/%FF", "/orders/" + "x" * 3000],
)
def test_nobody_finds_an_order_by_guessing(api, path):
    refusal(api.get(path), 404, "order_not_found")


def test_nobody_finds_a_certificate_by_guessing(api):
    for code in (new_code(), "ABC", "7K3M9QXD2B4F", "%00"):
        refusal(api.get(f"/certificates/{code}"), 404, "certificate_not_found")


def test_nobody_orders_a_guessed_quote(api):
    refusal(api.post("/orders", {"quote": "guess"}), 404, "quote_not_found")


def test_guessing_is_slow(api, settings):
    settings.MISSES_PER_MINUTE = 3
    order = api.order()
    for _ in range(3):
        refusal(api.get("/orders/guess"), 404, "order_not_found")
    answer = api.get("/certificates/ABC")
    refusal(answer, 429, "too_many_requests")
    assert answer["Retry-After"] == "60"
    refusal(api.post("/orders", {"quote": "guess"}), 429, "too_many_requests")
    # Somebody else behind the same address asks for what is there.
    assert api.get(f"/orders/{order['id']}").status_code == 200
    assert api.get("/scenes").status_code == 200


def test_too_many_calls(api, settings):
    settings.API_CALLS_PER_MINUTE = 2
    assert [api.get("/factor-sets").status_code for _ in range(3)] == [200, 200, 429]


def test_each_wrong_answer_is_named_and_the_words_are_the_callers(api):
    answers = {"from": "Xyzzyville", "mode": "train", "nights": -1, "stay": "mid", "shoes": 3}
    body = {"scene": "tianfu-2026", "answers": answers}
    problem = refusal(api.post("/estimates", body), 422, "invalid_input")
    assert fields(problem) == {
        "answers.from": "unknown_place",
        "answers.nights": "out_of_range",
        "answers.shoes": "unknown_question",
    }
    in_chinese = api.client.post(
        "/api/v1/estimates?lang=zh-Hans", body, content_type="application/json"
    )
    assert in_chinese["Content-Language"] == "zh-Hans"


def test_an_ambiguous_place_is_asked_back(api):
    answer = api.get("/distance", **{"from": "Suzhou", "to": "Chengdu", "mode": "rail"})
    [error] = refusal(answer, 422, "ambiguous_place")["errors"]
    assert error["field"] == "from"
    assert len({place["key"] for place in error["places"]}) > 1
    again = api.get(
        "/distance", **{"from": error["places"][0]["key"], "to": "Chengdu", "mode": "rail"}
    )
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "-1"}, "lines.0.amount"),
        ({"amount": "many"}, "lines.0.amount"),
        ({"amount": 1.5}, "lines.0.amount"),
        ({"amount": "１"}, "lines.0.amount"),
        ({"factor": "transport.magic"}, "lines.0.factor"),
        ({"unit": "kWh"}, "lines.0.unit"),
        ({"share": "-0.1"}, "lines.0.share"),
        ({"own_factor": {"value": "1", "unit": "km"}}, "lines.0.own_factor.source"),
        ({"own_factor": OWN}, "lines.0.factor"),
        ({"region": "CN\x00"}, "lines.0.region"),
        ({"colour": "green"}, "lines.0.colour"),
    ],
)
def test_a_wrong_line_is_refused_at_its_field(api, change, field):
    problem = refusal_of_fields(api.post("/estimates", {"lines": [LINE | change]}))
    assert list(fields(problem)) == [field]


def refusal_of_fields(answer):
    assert answer.status_code == 422, answer.content
    return answer.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scene": "tianfu-2026", "lines": [LINE]},
        {"scene": "tianfu-2026", "factor_set": "2026.1"},
        {"lines": [LINE], "answers": {}},
    ],
)
def test_exactly_one_input(api, body):
    refusal(api.post("/estimates", body), 422, "one_of")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mass_g": 1000, "grams": 1000},
        {"mass_g": 1000, "lines": [LINE]},
        {"mass_g": 1000, "answers": {}},
        {"mass_g": 1000, "to_upper_bound": True},
    ],
)
def test_a_quote_has_exactly_one_subject(api, body):
    refusal(api.post("/quotes", {"project": "rooftop-solar"} | body), 422, "one_of")


def test_what_is_not_there(api):
    refusal(api.get("/scenes/nowhere"), 404, "scene_not_found")
    refusal(api.get("/boards/richest"), 404, "board_not_found")
    refusal(api.get("/factor-sets/1999"), 404, "unknown_factor_set")
    refusal(api.get("/retirements", before="x"), 404, "not_found")
    body = {"scene": "nowhere", "answers": {}}
    refusal(api.post("/estimates", body), 404, "scene_not_found")
    body = {"factor_set": "1999", "lines": [LINE]}
    refusal(api.post("/estimates", body), 404, "unknown_factor_set")
    body = {"project": "nothing", "mass_g": 1000}
    refusal(api.post("/quotes", body), 404, "unknown_project")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"query": "x", "limit": "0"}, "limit"),
        ({"query": "x", "limit": "many"}, "limit"),
        ({}, "query"),
        ({"query": "x" * 81}, "query"),
        ({"query": "x", "lang": "fr"}, "lang"),
    ],
)
def test_a_wrong_parameter_is_refused_at_its_name(api, query, field):
    assert list(fields(refusal_of_fields(api.get("/places", **query)))) == [field]


def test_a_name_that_cannot_be_printed(api):
    quote = api.quote()["id"]
    body = {"quote": quote, "beneficiary": {"display_name": "Lin 🌱"}}
    problem = refusal(api.post("/orders", body), 422, "name_emoji")
    assert list(fields(problem)) == ["beneficiary.display_name"]
    # Refused before anything was held: the quote can still be ordered.
    api.order(quote=quote, beneficiary="Lin")


def test_an_unknown_way_to_pay_orders_nothing(api):
    quote = api.quote()["id"]
    refusal(api.post("/orders", {"quote": quote, "gateway": "shells"}), 422, "unknown_gateway")
    api.order(quote=quote)


def test_a_key_that_no_header_should_hold(api):
    quote = api.quote()["id"]
    problem = refusal_of_fields(api.post("/orders", {"quote": quote}, key="k" * 101))
    assert fields(problem) == {"Idempotency-Key": "wrong_form"}


def test_guests_of_an_organiser_who_counts_them_order_nothing(api):
    from tests.web.world import open_scene

    open_scene("counted", travel_owner="organiser")
    answers = {"from": "西安", "mode": "train", "nights": 2, "stay": "mid"}
    body = {"project": "rooftop-solar", "scene": "counted", "answers": answers}
    refusal(api.post("/quotes", body), 409, "host_answers")


def test_a_mistake_of_ours_shows_no_trace(api, monkeypatch, caplog):
    def broken(order):
        raise RuntimeError("the inside of the house")

    order = api.order()
    monkeypatch.setattr(orders, "shown", broken)
    with caplog.at_level(logging.CRITICAL):
        problem = refusal(api.get(f"/orders/{order['id']}"), 500, "internal_error")
    assert "inside" not in str(problem)
    assert len(problem["reference"]) == 12


def test_a_database_that_is_away_is_said_and_when_to_come_back(api, monkeypatch):
    def away(order):
        raise OperationalError from sqlite3.OperationalError("database is locked")

    order = api.order()
    monkeypatch.setattr(orders, "shown", away)
    response = api.get(f"/orders/{order['id']}")
    refusal(response, 503, "database_away")
    assert response["Retry-After"] == "5"


def test_the_gateway_being_away_is_said_and_the_same_key_goes_on(api, monkeypatch):
    from diandian.flows import gateways
    from diandian.payments.messages import Unknown

    quote = api.quote()["id"]
    with monkeypatch.context() as patch:
        patch.setattr(gateways, "create_payment", lambda *_, **__: Unknown("timeout"))
        answer = api.post("/orders", {"quote": quote}, key="k")
        refusal(answer, 503, "payment_unavailable")
        assert answer["Retry-After"]
    again = api.order(quote=quote, key="k")
    assert again["payment"]["instruction"]["url"]


def test_a_write_from_another_site(api):
    answer = api.client.post(
        "/api/v1/quotes",
        {},
        content_type="application/json",
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_an_own_factor_says_so(api):
    body = {"lines": [{"own_factor": OWN, "amount": "10", "unit": "kg"}]}
    [line] = api.post("/estimates", body).json()["lines"]
    assert (line["mass_g"], line["reason"], line["region"]) == (5_000, "own_value", "")
    assert line["source"]["title"] == OWN["source"]


def test_a_sum_too_large_to_be_exact_elsewhere(api):
    line = {"own_factor": OWN | {"value": "1000000"}, "amount": 10**12, "unit": "kg"}
    refusal_of_fields(api.post("/estimates", {"lines": [line]}))
