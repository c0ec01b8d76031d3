"""``python -m diandian.verifier.audit``: the same as ``diandian-audit``."""

import sys

from diandian.verifier.audit.program import main

if __name__ == "__main__":
    sys.exit(main())
