"""Who may do what, and whom they may see: one table and one function.

The table is read by the guards of every route and by the test that tries every route as every role.
Supporting rules: 21 CFR 11.10(d) and (g) (authority checks per act), 42 CFR 2.13(a) (need to know).
"""

from caseload.domain.access.acts import CONFIRMED_BY_ANOTHER, MAY, Act
from caseload.domain.access.apart import GLASS_OPENS, NOBODY_APART, SEES_RESTRICTED, Apart, BrokenGlass
from caseload.domain.access.reach import EXTENT, Extent, Holding, Reach, may, may_in, reach, require
from caseload.domain.access.roles import CLINICIANS, PRESCRIBERS, SIGNERS, WITHOUT_PROGRAMME, Role

__all__ = [
    "CLINICIANS",
    "CONFIRMED_BY_ANOTHER",
    "EXTENT",
    "GLASS_OPENS",
    "MAY",
    "NOBODY_APART",
    "PRESCRIBERS",
    "SEES_RESTRICTED",
    "SIGNERS",
    "WITHOUT_PROGRAMME",
    "Act",
    "Apart",
    "BrokenGlass",
    "Extent",
    "Holding",
    "Reach",
    "Role",
    "may",
    "may_in",
    "reach",
    "require",
]
