"""``./run simulate``: random histories of the whole house, judged after every step.

A failing seed is made short and printed with the command that shows it again.
"""

import argparse
import os
import secrets
import sys
import time


def options():
    parser = argparse.ArgumentParser(prog="./run simulate", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, help="one history only: this one (else random ones)")
    parser.add_argument("--steps", type=int, default=80, help="steps of a history (80)")
    parser.add_argument("--seconds", type=int, default=60, help="how long to go on (60)")
    parser.add_argument("--only", default="", help="play only these steps: 3,5,8")
    parser.add_argument("--shrink-seconds", type=int, default=60, help="time to shorten (60)")
    parser.add_argument(
        "--without-checks", action="store_true", help="take each check away, and show who notices"
    )
    parser.add_argument(
        "--payments", type=int, default=0, help="a crowd that pays so often, over faulty lines"
    )
    parser.add_argument(
        "--gateways", default="", help="where the crowd pays: alipay,sandbox,stripe,wechatpay (all)"
    )
    parser.add_argument(
        "--houses", type=int, default=1, help="divide the payments among so many houses (1)"
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), help="houses at once (one for each core)"
    )
    parser.add_argument("--as-house", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def show_house(stage, payments, seed, gateways):
    """Let one crowd pay and tell what it came to; return 1 when its end does not add up."""
    from tests.simulator.book import BreachError
    from tests.simulator.crowd import houses
    from tests.simulator.crowd.town import play

    worked = time.process_time()
    try:
        told = play(
            stage,
            payments=payments,
            seed=seed,
            gateways=gateways,
            report=lambda counts: houses.tell({"payments": counts.payments}),
        )
    except BreachError as error:
        print(f"seed {seed}: {error}")
        return 1
    houses.tell(houses.facts_of(told, payments, time.process_time() - worked))
    return 0


def show_crowd(given):
    """Let crowds pay in houses of their own, print the sums; return 1 when one does not add up."""
    from tests.simulator.crowd import houses, postings

    first = given.seed if given.seed is not None else secrets.randbelow(10**9)
    seeds, began = range(first, first + given.houses), time.monotonic()
    told = houses.play_all(
        given.payments,
        seeds,
        gateways_of(given),
        processes=given.processes,
        show=lambda text: print(text, flush=True),
    )
    seconds = time.monotonic() - began
    print(
        f"{told.payments} payments in {seconds:.0f} s, {told.payments / seconds:.1f}/s"
        f" ({told.seconds_of_work} s of work, without the peers'), seeds {first} to {seeds[-1]}"
    )
    for part in (told.counts, told.ends, told.by_gateway, told.met):
        for what, times in sorted(part.items()):
            print(f"  {what:<44} {times:>8}")
    for said in told.said:
        print(said)
    lacks = postings.lacking(told.met, payments=told.payments, gateways=gateways_of(given))
    for name in lacks:
        print(f"never booked: {name}")
    if told.said or lacks:
        return 1
    print("Every payment and part is as its bank says; all orders, grams and money add up.")
    return 0


def gateways_of(given):
    """Return where the crowd pays."""
    from tests.simulator.crowd.town import BANKS

    return tuple(filter(None, given.gateways.split(","))) or tuple(BANKS)


def show_checks(stage):
    """Print what notices that a check is gone; return 1 when nothing does."""
    from tests.simulator.checks import CHECKS, caught

    unnoticed = 0
    for name, check in CHECKS.items():
        noticed = caught(stage, check)
        said = f"seed {noticed[0]}: {noticed[1]}" if noticed else "NOBODY NOTICED"
        print(f"{name:<52} {said[-200:]}", flush=True)
        unnoticed += noticed is None
    return int(unnoticed > 0)


def main():
    given = options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    if given.payments and not given.as_house:
        return show_crowd(given)
    from django.conf import settings
    from django.db import connection

    from tests.places import on_a_file
    from tests.settings import FOLDER
    from tests.simulator.history import simulate
    from tests.simulator.stage import Stage

    on_a_file(settings.DATABASES["default"], FOLDER.name)
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    only = [int(number) for number in given.only.split(",") if number] or None
    began, played = time.monotonic(), 0
    with Stage() as stage:
        if given.without_checks:
            return show_checks(stage)
        if given.payments:
            return show_house(stage, given.payments, given.seed, gateways_of(given))
        while True:
            seed = given.seed if given.seed is not None else secrets.randbelow(10**9)
            failure = simulate(
                stage, seed, given.steps, only=only, shrink_seconds=given.shrink_seconds
            )
            if failure:
                print(failure)
                return 1
            played += 1
            if given.seed is not None or time.monotonic() - began > given.seconds:
                break
    seconds = time.monotonic() - began
    rate = played * given.steps / seconds * 60
    print(f"{played} histories of {given.steps} steps held, {rate:.0f} steps a minute")
    return 0


if __name__ == "__main__":
    sys.exit(main())
