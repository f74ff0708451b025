"""Policies and proofs as texts: whom to believe, how many it takes, and that nothing else is read."""

import pytest

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Kind, LocalSigner, NotSigned, cosign_text, sign_text, write_note
from caseload.audit.tlog.policy import Policy
from caseload.audit.tlog.proof import Proof
from caseload.audit.tlog.spelling import Malformed
from tests.audit.tlog.trees import naive_inclusion, naive_root

LOG = LocalSigner(b"\x01" * 32, name="log.example/1")
NEXT = LocalSigner(b"\x02" * 32, name="log.example/1")
OTHER = LocalSigner(b"\x03" * 32, name="other.example/1")
WITNESSES = {
    name: LocalSigner(bytes([10 + number] * 32), name=f"{name}.example", kind=Kind.COSIGNATURE)
    for number, name in enumerate(("x1", "x2", "x3", "y1", "y2", "y3"))
}
LINES = "".join(f"witness {name} {signer.key}\n" for name, signer in WITNESSES.items())
EXAMPLE = f"""# the example of the specification
log {LOG.key} https://clinic.example/log
\t log   {NEXT.key}

{LINES}
group X-witnesses 2 x1 x2 x3
group Y-witnesses any y1 y2 y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
""".encode()
TEXT = Checkpoint(origin="log.example/1", size=300, root=naive_root(0, 300)).text()


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ((), False), (("x1", "x2"), False), (("y1", "y2", "y3"), False), (("x1", "y1"), False),
        (("x1", "x3", "y2"), True), (tuple(WITNESSES), True),
    ],
)  # fmt: skip
def test_a_quorum_of_groups_is_counted(names: tuple[str, ...], *, enough: bool) -> None:
    policy = Policy.parse(EXAMPLE)
    signatures = [cosign_text(TEXT, WITNESSES[name], at=1_700_000_000) for name in names]
    judged = policy.judge(write_note(TEXT, [sign_text(TEXT, LOG), *signatures]))
    assert judged.checkpoint.size == 300
    assert [each.key for each in judged.logs] == [LOG.key]
    assert tuple(name for name, _ in judged.witnesses) == names
    assert judged.quorum_met is enough
    assert policy.is_met_by(names) is enough


def test_a_policy_is_written_as_it_was_read() -> None:
    policy = Policy.parse(EXAMPLE)
    assert Policy.parse(policy.encode()) == policy
    assert policy.logs[0].url == "https://clinic.example/log"
    opaque = b"witness K\xff\xfe " + str(WITNESSES["x1"].key).encode() + b" https://caf\xe9/\nquorum K\xff\xfe\n"
    assert Policy.parse(opaque).encode() == opaque


def test_either_key_of_a_log_that_changed_its_key_is_enough_and_both_are_named() -> None:
    policy = Policy.parse(f"log {LOG.key}\nlog {NEXT.key}\nquorum none\n".encode())
    for signers in ((LOG,), (NEXT,), (LOG, NEXT)):
        judged = policy.judge(write_note(TEXT, [sign_text(TEXT, each) for each in signers]))
        assert judged.quorum_met
        assert [each.key for each in judged.logs] == [each.key for each in signers]


def test_witnesses_and_other_logs_do_not_stand_in_for_the_log() -> None:
    policy = Policy.parse(f"log {OTHER.key}\n{LINES}quorum x1\n".encode())
    for signature in (cosign_text(TEXT, WITNESSES["x1"], at=1), sign_text(TEXT, OTHER)):
        with pytest.raises(NotSigned):
            policy.judge(write_note(TEXT, [signature]))


def test_a_cosignature_of_another_checkpoint_condemns_the_note() -> None:
    policy = Policy.parse(f"log {LOG.key}\n{LINES}quorum x1\n".encode())
    other = Checkpoint(origin="log.example/1", size=299, root=naive_root(0, 299)).text()
    replayed = cosign_text(other, WITNESSES["x1"], at=1)
    with pytest.raises(NotSigned, match="x1"):
        policy.judge(write_note(TEXT, [sign_text(TEXT, LOG), replayed]))


X1 = WITNESSES["x1"].key


@pytest.mark.parametrize(
    "policy",
    [
        "", f"log {LOG.key}\n", "quorum\n", "quorum x1\n", "quorum none\nquorum none\n", "quorum none more\n",
        f"log {LOG.key} url more\nquorum none\n", f"log {X1}\nquorum none\n", f"witness x1 {LOG.key}\nquorum x1\n",
        f"witness none {X1}\nquorum none\n", f"witness x1 {X1}\nwitness x1 {WITNESSES['x2'].key}\nquorum x1\n",
        f"witness x1 {X1}\nwitness x2 {X1}\nquorum x1\n", f"log {LOG.key}\nlog {LOG.key}\nquorum none\n",
        f"quorum x1\nwitness x1 {X1}\n", f"group g all x1\nwitness x1 {X1}\nquorum g\n", "group g all g\nquorum g\n",
        "group g all none\nquorum g\n", f"{LINES}group g 0 x1\nquorum g\n", f"{LINES}group g 2 x1\nquorum g\n",
        f"{LINES}group g -1 x1\nquorum g\n", f"{LINES}group g 01 x1\nquorum g\n", f"{LINES}group g all\nquorum g\n",
        f"{LINES}group g 2 x1 x1\nquorum g\n", f"{LINES}group g any x1\ngroup h any x1\nquorum h\n",
        f"{LINES}group x1 any x2\nquorum x1\n", "Quorum none\n", "quorum none\r\n", "quorum none\x00\n", "quorum\x0bnone\n",
        "log nonsense\nquorum none\n", "quorum none\n" + "#\n" * 10_001,
    ],
)  # fmt: skip
def test_anything_else_is_no_policy(policy: str) -> None:
    with pytest.raises(Malformed):
        Policy.parse(policy.encode())


def test_what_is_wrong_with_a_policy_is_said_with_its_line() -> None:
    with pytest.raises(Malformed, match="Line 3 of the policy"):
        Policy.parse(b"# one\n\nlog nonsense\nquorum none\n")


def test_a_proof_is_read_as_it_was_written_and_proves_its_leaf() -> None:
    checkpoint = write_note(TEXT, [sign_text(TEXT, LOG)])
    for extra in (None, b"", b"more"):
        proof = Proof(index=77, path=tuple(naive_inclusion(77, 0, 300)), checkpoint=checkpoint, extra=extra)
        text = proof.encode()
        assert Proof.parse(text) == proof
        judged = Policy.parse(f"log {LOG.key}\nquorum none\n".encode()).judge(Proof.parse(text).checkpoint)
        size, root = judged.checkpoint.size, judged.checkpoint.root
        assert proof.proves(naive_root(77, 78), size=size, root=root)
        assert not proof.proves(naive_root(76, 77), size=size, root=root)
    alone = Proof(index=0, path=(), checkpoint=b"x")
    assert alone.encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\nx"
    assert Proof.parse(alone.encode()) == alone


HEAD = b"c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    "data",
    [
        b"", HEAD, HEAD + b"index 1\n", HEAD + b"\nx", HEAD + b"index 01\n\nx", HEAD + b"index -1\n\nx",
        HEAD + b"Index 1\n\nx", HEAD + b"index 1\nextra AA==\n\nx", HEAD + b"extra AA\nindex 1\n\nx",
        HEAD + b"index 1\nAAAA\n\nx", HEAD + b"extra AA==\n\nx", b"c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        HEAD + b"index 1\n" + b"A" * 43 + b"=\n" * 64 + b"\nx", HEAD + b"index 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx",
        HEAD + b"index \xd9\xa1\n\nx", HEAD + b"index 1\r\n\nx",
    ],
)  # fmt: skip
def test_anything_else_is_no_proof(data: bytes) -> None:
    with pytest.raises(Malformed):
        Proof.parse(data)
