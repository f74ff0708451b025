"""The medication of a programme, told: orders, doses at the window, what stood in their way, and the second look."""

from caseload.demo.telling.medicine.days import tell_day, tell_evening
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.guests import tell_guests
from caseload.demo.telling.medicine.newest import tell_newest
from caseload.demo.telling.medicine.orders import stop_treatment

__all__ = ["Dispensary", "stop_treatment", "tell_day", "tell_evening", "tell_guests", "tell_newest"]
