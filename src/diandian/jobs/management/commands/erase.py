"""Command-line door of erasing a person on request."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from diandian.certificates import queries as certificates
from diandian.flows.erase import erase_order, is_erased, order_named
from diandian.kernel.errors import NotFoundError


class Command(BaseCommand):
    """Erases the person behind one order; shows only what would happen unless told ``--yes``."""

    help = "Erase name, answers and places of one order and its certificate; grams and money stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the order, who acts and why."""
        parser.add_argument("order", help="the order's number or link, or its certificate's code")
        parser.add_argument("--as", dest="actor", required=True, help="who decides, for the trail")
        parser.add_argument("--reason", required=True, help="why, for the trail; no names here")
        parser.add_argument("--yes", action="store_true", help="do it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """Show what would be erased, or erase it. Raises: CommandError for an unknown order."""
        del args
        try:
            order = order_named(str(options["order"]))
        except NotFoundError as error:
            raise CommandError(
                "No order has this number, link or code. Nothing was erased."
                " Please compare it with what the guest sent."
            ) from error
        certificate = certificates.of_order(order.ref)
        code = certificate.code if certificate else "none yet"
        self.stdout.write(f"Order {order.id}, {order.state}, certificate: {code}.")
        if is_erased(order):
            self.stdout.write("This person was erased before. Nothing was changed.")
            return
        given = "one was given" if order.beneficiary_name else "none was given"
        self.stdout.write(
            f"Would go: the name ({given}),"
            " answers and places, the tie to a device, what stands on the boards.\n"
            "Stays: grams, serial numbers, money, the certificate's code."
        )
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Say --yes to do it; it cannot be undone.")
            return
        erase_order(order, actor_ref=str(options["actor"]), reason=str(options["reason"]))
        self.stdout.write("Erased.")
