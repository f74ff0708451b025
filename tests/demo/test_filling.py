"""The demo clinic as it stands in the database: every situation of the stories, by the real rules, or nothing at all."""

import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from caseload.app import Application, open_service
from caseload.commands import demo as command
from caseload.commands import serve
from caseload.db.dosing import Doses
from caseload.db.signed import SignedRecords
from caseload.demo import stories
from caseload.demo.filling import PEOPLE, DemoRefused, Size, fill
from caseload.demo.hiring import SignIn
from caseload.demo.telling.medicine.window import Window
from caseload.domain.dosing import Facts, Giving
from caseload.domain.medication import MedicationRecord
from caseload.domain.people import COMMAND_LINE
from caseload.domain.signature.verifying import verify
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic
from tests.shared_server import Addresses, copied

pytestmark = pytest.mark.anyio

SMALLEST = Size(clients=stories.FEWEST_CLIENTS, days=stories.SHORTEST_DAYS, seed=1)


def unnoticed(_done: int, _of: int) -> None:
    """Nobody watches."""


def files_like(name: str, folder: Path) -> list[Path]:
    return list(folder.glob(f"*{name}*"))


@dataclass(frozen=True, slots=True)
class Filled:
    """A demo clinic, and the connection of somebody who may look at everything."""

    addresses: Addresses
    settings: Settings
    sign_ins: tuple[SignIn, ...]
    began: datetime
    ended: datetime
    owner: asyncpg.Connection

    async def values(self, query: str, *given: object) -> list[Any]:
        """The first column of what is asked."""
        return [row[0] for row in await self.owner.fetch(query, *given)]

    async def value(self, query: str, *given: object) -> Any:
        return await self.owner.fetchval(query, *given)


@asynccontextmanager
async def service_over(addresses: Addresses, folder: Path, **options: Any) -> AsyncGenerator[Service]:
    settings = Settings(database_url=Secret(addresses.service), data_dir=folder)
    async with open_service(settings) as service:
        yield replace(service, settings=Settings(**{**_fields(settings), **options})) if options else service


def _fields(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@pytest.fixture(scope="module")
def demo_database(server: Addresses) -> Iterator[Addresses]:
    with copied(server, f"demo_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as addresses:
        yield addresses


@pytest.fixture(scope="module")
async def filled(
    anyio_backend: object, demo_database: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Filled]:
    async with service_over(demo_database, tmp_path_factory.mktemp("demo")) as service:
        began = datetime.now(UTC)
        sign_ins = await fill(service, SMALLEST, progress=unnoticed)
        ended = datetime.now(UTC)
        owner = await asyncpg.connect(demo_database.owner)
        try:
            yield Filled(demo_database, service.settings, tuple(sign_ins), began, ended, owner)
        finally:
            await owner.close()


# --- who there is ------------------------------------------------------------------------------------------------


async def test_there_are_three_programmes_26_staff_and_as_many_clients_as_were_asked_for(filled: Filled) -> None:
    assert await filled.values("select profile from clinic.programme order by 1") == ["AU", "UK", "US"]
    assert await filled.value("select count(*) from clinic.staff where id <> created_by") == 26
    guest_from_outside, registered_twice, not_of_age = 1, 2, 1
    registrations = SMALLEST.clients + guest_from_outside + registered_twice + not_of_age
    assert await filled.value("select count(*) from clinic.client") == registrations
    on_medicine = await filled.value("select count(distinct client_id) from clinic.medication_order")
    for_the_first_time = 3 + 2  # yesterday: for a pharmacy at each site, and by telephone where there is such a thing
    assert on_medicine == SMALLEST.clients * 2 // 5 + for_the_first_time + guest_from_outside


async def test_everybody_signs_in_with_the_password_they_were_given(filled: Filled) -> None:
    application = Application(filled.settings)
    async with application.litestar.lifespan():
        assert application.service is not None
        clinic = Clinic(application, application.service, filled.addresses)
        for who in filled.sign_ins:
            answer = await clinic.client().post(
                "/api/v1/sign-in", json={"user_name": who.colleague.user_name, "password": who.password}
            )
            assert answer.status_code == 200, (who.colleague.user_name, answer.text)
            held = {role["role"] for role in answer.json()["me"]["roles"]}
            assert held == {role.value for role, _ in who.colleague.holds}


def test_the_passwords_stand_where_only_the_owner_reads_them(filled: Filled) -> None:
    file = filled.settings.data_dir / PEOPLE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(who.password in file.read_text() for who in filled.sign_ins)
    assert len({who.password for who in filled.sign_ins}) == 25


def test_the_command_and_the_stories_agree_on_the_smallest_demo_and_its_file() -> None:
    assert (command.FEWEST_CLIENTS, command.SHORTEST_DAYS) == (stories.FEWEST_CLIENTS, stories.SHORTEST_DAYS)
    assert serve.PEOPLE == PEOPLE


# --- what happened ------------------------------------------------------------------------------------------------


async def test_doses_were_missed_in_runs_of_one_to_six(filled: Filled) -> None:
    runs: set[int] = set()
    for days in await filled.values(
        """
        select array_agg(distinct d.dosing_day order by d.dosing_day) from clinic.dose d
        where d.form <> 'extended_release_injection'
          and not exists (select from clinic.dose_correction c where c.dose_id = d.id)
        group by d.client_id
        """
    ):
        runs |= {(later - earlier).days - 1 for earlier, later in pairwise(days)}
    assert {1, 2, 3, 4, 5, 6} <= runs


@pytest.mark.parametrize(
    ("situation", "query"),
    [
        (
            "titrated step by step",
            "select 1 from clinic.medication_order group by chain_id having count(*) >= 4",
        ),
        ("a late entry by another hand", "select 1 from clinic.dose where entry = 'late' and given_by <> recorded_by"),
        ("a late entry that broke no rule", "select 1 from clinic.dose where entry = 'late' and kind = 'ordinary'"),
        (
            "an exception that was looked at",
            """select 1 from clinic.hold h join clinic.medication_decision d on d.hold_id = h.id
               where h.reason = 'exception'""",
        ),
        (
            "held now",
            """select 1 from clinic.hold h
               where not exists (select from clinic.medication_decision d where d.hold_id = h.id)""",
        ),
        (
            "held and cleared",
            """select 1 from clinic.hold h join clinic.medication_decision d on d.hold_id = h.id
               where h.reason = 'intoxication'""",
        ),
        ("refused a dose", "select 1 from clinic.dose_not_given where reason = 'refused'"),
        ("took less", "select 1 from clinic.dose where less_reason is not null"),
        ("allowed after missed doses", "select 1 from clinic.medication_decision where kind = 'allow_dose'"),
        ("unsigned for too long", "select 1 from clinic.dose_waiting where sign_by < now() and rejected_at is null"),
        ("unsigned since yesterday", "select 1 from clinic.dose_waiting where sign_by > now() and rejected_at is null"),
        ("sent back", "select 1 from clinic.dose_waiting where rejected_at is not null"),
        (
            "sent back, amended and signed",
            """select 1 from clinic.dose_review a join clinic.dose_review b on b.dose_id = a.dose_id
               where a.verdict = 'rejected' and b.verdict = 'signed' and b.dose_version > a.dose_version""",
        ),
        (
            "amended after it was signed",
            """select 1 from clinic.dose_waiting w join clinic.dose_review r on r.dose_id = w.dose_id
               where r.verdict = 'signed' and w.dose_version > r.dose_version""",
        ),
        ("corrected as not given", "select 1 from clinic.dose_correction"),
        ("a split dose", "select 1 from clinic.dose where part = 'evening'"),
        ("an injection", "select 1 from clinic.dose where form = 'extended_release_injection'"),
        ("an injection with its site", "select 1 from clinic.dose_injection where site is not null"),
        ("what a pharmacy saw taken", "select 1 from clinic.dose_statement_day where outcome = 'taken'"),
        ("what a pharmacy withheld", "select 1 from clinic.dose_statement_day where outcome = 'withheld'"),
        (
            "an order held by a pharmacy's report",
            """select 1 from clinic.hold h where reason = 'missed_doses' and order_id is not null
               and not exists (select from clinic.medication_decision d where d.hold_id = h.id)""",
        ),
        (
            "a pharmacy to telephone",
            """select 1 from clinic.medication_task t where kind = 'telephone_pharmacy'
               and not exists (select from clinic.medication_task_done d where d.task_id = t.id)""",
        ),
        ("something else that is taken", "select 1 from clinic.flag where kind = 'sedative'"),
        ("a flag that is over", "select 1 from clinic.flag_end"),
        (
            "naloxone for the household",
            "select 1 from clinic.naloxone where recipient = 'household' and outcome = 'supplied' and trained",
        ),
        ("every signature is sealed", "select 1 from clinic.signature having count(*) = count(seal)"),
        (
            "withdrawal before a first order",
            "select 1 from clinic.observation where instrument = 'cows' and total >= 5",
        ),
        (
            "a heart to look at again",
            "select 1 from clinic.observation where instrument = 'qtc' and band = 'prolonged'",
        ),
        ("a drug screen that was refused", "select 1 from clinic.drug_screen where refused"),
        ("a drug screen with results", "select 1 from clinic.drug_screen_result where finding = 'positive'"),
        ("a year of doses", "select 1 from clinic.dose group by client_id having count(*) > 350"),
        (
            "somebody whose assessment is overdue",
            """select 1 from clinic.episode e join clinic.programme p on p.id = e.programme_id and p.profile = 'US'
               where upper_inf(e.period) and e.admitted_on + 14 < current_date - 1
               and exists (select from clinic.admission_done d where d.episode_id = e.id and d.duty = 'examination')
               and not exists (select from clinic.admission_done d where d.episode_id = e.id and d.duty = 'assessment')""",
        ),
        (
            "somebody whose interim treatment is over, without a plan",
            """select 1 from clinic.interim_treatment t where started_on < current_date - 181
               and not exists (select from clinic.interim_plan p where p.interim_treatment_id = t.id)""",
        ),
        (
            "an interim treatment after which the client went on as planned",
            """select 1 from clinic.interim_plan join clinic.interim_end using (interim_treatment_id)
               where how = 'comprehensive'""",
        ),
        ("a relapse and return", "select 1 from clinic.episode where returns_from is not null"),
        ("an order in steps", "select 1 from clinic.medication_order where cardinality(step_from) = 2"),
        ("an order for a pharmacy", "select 1 from clinic.medication_order where supply = 'pharmacy'"),
        (
            "an order by telephone that waits for its prescriber",
            (
                "select 1 from clinic.medication_order where verbal_by is not null and countersign_by > now()"
                " and id not in (select order_id from clinic.medication_order_signature)"
            ),
        ),
        (
            "a discharge that waits for a prescriber",
            (
                "select 1 from clinic.discharge_asked a join clinic.episode e on e.id = a.episode_id"
                " where upper_inf(e.period) and a.id not in (select asked_id from clinic.discharge_answer)"
            ),
        ),
        ("an inspector", "select 1 from clinic.role_grant where role = 'inspector' and ends_at > now()"),
        ("a discharge", "select 1 from clinic.discharge where reason = 'completed'"),
        ("a handover", "select 1 from clinic.responsibility group by episode_id having count(*) > 1"),
        (
            "a covered caseload",
            "select 1 from clinic.cover where period @> now() group by counsellor_id having count(*) > 2",
        ),
        ("a check-in that was missed", "select 1 from clinic.check_in_outcome where ended = 'missed'"),
        ("a check-in to come", "select 1 from clinic.check_in_waiting where due_at > now() + interval '10 days'"),
        (
            "a group with somebody late and somebody absent",
            """select 1 from clinic.therapy_session s join clinic.therapy_session_line l on l.session_id = s.id
               where s.kind = 'group' group by s.id
               having 'attended_late' = any(array_agg(l.status)) and 'did_not_attend' = any(array_agg(l.status))""",
        ),
        ("a place called off", "select 1 from clinic.therapy_session_cancellation where cancelled_by = 'client'"),
        (
            "a relative beside a client in a register",
            "select 1 from clinic.session_relative_line where consent_id is not null",
        ),
        (
            "a relative who comes to every evening of a series",
            """select 1 from clinic.session_relative r join clinic.therapy_session s on s.id = r.session_id
               where s.series_id is not null group by s.series_id, r.person_id having count(*) > 2""",
        ),
        (
            "somebody who may act for a client until a day",
            "select 1 from clinic.related_person_involvement where kind = 'legal_representative' and last_day > now()",
        ),
        ("a register put right", "select 1 from clinic.therapy_session_register where version = 2"),
        (
            "a series",
            "select 1 from clinic.therapy_session where series_id is not null group by series_id having count(*) > 3",
        ),
        ("a session that was moved", "select 1 from clinic.therapy_session_moved"),
        ("somebody who waits for a place", "select 1 from clinic.therapy_session_wait"),
        ("a signed note", "select 1 from clinic.session_note_current where standing = 'signed'"),
        ("a draft of a note", "select 1 from clinic.session_note_current where standing = 'draft'"),
        ("a note that waits", "select 1 from clinic.session_note_current where standing = 'waits_for_co_signature'"),
        ("a countersigned note", "select 1 from clinic.session_note_signature where signed_as = 'co_signer'"),
        ("a note that was sent back", "select 1 from clinic.session_note_sent_back"),
        ("a counselling note", "select 1 from clinic.session_note where kind = 'counselling'"),
        (
            "a group of today, whatever day of the week it is",
            """select 1 from clinic.therapy_session s join clinic.programme p on p.id = s.programme_id
               where (s.starts_at at time zone p.time_zone)::date = (now() at time zone p.time_zone)::date""",
        ),
        ("a session to come", "select 1 from clinic.therapy_session where starts_at > now()"),
        ("a consent in force", "select 1 from clinic.consent where expires_at > now()"),
        ("a consent that has expired", "select 1 from clinic.consent where expires_at < now()"),
        ("a consent that was revoked", "select 1 from clinic.consent_revocation"),
        ("a consent that ended with its event", "select 1 from clinic.consent_event"),
        ("a consent for treatment, payment and operations", "select 1 from clinic.consent where never_expires"),
        ("a spill with its witness", "select 1 from clinic.stock_waste_settled where verdict = 'witnessed'"),
        (
            "a spill that waits for a witness",
            (
                "select 1 from clinic.stock_waste w left join clinic.stock_waste_settled s on s.waste_id = w.id"
                " where s.waste_id is null"
            ),
        ),
        (
            "a count that waits for a second person",
            (
                "select 1 from clinic.stock_count c left join clinic.stock_count_confirmed s on s.count_id = c.id"
                " where s.count_id is null"
            ),
        ),
        (
            "a dispenser that was emptied",
            "select 1 from clinic.stock_container where kind = 'dispenser' and closed_at < now()",
        ),
        (
            "a programme that keeps no stock",
            (
                "select 1 from clinic.dose d where d.recorded_at > now() - interval '3 days' and not exists"
                " (select 1 from clinic.stock_keeping k where k.programme_id = d.programme_id)"
            ),
        ),
        (
            "six days taken home on a signed decision",
            "select 1 from clinic.take_home_unit where decision_id is not null group by dispense_id having count(*) = 6",
        ),
        (
            "today's dose at home, and nobody has accounted for it",
            (
                "select 1 from clinic.take_home_unit u join clinic.programme p on p.id = u.programme_id"
                " where u.for_on = (now() at time zone p.time_zone)::date"
                " and not exists (select from clinic.take_home_outcome o where o.unit_id = u.id)"
            ),
        ),
        ("a unit out of stock", "select 1 from clinic.stock_take_home"),
        ("a day on which the window stays closed", "select 1 from clinic.closure_day where is_closed and day > now()"),
        ("a dose that came back", "select 1 from clinic.dose_vomited where witnessed"),
        (
            "a dose given in the place of another on a signed decision",
            (
                "select 1 from clinic.dose d join clinic.dose_replacement r on r.id = d.replacement_id"
                " join clinic.dose_vomited v on v.dose_id = r.dose_id where d.amount_mg <= r.at_most_mg"
            ),
        ),
        (
            "a dose whose rest was spilled before somebody else",
            (
                "select 1 from clinic.dose_spill s join clinic.dose_spill_witness w on w.spill_id = s.id"
                " where s.dose_id is not null and w.witness_id <> s.recorded_by"
            ),
        ),
        (
            "somebody who is excused today",
            "select 1 from clinic.excusal where first_on <= current_date and last_on >= current_date",
        ),
        (
            "who it was, made sure of",
            "select 1 from clinic.dose_identity_check having count(distinct identified_by) = 3",
        ),
        (
            "a downtime sheet that was entered by another hand",
            (
                "select 1 from clinic.downtime_line l join clinic.downtime_entry e on e.id = l.entry_id"
                " join clinic.dose d on d.id = l.record_id"
                " where l.outcome = 'recorded' and l.written_by = d.given_by and d.recorded_by = e.recorded_by"
                " and d.given_by <> d.recorded_by"
            ),
        ),
        (
            "an answer that was not given",
            "select 1 from clinic.check_in_answers where 'use_days_30' = any(asked) and use_days_30 is null",
        ),
        (
            "a scale that was filled in with a check-in",
            "select 1 from clinic.observation where check_in_id is not null",
        ),
        ("an overdose that no clinician has taken on", "select 1 from clinic.escalation_open"),
        (
            "a client who is the guest of another programme of ours today, and is seen there",
            (
                "select 1 from clinic.guest_agreement g join clinic.guest_stay s on s.id = g.id"
                " where g.direction = 'elsewhere' and s.period @> now() + interval '1 day'"
            ),
        ),
        (
            "a guest from outside, with the last dose at home verified and an order of the agreement",
            (
                "select 1 from clinic.guest_agreement g join clinic.guest_order o on o.agreement_id = g.id"
                " join clinic.dose_statement_verification v on v.statement_id = g.statement_id where g.direction = 'here'"
            ),
        ),
        ("a client with a keyworker", "select 1 from clinic.keyworker where period @> now() + interval '1 day'"),
        ("a client in maintenance", "select 1 from clinic.episode_phase where phase = 'maintenance'"),
        (
            "a client who moved to another level of care",
            "select 1 from clinic.level_of_care group by episode_id having count(*) > 1",
        ),
        (
            "two orders beside each other from today, signed over what the profile asks of the two",
            (
                "select 1 from clinic.medication_order o join clinic.medication_order m on m.id = o.beside_id"
                " join clinic.medication_order_confirmation c on c.order_id = o.id"
                " where o.medicine = 'buprenorphine' and o.evening_mg > 0 and m.medicine = 'methadone' and m.morning_mg > 0"
                " and c.rule like '%another_agonist_beside'"
            ),
        ),
        ("the withdrawal from alcohol", "select 1 from clinic.observation where instrument = 'ciwa_ar'"),
        (
            "take-homes that somebody else collected, and showed who they are",
            "select 1 from clinic.take_home_dispense where collector = 'other' and identity_provided",
        ),
        (
            "a dose from paper whose named giver had left before anybody asked, and a supervisor closed the question",
            """select 1 from clinic.dose_giver_word w join clinic.dose d on d.id = w.dose_id and d.version = w.dose_version
               join clinic.role_grant g on g.staff_id = d.given_by and g.ends_at < w.said_at
               where w.word = 'closed' and w.said_by <> d.recorded_by""",
        ),
        (
            "a dose from paper that its named giver has confirmed",
            (
                "select 1 from clinic.dose_giver_word w join clinic.dose d on d.id = w.dose_id and d.version = w.dose_version"
                " where w.word = 'confirmed' and w.said_by = d.given_by and w.said_at > d.recorded_at"
            ),
        ),
        (
            "seen more often for a while after a relapse",
            """select 1 from clinic.check_in_step_up s
               join clinic.check_in_plan_current c on (c.plan_id, c.version) = (s.plan_id, s.version)
               where s.ground = 'relapse' and s.last_on > now()""",
        ),
        ("a client who may be reached by text alone", "select 1 from clinic.client_contact where allowed = '{text}'"),
        (
            "ladders at several steps",
            "select 1 from clinic.outreach_standing where step is not null having count(distinct step) >= 2",
        ),
        (
            "a step that was skipped because the client was never asked",
            "select 1 from clinic.outreach_step where skipped = 'not_asked'",
        ),
        ("a step that would have asked the family", "select 1 from clinic.outreach_step where skipped = 'no_consent'"),
        ("a step that asks whoever a consent names", "select 1 from clinic.outreach_step_asked"),
        (
            "a counsellor's calendar elsewhere",
            """select 1 from clinic.calendar_feed f left join clinic.calendar_feed_revocation r on r.feed_id = f.id
               group by f.staff_id having count(r.feed_id) = 1 and count(*) = 2""",
        ),
        (
            "an open task of a step",
            "select 1 from clinic.care_task t join clinic.care_task_open o on o.task_id = t.id where t.kind = 'outreach'",
        ),
        (
            "a task that a colleague asks for",
            "select 1 from clinic.care_task_open o join clinic.care_task t on t.id = o.task_id where t.kind = 'asked'",
        ),
        ("a clinician on call now", "select 1 from clinic.on_call where period @> now()"),
        (
            "an open escalation that went to the clinician on call",
            """select 1 from clinic.escalation_open o
               join clinic.escalation_recipient r on r.escalation_id = o.escalation_id where r.passed_to = 'on_call'""",
        ),
        (
            "somebody registered twice and merged, and somebody of whom nobody has said yet",
            """select 1 from clinic.client_merge_side where side = 'duplicate'
               having count(*) filter (where standing = 'merged') = 1
               and count(*) filter (where standing = 'suspected') = 1""",
        ),
        (
            "a client whom another programme was asked to take over",
            "select 1 from clinic.client_transfer where outcome is null and departure_id is null",
        ),
        ("a client whom only named staff see", "select 1 from clinic.restriction where ended_at is null"),
        (
            "a broken glass that waits for its review",
            (
                "select 1 from clinic.glass g join clinic.restriction r on r.client_id = g.client_id"
                " where g.until_at < now() and not exists (select from clinic.glass_review v where v.glass_id = g.id)"
            ),
        ),
        (
            "a client's request whose last day is over, and one that was denied",
            """select 1 from clinic.rights_request r left join clinic.rights_answer a on a.request_id = r.id
               having bool_or(a.outcome is null and r.due_on < current_date) and bool_or(a.outcome = 'denied')""",
        ),
        (
            "an accounting of disclosures that was made for a client's request and given",
            """select 1 from clinic.rights_accounting m join clinic.rights_answer a on a.request_id = m.request_id
               where a.outcome = 'granted'""",
        ),
        (
            "a client who is reached as was agreed with them, and nowhere else",
            """select 1 from clinic.client_contact c join clinic.rights_contact r on r.request_id = c.agreed_in
               where r.allowed = '{post}'
               and not exists (select from clinic.rights_contact_end e where e.request_id = r.request_id)""",
        ),
        (
            "a copy of a record that left, with something withheld that was heard in confidence",
            """select 1 from clinic.record_copy_release r join clinic.record_copy_decision d on d.copy_id = r.copy_id
               where r.withheld > 0 and r.withheld < r.entries and d.reason = 'in_confidence'""",
        ),
        (
            "a notice that was given and signed, given and not signed, and is still to be given to somebody in care",
            """select 1 from clinic.patient_notice n
               join clinic.episode e on e.programme_id = n.programme_id and upper_inf(e.period)
               left join clinic.patient_notice_given g on g.notice_id = n.id and g.client_id = e.client_id
               having count(*) filter (where g.acknowledgement = 'signed') > 1
               and count(*) filter (where g.acknowledgement = 'declined') = 1
               and count(*) filter (where g.id is null) > 0""",
        ),
        (
            "a consent of somebody who is not of age, signed by a parent, too",
            """select 1 from clinic.consent c join clinic.client_identity i using (client_id)
               where c.co_signer_id is not null and i.birth_date > current_date - interval '18 years'""",
        ),
        (
            "a restriction that was agreed with a client, and is not over",
            """select 1 from clinic.rights_restriction where request_id not in
               (select request_id from clinic.rights_restriction_end)""",
        ),
        (
            "an entry that was not changed, with the kind of information it belongs to and the client's own words",
            "select 1 from clinic.rights_dispute join clinic.rights_statement using (request_id) where side = 'disagreement'",
        ),
        (
            "somebody in the United Kingdom who was told in the client's interests",
            """select 1 from clinic.disclosure_made d join clinic.programme p on p.id = d.programme_id
               where d.ground = 'best_interests' and p.profile = 'UK'""",
        ),
        (
            "a copy of a record that waits for the privacy officer",
            "select 1 from clinic.record_copy where id not in (select copy_id from clinic.record_copy_release)",
        ),
        (
            "a broken glass whose review is overdue",
            """select 1 from clinic.glass g where review_due_at < now()
               and not exists (select from clinic.glass_review v where v.glass_id = g.id)""",
        ),
        ("a consent to a court, of its own", "select 1 from clinic.consent where kind = 'legal_proceedings'"),
        (
            "a consent for counselling notes, of its own",
            "select 1 from clinic.consent where kind = 'counselling_notes'",
        ),
        (
            "a document that a court was sent, and what it passed on",
            """select 1 from clinic.redisclosure r join clinic.disclosure_made d on d.id = r.disclosure_id
               where d.manner = 'written' and d.ground = 'consent'""",
        ),
        (
            "a crime on the premises that the police were told of",
            "select 1 from clinic.disclosure_made where ground = 'crime_on_premises'",
        ),
        ("a relative who is a client too", "select 1 from clinic.related_person_link"),
        (
            "a former partner who is told nothing",
            "select 1 from clinic.related_person_warning where kind = 'domestic_risk'",
        ),
        ("somebody who is not to be rung", "select 1 from clinic.related_person_warning where kind = 'do_not_call'"),
        ("something heard in confidence", "select 1 from clinic.family_information where confidential"),
    ],
)
async def test_the_smallest_demo_holds(filled: Filled, situation: str, query: str) -> None:
    assert await filled.value(f"select exists ({query})"), situation


async def test_every_dose_since_the_books_began_came_from_a_container_and_nothing_is_short(filled: Filled) -> None:
    taken = await filled.value("select count(distinct dose_id) from clinic.stock_taking")
    assert taken > 100
    assert await filled.value("select count(*) from clinic.stock_taking where container_id is null") == 0
    assert taken == await filled.value(
        """select count(distinct d.id) from clinic.dose d
           join clinic.stock_keeping k on k.programme_id = d.programme_id and k.from_on <= d.dosing_day
           where d.kind <> 'brought_in'"""
    )


async def test_check_ins_are_overdue_in_every_way(filled: Filled) -> None:
    overdue = "select distinct last_fact from clinic.check_in_waiting where grace_ends_at < now()"
    assert set(await filled.values(overdue)) == {"scheduled", "attempted", "rescheduled", "reopened"}


async def test_today_is_left_to_whoever_looks(filled: Filled) -> None:
    assert not await filled.values(
        """
        select d.id from clinic.dose d join clinic.programme p on p.id = d.programme_id
        where d.dosing_day >= (now() at time zone p.time_zone)::date
        """
    )


async def test_the_log_carries_the_real_time_and_names_the_command_line(filled: Filled) -> None:
    told = await filled.owner.fetch(
        """
        select at, actor from audit.queue where event like 'demo.%'
        union all select at, actor from audit.entry where event like 'demo.%'
        """
    )
    assert len(told) > 20
    assert all(filled.began <= entry["at"] <= filled.ended for entry in told)
    assert {entry["actor"] for entry in told} == {str(COMMAND_LINE)}


# --- the same again, or not at all ---------------------------------------------------------------------------------

_WHAT_THERE_IS = """
select i.family_name || ' ' || i.given_name || ' ' || i.birth_date || ' ' || said.what from clinic.client_identity i
join lateral (
    select concat_ws(' ', 'dose', dosing_day, part, medicine, amount_mg, kind, entry, version, given_at) as what
    from clinic.dose where client_id = i.client_id
    union all
    select concat_ws(' ', 'check-in', c.scheduled_on, o.ended, o.occurred_at, w.last_fact) from clinic.check_in c
    left join clinic.check_in_outcome o on o.check_in_id = c.id
    left join clinic.check_in_waiting w on w.check_in_id = c.id where c.client_id = i.client_id
    union all
    select concat_ws(' ', 'session', s.title, s.starts_at, l.version, l.status, l.late_minutes)
    from clinic.therapy_session_line l join clinic.therapy_session s on s.id = l.session_id
    where l.client_id = i.client_id
    union all
    select concat_ws(' ', 'consent', kind, categories, purposes, signed_at, expires_at) from clinic.consent
    where client_id = i.client_id
) said on true
order by 1
"""


async def test_the_same_seed_makes_the_same_clinic_and_what_the_window_remembers_is_what_the_record_says(
    filled: Filled, throwaway_database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered = Window.facts
    shortcuts = 0

    async def compared(
        self: Window, record: MedicationRecord, giving: Giving, day: date, *, at: datetime, past: bool = False
    ) -> Facts:
        nonlocal shortcuts
        found = await remembered(self, record, giving, day, at=at, past=past)
        await self.keep()
        asked = await Doses.facts(self, record, giving, day, at=at, past=past)
        assert found == asked
        shortcuts += 1
        return found

    monkeypatch.setattr(Window, "facts", compared)
    async with service_over(throwaway_database, tmp_path) as service:
        await fill(service, SMALLEST, progress=unnoticed)
    owner = await asyncpg.connect(throwaway_database.owner)
    try:
        again = [row[0] for row in await owner.fetch(_WHAT_THERE_IS)]
    finally:
        await owner.close()
    assert shortcuts > 500
    assert again == await filled.values(_WHAT_THERE_IS)


async def test_it_is_refused_where_there_is_a_clinic(filled: Filled, tmp_path: Path) -> None:
    async with service_over(filled.addresses, tmp_path) as service:
        with pytest.raises(DemoRefused, match="a clinic in this database already"):
            await fill(service, SMALLEST, progress=unnoticed)
    assert not (tmp_path / PEOPLE).exists()


async def test_it_is_refused_in_production(throwaway_database: Addresses, tmp_path: Path) -> None:
    async with service_over(throwaway_database, tmp_path, production=True) as service:
        with pytest.raises(DemoRefused, match="production"):
            await fill(service, SMALLEST, progress=unnoticed)


async def test_stopped_half_way_it_leaves_nothing_and_can_be_made_anew(
    throwaway_database: Addresses, tmp_path: Path
) -> None:
    class Stopped(Exception):
        """Ctrl-C."""

    def stop(done: int, of: int) -> None:
        assert 0 < done < of
        raise Stopped

    async with service_over(throwaway_database, tmp_path) as service:
        with pytest.raises(Stopped):
            await fill(service, SMALLEST, progress=stop)
    owner = await asyncpg.connect(throwaway_database.owner)
    try:
        assert await owner.fetchval("select count(*) from clinic.programme") == 0
        assert await owner.fetchval("select count(*) from clinic.staff where id <> created_by") == 0
        events = {
            row[0] for row in await owner.fetch("select event from audit.queue union select event from audit.entry")
        }
        assert events == {"key.named", "demo.filled"}
    finally:
        await owner.close()
    assert files_like(PEOPLE, tmp_path) == []


async def test_every_signature_proves_what_it_says(filled: Filled) -> None:
    async with (
        service_over(filled.addresses, filled.settings.data_dir) as service,
        service.engine.connect() as connection,
    ):
        found = await verify(SignedRecords(connection), service.seals.is_good, progress=unnoticed_alone)
    assert (found.failed, found.more) == ([], 0)
    kinds = set(await filled.values("select distinct subject from clinic.signature"))
    assert {"order", "order_stop", "decision", "dose", "dose_correction", "stock_waste", "stock_count"} <= kinds
    assert found.signatures > 100


def unnoticed_alone(_done: int) -> None:
    """Nobody watches here either."""
