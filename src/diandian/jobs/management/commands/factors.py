"""Command-line door of the difference between two editions of the factors."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from diandian.emissions.factor_diff import (
    ChangedFactor,
    MovedLine,
    MovedResult,
    changed_factors,
    moved_results,
)
from diandian.emissions.factor_set import FactorSet, factor_sets


class Command(BaseCommand):
    """Says which rows differ between two editions, which results would move, and why."""

    help = "Compare two editions of the factors: rows that differ, results that would move, why."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do and the two editions."""
        parser.add_argument("act", choices=["diff"])
        parser.add_argument("before", metavar="A", help="an edition, such as 2024.1")
        parser.add_argument("after", metavar="B", help="another one, such as 2026.1")

    def handle(self, *args: object, **options: object) -> None:
        """Print the difference. Raises: CommandError naming the editions that there are."""
        del args
        before, after = (_edition(str(options[name])) for name in ("before", "after"))
        self.stdout.write(f"Factors {before.id} and {after.id}. No certificate and no scene moves.")
        if before.method_version != after.method_version:
            methods = f"Methods {before.method_version} and {after.method_version}"
            self.stdout.write(f"{methods}: grams are counted alike, ranges are not.")
        self.stdout.write("\nFive trips of one person, kg of CO2e")
        for result in moved_results(before, after):
            self._result(result)
        changed = changed_factors(before, after)
        self.stdout.write(f"\n{len(changed)} rows differ, kg of CO2e for one unit")
        for each in changed:
            self._factor(each)

    def _result(self, result: MovedResult) -> None:
        change = "" if result.change_pct is None else f"  {result.change_pct:+}%"
        self.stdout.write(f"  {result.trip.label}")
        self.stdout.write(f"    {_kg(result.before.mass_g)} -> {_kg(result.after.mass_g)}{change}")
        for line in result.lines:
            self.stdout.write(f"      {line.line.key} {_line(line)}")
        if not result.lines:
            self.stdout.write("      stays the same: no factor of its lines differs")

    def _factor(self, changed: ChangedFactor) -> None:
        sides = " -> ".join(
            f"{row.value} ({row.factor_set}, ±{row.uncertainty_pct}%)" if row else "none"
            for row in (changed.before, changed.after)
        )
        change = "" if changed.change_pct is None else f"  {changed.change_pct:+}%"
        self.stdout.write(f"  {changed.factor_id} {changed.region}: {sides}{change}")


def _edition(edition_id: str) -> FactorSet:
    known = {edition.id: edition for edition in factor_sets()}
    if edition_id not in known:
        raise CommandError(
            f"There is no edition {edition_id[:20]!r}. Nothing was compared."
            f" Please choose from {', '.join(sorted(known))}."
        )
    return known[edition_id]


def _kg(mass_g: int) -> str:
    return f"{mass_g // 1000:,}.{mass_g % 1000:03d}"


def _line(moved: MovedLine) -> str:
    sides = " -> ".join(
        f"{_kg(line.mass_g)} by {line.factor_id} {line.factor_region} {line.value}"
        f" ({line.factor_set}, {line.source.year})"
        if line
        else "no such line"
        for line in (moved.before, moved.after)
    )
    return f"{sides}"
