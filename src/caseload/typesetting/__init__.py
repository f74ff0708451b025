"""Set a PDF in a process of its own: Typst takes hundreds of megabytes that no process of ours should keep.

The template's data travel as JSON in `sys.inputs`, never as source text, so that no name or note can be read as markup.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from caseload.settings import OperatorError

TEMPLATES: Final = Path(__file__).parent
LONGEST_SECONDS: Final = 120

_ALONE: Final = Path(__file__).with_name("_set_pdf.py")


class CannotTypeset(OperatorError):
    """The PDF could not be made."""


def typeset(template: str, data: object) -> bytes:
    """The PDF of a template of this package with these data. Raises `CannotTypeset`."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_ALONE), str(TEMPLATES / template), str(TEMPLATES)],
            input=msgspec.json.encode(data),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as failed:
        reason = type(failed).__name__
        raise CannotTypeset(f"The PDF could not be made ({reason}): is there enough memory and disk?") from failed
    return done.stdout
