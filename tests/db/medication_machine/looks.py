"""The second clinician: signs what routine doses are displayed, sends one back, and meets what changed meanwhile."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from caseload.domain.dosing import Kind
from caseload.domain.ids import DoseId
from caseload.domain.people import Staff
from caseload.domain.signature import Meaning
from caseload.domain.signoff import Rejection, reject, sign_off
from tests.db.medication_machine.remembered import Given, Look
from tests.db.medication_machine.window import AtTheWindow
from tests.factories.window import proof


class SecondLook(AtTheWindow):
    """Whoever looks at what others have given."""

    def __init__(self) -> None:
        super().__init__()
        self.displayed: dict[DoseId, int] = {}
        """What somebody has on their screen, in the versions that they saw."""

    @rule(data=st.data())
    def looks(self, data: st.DataObject) -> None:
        acts = [self.signs_what_is_displayed, self.sends_back] if self.displayed else []
        data.draw(st.sampled_from([self.opens_the_queue, *acts]))(data)

    def opens_the_queue(self, _: st.DataObject) -> None:
        self.displayed = {dose.id: dose.dose.version for dose in self.known.doses.values()}

    def signs_what_is_displayed(self, data: st.DataObject) -> None:
        signer = data.draw(st.sampled_from([self.here.nurse, self.here.colleague, self.here.colleague]))
        alone = data.draw(st.booleans())
        wanted = self.displayed
        if alone:
            one = DoseId(data.draw(st.sampled_from(sorted(wanted))))
            wanted = {one: wanted[one]}
        must = {dose for dose, version in wanted.items() if self.may_sign(dose, version, signer, len(wanted))}
        ended = self.run(
            sign_off(
                wanted,
                by=signer,
                proof=proof(signer, self.now),
                meaning=Meaning.REVIEWED,
                now=self.now,
                sign_offs=self.here.sign_offs(self.now),
                journal=self.here.journal,
            )
        )
        assert set(ended.signed) == must, "signed is what was displayed, waits and is not one's own; and nothing else"
        assert set(ended.refused) == set(wanted) - must, "what is not signed is named"
        for dose in must:
            self.known.doses[dose].look = Look.SIGNED

    def may_sign(self, dose: DoseId, version: int, signer: Staff, together: int) -> bool:
        given = self.known.doses[dose]
        is_ours = given.dose.programme == self.here.programme
        waits = is_ours and given.taken and given.look is Look.WAITS and given.dose.version == version
        return waits and signer.id not in given.dose.hands and (given.dose.kind is not Kind.EXCEPTION or together == 1)

    def sends_back(self, data: st.DataObject) -> None:
        wanted = DoseId(data.draw(st.sampled_from(sorted(self.displayed))))
        version, signer = self.displayed[wanted], self.here.colleague
        rejected = self.attempt(
            reject(
                wanted,
                version,
                "Which bottle?",
                by=signer,
                now=self.now,
                sign_offs=self.here.sign_offs(self.now),
                journal=self.here.journal,
            )
        )
        assert isinstance(rejected, Rejection) is self.may_sign(wanted, version, signer, 1), rejected
        if isinstance(rejected, Rejection):
            self.known.doses[wanted].look = Look.SENT_BACK

    def queue(self, look: Look) -> set[tuple[DoseId, int]]:
        """What stands in the queue so, by those who looked."""
        doses: list[Given] = [dose for dose in self.known.taken() if dose.look is look]
        return {(dose.id, dose.dose.version) for dose in doses}
