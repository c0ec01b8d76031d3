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
        "--gateways", default="", help="where the crowd pays: sandbox,stripe,wechatpay (all)"
    )
    return parser.parse_args()


def show_crowd(stage, payments, seed, gateways):
    """Let a crowd pay and print what it came to; return 1 when its end does not add up."""
    from tests.simulator.book import BreachError
    from tests.simulator.crowd.town import BANKS, play

    gateways = gateways or tuple(BANKS)
    began, worked = time.monotonic(), time.process_time()

    def report(counts):
        rate = counts.payments / (time.monotonic() - began)
        print(f"  {counts.payments} of {payments} payments, {rate:.0f}/s", flush=True)

    try:
        told = play(stage, payments=payments, seed=seed, gateways=gateways, report=report)
    except BreachError as error:
        again = f"--payments {payments} --gateways {','.join(gateways)} --seed {seed}"
        print(f"seed {seed}: {error}\n./run simulate {again}")
        return 1
    counts = told.counts
    print(
        f"{payments} payments in {time.monotonic() - began:.0f} s"
        f" ({time.process_time() - worked:.0f} s of work here), seed {seed}: {dict(told.ends)}\n"
        f"{counts.notices} notices ({counts.stale} stale), {counts.forged} forged,"
        f" {counts.crashes} crashes, {counts.lost} acts with a lost question or answer;"
        " every payment is as its bank says, all grams and money add up"
    )
    for (gateway, state), times in sorted(told.ends_by_gateway.items()):
        print(f"  {gateway} {state:<30} {times:>8}")
    for what, times in sorted(told.met.items()):
        print(f"  {what:<40} {times:>8}")
    return 0


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
            seed = given.seed if given.seed is not None else secrets.randbelow(10**9)
            gateways = tuple(filter(None, given.gateways.split(",")))
            return show_crowd(stage, given.payments, seed, gateways)
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
