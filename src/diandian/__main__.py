"""The command ``diandian``: the demo, the web server, and every management command of Django."""

import os
import sys

# Each command loads only its own.
# ruff: noqa: PLC0415


def main() -> None:
    """Run the command named by the program's arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diandian.config.settings")
    command, arguments = sys.argv[1:2], sys.argv[2:]
    if command == ["demo"]:
        from diandian.jobs.demo import main as demo

        sys.exit(demo(arguments))
    from diandian.jobs.demo_folder import adopt_environment

    adopt_environment()
    if command == ["serve"]:
        from diandian.config.server import main as serve

        serve(arguments)
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(["diandian", *sys.argv[1:]])


if __name__ == "__main__":
    main()
