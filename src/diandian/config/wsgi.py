"""The WSGI application that granian serves."""

import logging
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diandian.config.settings")
application = get_wsgi_application()

from diandian.config import checks, grants, guards  # noqa: E402 - needs the apps

# Better no service than one whose database would accept a second use of a gram.
guards.require()
checks.require_safe_settings()
checks.require_database_of_this_mode()
for text in filter(None, (grants.advice(), grants.behind())):
    logging.getLogger(__name__).warning(text)
