"""A scene and a shop, and a caller who speaks JSON to the API."""

import json

import pytest
from django.test import Client

from diandian.kernel.memory import Memory
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from diandian.ui import limits
from tests.web.world import open_scene, open_shop

BASE = "/api/v1"
ANSWERS = {"from": "西安", "mode": "train", "nights": 2, "stay": "mid"}
PROBLEM = "application/problem+json"


class Caller:
    """A program that calls the API in English."""

    def __init__(self):
        self.client = Client(headers={"Accept-Language": "en"})

    def get(self, path, **query):
        return self.client.get(f"{BASE}{path}", query)

    def post(self, path, body=None, *, key=None, raw=None, content_type="application/json"):
        headers = {"Idempotency-Key": key} if key else {}
        data = raw if raw is not None else json.dumps(body)
        return self.client.post(
            f"{BASE}{path}", data=data, content_type=content_type, headers=headers
        )

    def quote(self, **body):
        answer = self.post("/quotes", {"project": "rooftop-solar", "mass_g": 124_000} | body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def order(self, *, key=None, quote=None, **body):
        quote = quote or self.quote()["id"]
        answer = self.post("/orders", {"quote": quote, "on_board": False} | body, key=key)
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture(autouse=True)
def forgetful():
    limits.calls.forget()
    limits.misses.forget()
    Memory.forget_everything()


@pytest.fixture
def api(db, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    open_scene()
    open_shop()
    yield Caller()
    peer_of(context_for("sandbox")).hang_up()


@pytest.fixture
def pay(api):
    """Let the guest pay on the sandbox's page, without any notice getting through."""

    def choose(order, choice="silent"):
        from diandian.kernel.clock import now

        token = order["payment"]["instruction"]["url"].rpartition("/")[2]
        return peer_of(context_for("sandbox")).decide(token, choice, now())

    return choose


def refusal(answer, status, code):
    """Check that an answer is a refusal in the promised form; return it."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == PROBLEM
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["title"]
    assert "Traceback" not in answer.content.decode()
    return problem
