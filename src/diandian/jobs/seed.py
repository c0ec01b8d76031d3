"""Sample data: scenes, projects, batches and some hundred past guests, all labelled as samples.

Everything goes the way of real data - issuance, quote, order, sandbox payment, fulfilment - with
the guests' own instants, so that books, chain and boards are as real as those of tomorrow.
All of it is one commit: either the whole sample world is there, or nothing.
"""

import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

from django.db import transaction

from diandian.emissions import activity, geo
from diandian.flows import issuance, payees, payment_events, recall, sites
from diandian.flows.checkout import place_order
from diandian.flows.issuance import Issuance, OutsideRetirement
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprint_actions
from diandian.footprints import calculation
from diandian.footprints.models import Footprint
from diandian.jobs.sample import money
from diandian.jobs.sample.guests import Crowd, Visit
from diandian.kernel.canonical import digest_hex
from diandian.kernel.clock import business_day, now
from diandian.kernel.mass import GRAMS_PER_KG, GRAMS_PER_TONNE
from diandian.orders.errors import SoldOutError
from diandian.orders.models import Order, OrderState, Quote
from diandian.orders.offers import on_sale
from diandian.orders.queries import latest_payment
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from diandian.registry.batches.facts import BatchFacts
from diandian.registry.sites.facts import SiteFacts
from diandian.scenes import actions as scene_actions
from diandian.scenes import queries as scene_queries
from diandian.scenes.actions import NewScene
from diandian.scenes.models import Scene

Progress = Callable[[str], None]
Table = dict[str, Any]

ACTOR = "seed"
CHECKER = "seed-checker"
MAIN_SCENE = "tianfu26"
_PLENTY = "sample-rooftop-solar"
# Companies bought nearly all of two projects. Units: grams left over; of the groves they replace a
# part of what is recalled, and nothing is left.
_BULK_BUYERS = (
    ("sample-linpan-grove", "崇州茶馆联盟（示例）", 600_000),
    ("sample-food-waste", "天府建筑学会（示例）", 2_100_000),
)
_PAYS_AFTER = timedelta(seconds=40)


def seed(progress: Progress = print, *, at: datetime | None = None) -> bool:
    """Write the sample data, once. Returns False when they are there already."""
    at = at or now()
    with transaction.atomic():
        if Scene.objects.filter(slug=MAIN_SCENE).exists():
            return False
        _Seeding(at, progress).run()
    return True


def table(name: str) -> Table:
    """Return one of the sample tables."""
    text = (files("diandian.jobs.sample") / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class _Seeding:
    """One run: everything is relative to ``at``, the day of seeding."""

    def __init__(self, at: datetime, progress: Progress) -> None:
        self.at = at
        self.today = business_day(at)
        self.say = progress
        self.scenes: dict[str, Scene] = {}
        self.batches: dict[str, Any] = {}
        context = context_for("sandbox")
        self.peer = peer_of(context)

    def run(self) -> None:
        catalogue, scenes = table("projects"), table("scenes")["scene"]
        self.issue(catalogue)
        self.enter_accounts()
        for entry in scenes:
            self.open(entry)
        self.say(f"{len(self.scenes)} scenes of {len({e['kind'] for e in scenes})} kinds")
        visits = Crowd(table("people"), scenes, self.at).visits()
        for count, visit in enumerate(visits, start=1):
            self.receive(visit)
            if count % 100 == 0 or count == len(visits):
                self.say(f"{count} of {len(visits)} visits paid in the sandbox and retired")
        for project, buyer, left_g in _BULK_BUYERS:
            self.sell_in_bulk(project, buyer, left_g)
        for entry in catalogue["recall"]:
            self.recall(entry)
        money.leave_work(self.peer, self.say, at=self.at)

    def instant(self, days: int) -> datetime:
        return self.at + timedelta(days=days)

    # -- credits ------------------------------------------------------------------------------

    def issue(self, catalogue: Table) -> None:
        """Enter programmes, projects and batches, and put the projects on sale."""
        programmes = {
            entry["code"]: issuance.open_programme(
                code=entry["code"],
                names=entry["names"],
                level=entry["level"],
                serial_parser=entry["serial_parser"],
                is_simulated=True,
                actor_ref=ACTOR,
            )
            for entry in catalogue["programme"]
        }
        for position, entry in enumerate(catalogue["project"]):
            issuance.open_project(
                programme=programmes[entry["programme"]],
                code=entry["code"],
                actor_ref=ACTOR,
                names=entry["names"],
                category_names=entry["category_names"],
                place_names=entry["place_names"],
                descriptions=entry["descriptions"],
                supplier_names=entry["supplier_names"],
                supplier_ref=f"supplier:{entry['code']}",
                kind=entry["kind"],
                methodology_code=entry["methodology_code"],
                country="CN",
                region="CN-SC",
                latitude=Decimal(entry["latitude"]),
                longitude=Decimal(entry["longitude"]),
                is_sample=True,
            )
            if "site" in entry:
                self.enter_site(entry)
            for batch in entry["batch"]:
                self.issue_batch(entry["code"], batch)
            issuance.put_on_sale(
                project_code=entry["code"],
                price_per_tonne_minor=entry["price_minor"],
                position=position,
                actor_ref=ACTOR,
                at=self.instant(-200),
            )
        self.say(f"{len(programmes)} credit programmes, {len(catalogue['project'])} projects")

    def enter_accounts(self) -> None:
        """Enter where each sample supplier receives sandbox money; the worker settles with them."""
        for number, supplier_ref in enumerate(sorted(payees.suppliers()), start=1):
            account = payees.propose(
                supplier_ref=supplier_ref,
                kind="account",
                gateway="sandbox",
                given={"account": f"sample-{number:04d}"},
                actor_ref=ACTOR,
                at=self.instant(-200),
            )
            payees.confirm(account.id, actor_ref=CHECKER, at=self.instant(-199))

    def enter_site(self, entry: Table) -> None:
        """Enter the ground of a forest, from a boundary as a surveyor would send it."""
        site = entry["site"]
        places = ", ".join(f"[{x}, {y}]" for x, y in [*site["boundary"], site["boundary"][0]])
        sites.enter(
            entry["code"],
            site["code"],
            f'{{"type": "Polygon", "coordinates": [[{places}]]}}'.encode(),
            SiteFacts(
                species_names=site["species"],
                planted_on=site["planted_on"],
                methodology_code=entry["methodology_code"],
                monitoring_plan=site["monitoring_plan"],
                is_sample=True,
            ),
            actor_ref=ACTOR,
        )

    def facts(self, batch: Table) -> BatchFacts:
        """Return what was verified of a sample batch, and how it stands."""
        facts = BatchFacts(credit_class=batch["credit_class"])
        if "verified_tonnes" in batch:
            facts["verified_g"] = batch["verified_tonnes"] * GRAMS_PER_TONNE
            facts["verification_ref"] = batch["verification_ref"]
        if "recognition_evidence" in batch:
            facts["recognition_evidence"] = batch["recognition_evidence"]
            facts["recognised_on"] = business_day(self.instant(batch["recognised_day"]))
            facts["recognition_sha256"] = digest_hex({"sample": batch["recognition_evidence"]})
        return facts

    def issue_batch(self, project_code: str, batch: Table) -> None:
        """Enter one batch with what its registry has retired for us."""
        verified_day = batch.get("verified_day")
        year = batch["vintage_year"]
        first_day = self.today.replace(year=year, month=1, day=1)
        self.batches[batch["serials"]] = issuance.issue_batch(
            project_code=project_code,
            actor_ref=ACTOR,
            issuance=Issuance(
                serial_text=batch["serials"],
                vintage_year=year,
                period_start=first_day,
                period_end=first_day.replace(month=12, day=31),
                custody="external",
                source_ref=f"sample:{batch['serials']}",
                verified_by="Sample verifier · 示例核证机构" if verified_day else "",
                verified_on=business_day(self.instant(verified_day)) if verified_day else None,
                facts=self.facts(batch),
                site_code=batch.get("site", ""),
                buffer_g=batch.get("buffer_tonnes", 0) * GRAMS_PER_TONNE,
                is_ex_ante=batch.get("is_ex_ante", False),
                is_sample=True,
                issued_at=self.instant(batch["issued_day"]),
                retired=[
                    self.outside(batch["serials"], *span)
                    for span in batch.get("retired_outside", [])
                ],
            ),
        )

    def outside(self, serials: str, first: int, last: int, day: int) -> OutsideRetirement:
        """Return what a simulated registry says about tonnes that it retired."""
        reference = f"SAMPLE-{serials.partition('~')[0]}-{first}-{last}"
        return OutsideRetirement(
            first_tonne=first,
            last_tonne=last,
            reference=reference,
            retired_at=self.instant(day),
            evidence={
                "statement": "simulated registry, sample data",
                "serials": serials,
                "first_tonne": first,
                "last_tonne": last,
                "reference": reference,
            },
            is_simulated=True,
        )

    # -- scenes -------------------------------------------------------------------------------

    def open(self, entry: Table) -> None:
        """Open, describe and publish one scene."""
        ends_day = entry.get("ends_day")
        scene = scene_actions.open_scene(
            NewScene(
                slug=entry["slug"],
                kind=entry["kind"],
                names=entry["names"],
                host_names=entry["host_names"],
                venue_names=entry["venue_names"],
                place_key=geo.resolve_place(entry["city"]).key,
                latitude=Decimal(entry["latitude"]),
                longitude=Decimal(entry["longitude"]),
                starts_on=self.today + timedelta(days=entry["starts_day"]),
                ends_on=None if ends_day is None else self.today + timedelta(days=ends_day),
                expected_guests=entry["expected_guests"],
                stated_total_g=entry["stated_total_kg"] * GRAMS_PER_KG,
                claim_style=entry.get("claim_style", "contribution"),
                audience=entry.get("audience", "unknown"),
                is_sample=True,
            ),
            actor_ref=ACTOR,
        )
        for mark, label in entry["posters"]:
            scene_actions.add_poster(scene, mark=mark, label=label)
        for line in entry["inventory"]:
            scene_actions.add_inventory_line(
                scene,
                category=line["category"],
                names=line["names"],
                mass_g=line["kg"] * GRAMS_PER_KG,
                mass_per_guest_g=line.get("grams_per_guest", 0),
                covered=line.get("covered", False),
                evidence=line.get("evidence", "estimated"),
            )
        for measure in entry["measures"]:
            scene_actions.add_measure(
                scene,
                category=measure["category"],
                names=measure["names"],
                avoided_g=measure["avoided_kg"] * GRAMS_PER_KG,
                confirmed=measure["confirmed"],
            )
        scene_actions.publish(scene, actor_ref=ACTOR)
        self.scenes[scene.slug] = scene_queries.by_slug(scene.slug)

    # -- guests -------------------------------------------------------------------------------

    def receive(self, visit: Visit) -> None:
        """Take one guest from the answers to the retirement."""
        quote = self.quote_of(visit, self.count(visit))
        order = place_order(
            quote_token=quote.token,
            beneficiary_name=visit.name,
            on_board=visit.on_board,
            language=visit.language,
            guest_key=visit.guest_key,
            at=visit.at,
        )
        self.pay(order, visit.at + _PAYS_AFTER)

    def count(self, visit: Visit) -> Footprint:
        """Compute and keep the footprint of a visit."""
        scene = self.scenes[visit.scene]
        parsed = activity.parse(calculation.questions_of(scene), visit.answers)
        for error in parsed.errors.values():
            raise error
        values = parsed.values
        return footprint_actions.save(
            scene=scene,
            values=values,
            estimate=calculation.calculate(scene, values),
            poster_mark="p1",
            at=visit.at,
        )

    def quote_of(self, visit: Visit, footprint: Footprint) -> Quote:
        """Price a footprint by the project of the guest's choice, else by the largest one."""
        for project in (visit.project, _PLENTY):
            try:
                return open_quote(
                    project_code=project,
                    footprint=footprint,
                    to_upper_bound=visit.to_upper_bound,
                    at=visit.at,
                )
            except SoldOutError:
                if project == _PLENTY:
                    raise
        raise AssertionError("one of two projects, or an error")

    def pay(self, order: Order, at: datetime) -> None:
        """Pay in the sandbox and let its notice do the rest, as a guest's browser would."""
        payment = latest_payment(order)
        assert payment is not None, "an order starts with a payment"
        token = str(payment.instruction["url"]).rpartition("/")[2]
        for notice in self.peer.decide(token, "paid", at):
            payment_events.receive_notice("sandbox", notice.headers, notice.body, at=at)
        order.refresh_from_db(fields=["state"])
        if order.state != OrderState.COMPLETED:
            raise RuntimeError(f"sample order {order.id} is {order.state}; see the log")

    def sell_in_bulk(self, project: str, buyer: str, left_g: int) -> None:
        """Sell a company whole kilograms of a project, so that only a little is left."""
        stock = {view.project.code: view.available_g for view in on_sale()}
        bought_g = (stock[project] - left_g) // GRAMS_PER_KG * GRAMS_PER_KG
        if bought_g <= 0:
            return
        at = self.at - timedelta(minutes=4)
        quote = open_quote(project_code=project, mass_g=bought_g, at=at)
        order = place_order(
            quote_token=quote.token,
            beneficiary_name=buyer,
            on_board=False,
            language="zh-Hans",
            is_vouched_for=True,
            at=at,
        )
        self.pay(order, at + _PAYS_AFTER)
        self.say(f"{project}: {left_g // GRAMS_PER_KG} kg left")

    # -- a bad batch --------------------------------------------------------------------------

    def recall(self, entry: Table) -> None:
        """Let two people recall a batch, and answer everybody who holds a certificate of it."""
        opened = recall.open_recall(
            self.batches[entry["serials"]],
            kind=entry["kind"],
            reason=entry["reason"],
            texts=entry["texts"],
            opened_by=entry["opened_by"],
            at=self.at - timedelta(minutes=3),
        )
        approved = recall.approve(
            opened, approved_by=entry["approved_by"], at=self.at - timedelta(minutes=2)
        )
        recall.work_all(at=self.at - timedelta(minutes=1))
        self.say(f"{approved.public_id}: a recall of sample credits, worked off")


__all__ = ["ACTOR", "MAIN_SCENE", "seed", "table"]
