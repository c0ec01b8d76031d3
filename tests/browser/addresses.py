"""Every page of the site by name, found as a visitor finds them: by walking and by links."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diandian.jobs import sample
from tests.browser.kinds import KINDS
from tests.browser.walk import SCENE, Walk

if TYPE_CHECKING:
    from playwright.sync_api import Page

_YEAR = (
    "a=CN-SC~people~2~electricity_kwh~180~heating~gas~gas_m3~u~car~petrol~car_km~8000~commute~metro"
    "~commute_km~90~flights_short~2~flights_long~0~diet~daily~clothes~20~devices~1~video_hours~2"
    "~hotel_nights~5"
)
LIFE = {
    "life": "/life",
    "life-choice": "/life/heating?a=CN-SC~people~2~electricity_kwh~180",
    "life-number": "/life/gas_m3?a=CN-SC~people~2~electricity_kwh~180~heating~gas",
    "life-group-ended": "/life/diet?was=9000000&why=car&" + _YEAR.partition("~diet")[0],
    "life-result": f"/life/result?{_YEAR}",
    "life-result-nl": "/life/result?a=NL",
    "life-details": f"/life/details?{_YEAR}",
    "life-detailed": f"/life/detailed?{_YEAR}&i=meal_beef*2*count*week*1~smartphone*1*bill*once*3",
    "life-where": "/life/diary",
    "life-diary": f"/life/diary?{_YEAR}",
    "life-contribute": f"/life/contribute?{_YEAR}",
    "life-pay": f"/life/pay?part=month&{_YEAR}",
    "life-pay-nl": "/life/pay?part=month&a=NL",
}
PUBLIC = LIFE | {
    "home": "/",
    "scenes": "/scenes",
    "scenes-nothing": "/scenes?q=zzzz",
    "scene": f"/s/{SCENE}",
    "calculator": f"/s/{SCENE}/go",
    "scene-board": f"/s/{SCENE}/board",
    "scene-report": f"/s/{SCENE}/report",
    "scene-missing": "/s/nowhere",
    "log": "/log",
    "board": "/board",
    "name-report": "/board/report",
    "name-report-sent": f"/board/report?scene={SCENE}&sent=1",
    "board-scenes": "/board?tab=scenes",
    "board-organisations": "/board?tab=organisations",
    "projects": "/projects",
    "register": "/register",
    "register-held": "/register?state=held",
    "books": "/books",
    "recalls": "/recalls",
    "lump-sum": "/retire",
    "lump-sum-pay": "/retire?kg=250&holder=company",
    "sign-in": "/host/sign-in",
    "verify": "/v",
    "verify-slip": "/v/7K3M9QXD2B4G",
    "method": "/method",
    "factors": "/method/factors",
    "factors-diff": "/method/diff",
    "about": "/about",
    "privacy": "/privacy",
    "terms": "/terms",
    "accessibility": "/accessibility",
    "status": "/status",
    "me": "/me",
    "offline": "/offline/payment",
    "missing": "/nowhere",
}


_SCENES = tomllib.loads(files(sample).joinpath("scenes.toml").read_text())["scene"]


def _first_link(page: Page, pattern: str) -> str:
    """Return the first link of a page that looks so, else an empty text."""
    found = re.search(rf'href="({pattern})"', page.content())
    return found[1] if found else ""


def linked(page: Page, base: str) -> dict[str, str]:
    """Return pages that only a link leads to: a project, a factor, other kinds of scenes."""
    found = {}
    for name, start, pattern in (
        ("project", "/projects", r"/projects/[^\"?#/]+"),
        ("factor", "/method/factors", r"/method/factors/[^\"?#]+"),
        ("retirement", "/register", r"/register/R-[0-9a-f]+"),
    ):
        page.goto(base + start)
        found[name] = _first_link(page, pattern)
    # Those of the sample alone: organisers of other tests open more.
    for slug in (scene["slug"] for scene in _SCENES if scene["slug"] != SCENE):
        found[f"scene-{slug}"] = f"/s/{slug}"
        found[f"calculator-{slug}"] = f"/s/{slug}/go"
    return {name: path for name, path in found.items() if path}


def answered(page: Page, base: str) -> dict[str, str]:
    """Answer the questions of each kind but the conference's; return the results' pages."""
    found = {}
    slugs = {scene["kind"]: scene["slug"] for scene in reversed(_SCENES)}
    for kind in KINDS[1:]:
        walk = Walk(page, base)
        walk.begin(f"{base}/s/{slugs[kind.key]}")
        # Without its composed question, "other" asks what a conference asks.
        walk.reply(KINDS[0].reply if kind.composed else kind.reply)
        walk.press()
        found[f"result-{kind.key}"] = urlsplit(page.url).path
    return found


def walked(page: Page, base: str) -> dict[str, str]:
    """Walk once, and return the pages behind secret links and codes."""
    walk, found = Walk(page, base), answered(page, base)
    walk.begin()
    walk.answer(mode="plane", nights="3")
    found["result"] = urlsplit(page.url).path
    found["pay"] = f"{found['result']}/pay"
    walk.order_to_pay(city="Wuhan")
    found["sandbox"] = urlsplit(page.url).path
    found["result-ordered"] = walk.order_to_pay(city="Kunming").removesuffix("/pay")
    walk.settle("declined")
    found["order-declined"] = urlsplit(page.url).path
    page.goto(base + walk.order_to_pay(city="Xiamen").removesuffix("/pay"))
    with page.expect_navigation(wait_until="load"):
        page.locator(".banner a").click()
    found["order-waiting"] = urlsplit(page.url).path
    found["order-ways"] = f"{found['order-waiting']}/pay"
    page.goto(base + LIFE["life-pay-nl"])
    walk.press()
    walk.settle("paid")
    found["order-held"] = urlsplit(page.url).path
    code = walk.buy(name="林晚", on_board=True)
    found["result-matched"] = walk.screens[-2].removesuffix("/pay")
    found["certificate"] = f"/c/{code}"
    found["verified"] = f"/v/{code}"
    return found
