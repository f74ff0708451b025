"""The people around a client, and what they tell us."""

from litestar import Router

from caseload.api.family.information import (
    confide_family_information,
    list_family_information,
    receive_family_information,
    take_back_family_information,
)
from caseload.api.family.involvement import begin_involvement, end_involvement, remove_related_person
from caseload.api.family.linked import link_relative, list_relative_links, unlink_relative
from caseload.api.family.people import (
    add_related_person,
    change_related_person,
    list_related_people,
    read_related_person,
)
from caseload.api.family.warnings import lift_warning, warn_of_related_person

router = Router(
    "/",
    route_handlers=[
        warn_of_related_person,
        lift_warning,
        list_related_people,
        add_related_person,
        read_related_person,
        change_related_person,
        begin_involvement,
        end_involvement,
        remove_related_person,
        list_family_information,
        receive_family_information,
        confide_family_information,
        take_back_family_information,
        list_relative_links,
        link_relative,
        unlink_relative,
    ],
    tags=["Family"],
)
