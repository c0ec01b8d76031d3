"""How the log is written where Django's own way says too much."""

import logging


class OneLineRefusals(logging.Filter):
    """Writes a hostile request that Django refused as one line: its traceback tells nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, a refusal without its traceback."""
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
