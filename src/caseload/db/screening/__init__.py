"""Drug screening in PostgreSQL: `draws` who is screened, `screens` what came of it."""

from caseload.db.screening.draws import BY_NAME, DRAWN, ON_MEDICINE, DrawnLine, KeptDraws
from caseload.db.screening.screens import OF_CLIENT, KeptScreens

__all__ = ["BY_NAME", "DRAWN", "OF_CLIENT", "ON_MEDICINE", "DrawnLine", "KeptDraws", "KeptScreens"]
