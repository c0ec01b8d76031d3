"""The command ``diandian``: the demo, and every management command of Django."""

import os
import sys


def main() -> None:
    """Run the command named by the program's arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diandian.config.settings")
    if sys.argv[1:2] == ["demo"]:
        from diandian.jobs.demo import main as demo  # noqa: PLC0415 - each command loads only its own

        sys.exit(demo(sys.argv[2:]))
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from diandian.jobs.demo_folder import adopt_environment  # noqa: PLC0415

    adopt_environment()
    execute_from_command_line(["diandian", *sys.argv[1:]])


if __name__ == "__main__":
    main()
