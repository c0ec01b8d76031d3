"""The API against its own description: what is answered is described, what is described is kept."""

import json
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from diandian.api.urls import description
from diandian.emissions import bare_lines, geo
from diandian.orders.queries import quote_by_token
from tests.doors.conftest import ANSWERS

SNAPSHOT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def as_text(described):
    return json.dumps(described, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def operations():
    return [
        (path, method, operation)
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    ]


@pytest.mark.golden
def test_the_description_is_the_published_one():
    # After a wanted change: .venv/bin/python -m tests.doors.write_openapi
    assert SNAPSHOT.read_text(encoding="utf-8") == as_text(description())


def test_the_description_is_served(api):
    answer = api.get("/openapi.json")
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == description()
    assert answer.json()["openapi"] == "3.1.0"


def test_every_refusal_is_a_problem():
    for path, method, operation in operations():
        for status, response in operation["responses"].items():
            wanted = "application/problem+json" if int(status) >= 400 else "application/json"
            assert list(response["content"]) == [wanted], (path, method, status)


def test_the_lists_in_the_description_are_those_of_the_calculator():
    described_modes = next(
        parameter["schema"]["enum"]
        for path, _, operation in operations()
        if path.endswith("/distance")
        for parameter in operation["parameters"]
        if parameter["name"] == "mode"
    )
    assert set(described_modes) == set(geo.CORRECTIONS)
    line = description()["components"]["schemas"]["LineIn"]
    assert set(line["properties"]["basis"]["enum"]) == set(bare_lines.BASES)


def checks():
    """Return every check but the one that cannot hold: no pattern says which names exist."""
    load_all_checks()
    return [check for check in CHECKS.get_all() if check is not positive_data_acceptance]


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", sorted(op["operationId"] for _, _, op in operations()))
def test_whatever_is_sent_the_answer_is_described(fuzzed, operation_id):
    application = get_wsgi_application()
    contract = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    operation = contract.find_operation_by_id(operation_id)

    @seed(20261122)
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case):
        # In one process nobody unpacks.
        case.call_and_validate(checks=checks(), headers={"Accept-Encoding": "identity"})

    send()


@pytest.fixture
def fuzzed(api, settings):
    """Who tries everything guesses wrong all the time, and must not end the test's transaction."""
    settings.MISSES_PER_MINUTE = 10**9
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield api
    for signal in signals:
        signal.connect(close_old_connections)


def test_an_answer_does_not_depend_on_the_accept_header(api):
    for accept in ("text/html", "application/problem+json", "*/*", "nonsense"):
        answer = api.client.get("/api/v1/factor-sets", headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_the_words_follow_the_caller(api):
    said = {
        lang: api.get("/scenes/tianfu-2026", lang=lang).json()["kind_name"]
        for lang in ("zh-Hans", "en", "nl")
    }
    assert said == {"zh-Hans": "会议活动", "en": "Conference", "nl": "Congres"}
    assert api.get("/factor-sets")["Vary"].startswith("Accept-Language")


def test_nothing_is_stored_by_an_estimate(api, django_assert_num_queries):
    body = {"scene": "tianfu-2026", "answers": ANSWERS}
    api.post("/estimates", body)
    with django_assert_num_queries(0):
        assert api.post("/estimates", body).status_code == 200


def test_every_answer_of_a_question_is_understood(api):
    scene = api.get("/scenes/tianfu-2026").json()
    for question in scene["questions"]:
        for choice in question["choices"]:
            body = {"scene": "tianfu-2026", "answers": ANSWERS | {question["key"]: choice["value"]}}
            answer = api.post("/estimates", body)
            problem = answer.json()
            # Some ways of travelling do not reach that far, or need one more answer.
            assert answer.status_code == 200 or question["key"] == "mode", problem


def test_numbers_may_come_as_numbers_or_as_typed(api):
    masses = {
        api.post(
            "/estimates", {"scene": "tianfu-2026", "answers": ANSWERS | {"nights": nights}}
        ).json()["mass_g"]
        for nights in (2, "2", "２", "2 晚", 2.0)
    }
    assert len(masses) == 1


def test_the_certificates_language_is_the_callers_or_the_chosen_one(api):
    quote = api.quote()
    order = api.order(quote=quote["id"], language="nl")
    assert quote_by_token(quote["id"]).order.language == "nl"
    assert order["links"]["page"].endswith(f"/o/{order['id']}")


def test_the_register_has_pages(api, pay):
    for _ in range(3):
        pay_and_finish(api, pay)
    first = api.get("/retirements", limit=2).json()
    rest = api.get("/retirements", limit=2, before=first["next_before"]).json()
    assert (len(first["retirements"]), len(rest["retirements"])) == (2, 1)
    assert rest["next_before"] is None
    assert first["count"] == rest["count"] == 3
    assert api.get("/retirements", project="nothing").json()["count"] == 0
    assert api.get("/retirements", vintage_year=2025).json()["mass_g"] == 3_000


def pay_and_finish(api, pay):
    order = api.order(quote=api.quote(mass_g=1000)["id"])
    pay(order)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "completed"


def test_a_factor_set_can_be_read_and_its_rows_sent_back(api):
    editions = api.get("/factor-sets").json()["factor_sets"]
    methods = {each["id"]: each["method_version"] for each in editions}
    assert (methods["2026.2"], methods["2026.1"], methods["DESNZ25"]) == ("m2", "m1", "m2")
    newest = api.get(f"/factor-sets/{editions[0]['id']}").json()
    assert newest["sha256"] == editions[0]["sha256"]
    row = next(each for each in newest["factors"] if each["id"] == "transport.rail.high_speed")
    lines = [{"factor": row["id"], "region": row["region"], "amount": "1000", "unit": row["unit"]}]
    estimate = api.post("/estimates", {"factor_set": newest["id"], "lines": lines}).json()
    assert estimate["lines"][0]["value"] == row["value"]
    assert estimate["mass_g"] == 25_180


def test_a_distance(api):
    asked = {"from": "XIY", "to": "Chengdu", "mode": "rail"}
    answer = api.get("/distance", **asked).json()
    assert answer["from"]["key"] == "iata:XIY"
    assert answer["correction"] == "1.2"
    kilometres = [answer[name].replace(".", "") for name in ("great_circle_km", "distance_km")]
    assert abs(int(kilometres[0]) * 12 - int(kilometres[1]) * 10) <= 10


def test_projects_on_sale(api):
    projects = api.get("/projects").json()["projects"]
    assert [each["code"] for each in projects] == ["rooftop-solar", "kitchen-waste"]
    assert projects[1]["available_g"] == 2_000_000
