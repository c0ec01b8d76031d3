"""From a scene to a certificate, by a program."""

from datetime import datetime, timedelta

import time_machine

from tests.doors.conftest import ANSWERS, refusal


def test_the_whole_journey(api, pay):
    [found] = api.get("/scenes", query="Tianfu").json()["scenes"]
    scene = api.get(f"/scenes/{found['slug']}").json()
    assert {"from", "mode", "nights", "stay"} <= {each["key"] for each in scene["questions"]}

    estimate = api.post("/estimates", {"scene": scene["slug"], "answers": ANSWERS}).json()
    # Worked by hand in the examples of the conference.
    assert (estimate["mass_g"], estimate["low_g"], estimate["high_g"]) == (71_644, 55_667, 92_206)
    assert (estimate["doubt_pct"], estimate["method_version"]) == ("28.7", "m2")
    assert sum(line["mass_g"] for line in estimate["lines"]) == estimate["mass_g"]

    quote = api.quote(mass_g=None, scene=scene["slug"], answers=ANSWERS)
    assert quote["mass_g"] == 72_000
    price = quote["price"]
    assert price["total_minor"] == price["supplier_minor"] + price["fee_minor"]
    assert quote["estimate"]["mass_g"] == 71_644

    order = api.order(
        quote=quote["id"], beneficiary={"display_name": "林晚"}, on_board=True, key="first"
    )
    assert (order["state"], order["mass_g"], order["price"]) == ("awaiting_payment", 72_000, price)
    assert order["payment"]["instruction"]["kind"] == "redirect"
    assert order["payment"]["instruction"]["url"].startswith("http://testserver/sandbox/")
    assert order["certificate"] is None

    pay(order)
    done = api.get(f"/orders/{order['id']}").json()
    assert (done["state"], done["payment"]["state"]) == ("completed", "succeeded")

    code = done["certificate"]["code"]
    certificate = api.get(f"/certificates/{code}").json()
    assert certificate["answer"] == "valid"
    assert certificate["record"]["beneficiary"]["display_name"] == "林晚"
    assert certificate["record"]["mass_g"] == 72_000

    register = api.get("/retirements", scene=scene["slug"]).json()
    assert (register["count"], register["mass_g"]) == (1, 72_000)
    [row] = register["retirements"]
    assert row["scene"] == scene["slug"]
    assert "林晚" not in api.get("/retirements").content.decode()

    [person] = api.get("/boards/people").json()["people"]
    assert (person["name"], person["scenes_lit"]) == ("林晚", 1)
    assert api.get(f"/boards/scene:{scene['slug']}").json()["people"][0]["name"] == "林晚"


def test_the_same_key_is_the_same_order(api):
    quote = api.quote()["id"]
    first = api.order(quote=quote, key="k1", beneficiary="Lin")
    again = api.order(quote=quote, key="k1", beneficiary="Lin")
    assert again["id"] == first["id"]


def test_the_same_key_with_another_body_is_refused(api):
    quote = api.quote()["id"]
    api.order(quote=quote, key="k1", beneficiary="Lin")
    body = {"quote": quote, "beneficiary": "Chen"}
    refusal(api.post("/orders", body, key="k1"), 409, "idempotency_conflict")


def test_a_quote_is_ordered_once(api):
    quote = api.quote()["id"]
    api.order(quote=quote, beneficiary="Lin")
    refusal(api.post("/orders", {"quote": quote, "beneficiary": "Chen"}), 409, "quote_used")


def test_an_old_quote_is_refused(api):
    with time_machine.travel("2026-11-22T09:00:00Z", tick=False):
        quote = api.quote()["id"]
    with time_machine.travel("2026-11-22T10:00:01Z", tick=False):
        refusal(api.post("/orders", {"quote": quote}), 409, "quote_expired")


def test_more_than_there_is_cannot_be_quoted(api):
    body = {"project": "kitchen-waste", "mass_g": 3_000_000}
    problem = refusal(api.post("/quotes", body), 409, "sold_out")
    assert problem["available_g"] == 2_000_000


def test_grams_is_another_name_of_mass(api):
    body = {"project": "rooftop-solar", "grams": 1_500}
    assert api.post("/quotes", body).json()["mass_g"] == 2_000


def test_bare_lines_can_be_quoted_up_to_the_upper_bound(api):
    lines = [{"factor": "transport.rail.high_speed", "region": "CN-SC", "amount": "1000"}]
    body = {"mass_g": None, "lines": lines}
    plain, upper = api.quote(**body), api.quote(**body, to_upper_bound=True)
    estimate = plain["estimate"]
    assert plain["mass_g"] == -(-estimate["mass_g"] // 1000) * 1000
    assert upper["mass_g"] == -(-estimate["high_g"] // 1000) * 1000 > plain["mass_g"]


def test_a_declined_payment_can_be_tried_again(api, pay):
    order = api.order()
    pay(order, "declined")
    failed = api.get(f"/orders/{order['id']}").json()
    assert (failed["state"], failed["payment"]["state"]) == ("awaiting_payment", "failed")
    assert failed["payment"]["instruction"] is None
    again = api.post(f"/orders/{order['id']}/payments").json()
    assert again["payment"]["instruction"]["url"] != order["payment"]["instruction"]["url"]
    pay(again)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "completed"


def test_an_open_payment_is_not_started_twice(api):
    order = api.order()
    again = api.post(f"/orders/{order['id']}/payments").json()
    assert again["payment"]["instruction"] == order["payment"]["instruction"]


def test_the_gateway_is_asked_every_two_seconds_at_most(api, monkeypatch):
    from diandian.flows import payment_events

    asked = []
    monkeypatch.setattr(payment_events, "refresh", asked.append)
    order = api.order()
    for _ in range(10):
        api.get(f"/orders/{order['id']}")
    assert 1 <= len(asked) <= 2


def test_a_person_who_keeps_the_right_to_withdraw_waits(api, pay):
    order = api.order(retire_at_once=False)
    assert (order["retire_at_once"], order["retire_after"]) == (False, None)
    pay(order)
    held = api.get(f"/orders/{order['id']}").json()
    assert (held["state"], held["certificate"]) == ("paid", None)
    paid_at = datetime.fromisoformat(held["created_at"])
    assert datetime.fromisoformat(held["retire_after"]) > paid_at + timedelta(days=14)


def test_without_a_word_it_is_retired_at_once(api, pay):
    order = api.order()
    assert (order["retire_at_once"], order["retire_after"]) == (True, None)
    pay(order)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "completed"


def test_where_there_is_no_right_nothing_can_wait_for_it(api):
    quote = api.quote(mass_g=None, scene="tianfu-2026", answers=ANSWERS)["id"]
    body = {"quote": quote, "retire_at_once": False}
    problem = refusal(api.post("/orders", body), 422, "no_withdrawal")
    assert "retire_at_once" in str(problem)
    assert api.order(quote=quote)["retire_at_once"] is True


def test_the_choice_counts_as_part_of_the_body(api):
    quote = api.quote()["id"]
    api.order(quote=quote, key="k1", retire_at_once=False)
    refusal(api.post("/orders", {"quote": quote}, key="k1"), 409, "idempotency_conflict")
