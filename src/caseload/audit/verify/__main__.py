"""`python -m caseload.audit.verify`, and what the packed verifier runs."""

import sys

from caseload.audit.verify.cli import main

if __name__ == "__main__":
    sys.exit(main())
