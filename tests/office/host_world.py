"""Organisers with sessions, as tests of the desk need them."""

from django.test import Client

from diandian.flows import organisation as organisations
from diandian.flows import sign_in
from diandian.kernel.clock import business_day
from diandian.people import queries
from diandian.people.models import Organisation, Person
from diandian.scenes.models import Scene

FACTS = {"legal_name": "Tianfu Building Society", "tax_number": "", "country": "CN"}


def person(email: str = "zhou@example.org") -> Person:
    row, code = sign_in.ask(email)
    return sign_in.sign_in(row.token, code)


def client_of(who: Person) -> Client:
    """Return a browser in which somebody is signed in."""
    client = Client(headers={"accept-language": "en"})
    session = client.session
    session["person"] = who.id
    session.save()
    client.cookies["sessionid"] = session.session_key
    return client


def organisation(owner: Person, **changes: str) -> Organisation:
    return organisations.found(owner, **FACTS | changes)


def member(owner: Person, hosts: Organisation, email: str, role: str) -> Person:
    who = person(email)
    organisations.set_member(queries.visitor(owner), hosts, email=email, role=role)
    return who


def scene_form(hosts: Organisation, **changes: str) -> dict[str, str]:
    today = business_day()
    return {
        "organisation": hosts.ref,
        "name_en": "Tianfu Low-Carbon Building Conference",
        "kind": "conference",
        "starts_on": today.isoformat(),
        "ends_on": today.isoformat(),
        "place": "Chengdu",
        "venue": "Jinshui Centre, Hall 3",
        "expected_guests": "600",
        "travel_owner": "guest",
        "slug": "",
    } | changes


def draft(client: Client, hosts: Organisation, **changes: str) -> Scene:
    answer = client.post("/host/new", scene_form(hosts, **changes))
    assert answer.status_code == 303, answer.content.decode()
    return Scene.objects.get(slug=answer["Location"].removeprefix("/host/"))
