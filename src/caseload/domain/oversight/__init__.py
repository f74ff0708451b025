"""The routine review of who looked at what: saved questions, what they find, and who looked at that.

Called oversight and not review, because doses are reviewed too.
"""

from caseload.domain.oversight.findings import Finding, NamedFor, OpenAccount, Quarter, RestrictedWhile, Shift, Trace
from caseload.domain.oversight.questions import Question, Questions, questions
from caseload.domain.oversight.reviewing import (
    Conclusion,
    FindingReviewed,
    FindingUnknown,
    NotYourOwn,
    Office,
    Review,
    Reviewed,
    ReviewedAlready,
    Reviews,
    ask,
    review,
    subject_of,
    unreviewed,
)
from caseload.domain.oversight.sources import Grounds, Places, Span, Traces

__all__ = [
    "Conclusion",
    "Finding",
    "FindingReviewed",
    "FindingUnknown",
    "Grounds",
    "NamedFor",
    "NotYourOwn",
    "Office",
    "OpenAccount",
    "Places",
    "Quarter",
    "Question",
    "Questions",
    "RestrictedWhile",
    "Review",
    "Reviewed",
    "ReviewedAlready",
    "Reviews",
    "Shift",
    "Span",
    "Trace",
    "Traces",
    "ask",
    "questions",
    "review",
    "subject_of",
    "unreviewed",
]
