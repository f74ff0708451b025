"""Notes, checkpoints and cosignatures: known answers, and everything that must not be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit.tlog import cosignature
from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.merkle import EMPTY_ROOT
from caseload.audit.tlog.note import (
    Kind,
    LocalSigner,
    Note,
    NotSigned,
    Signature,
    VerifierKey,
    cosign_text,
    open_note,
    sign_text,
    write_note,
)
from caseload.audit.tlog.rotation import Handover, hand_over
from caseload.audit.tlog.spelling import Malformed, base64, decimal, from_base64
from tests.audit.tlog.trees import flipped, naive_root

# The example of the Go package golang.org/x/mod/sumdb/note, whose format signed-note is.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = from_base64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", length=33)[1:]
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
DASH = "— ".encode()
PETERS_NOTE = f"{PETERS_TEXT}\n{PETERS_LINE}\n".encode()

# The example of tlog-cosignature.
BEHIND_THE_SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
    "zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

LOG = LocalSigner(b"\x01" * 32, name="log.example/1")
NEXT = LocalSigner(b"\x02" * 32, name="log.example/1")
WITNESS = LocalSigner(b"\x03" * 32, name="witness.example", kind=Kind.COSIGNATURE)
STRANGER = LocalSigner(b"\x04" * 32, name="stranger.example")
CHECKPOINT = Checkpoint(origin="log.example/1", size=300, root=naive_root(0, 300))


def test_the_known_example_is_opened_and_signed_again_to_the_same_bytes() -> None:
    key = VerifierKey.parse(PETER)
    assert str(key) == PETER
    opened = open_note(PETERS_NOTE, [key])
    assert opened.text == PETERS_TEXT
    assert [each.key for each in opened.verified] == [key]
    signer = LocalSigner(PETERS_SEED, name="PeterNeumann")
    assert signer.key == key
    assert str(sign_text(PETERS_TEXT, signer)) == PETERS_LINE
    assert write_note(PETERS_TEXT, [sign_text(PETERS_TEXT, signer)]) == PETERS_NOTE


def test_the_key_of_gos_checksum_database_is_read() -> None:
    known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert str(VerifierKey.parse(known)) == known


def test_the_examples_of_the_specifications_are_read() -> None:
    note = Note.parse(BEHIND_THE_SOFA.encode())
    assert Checkpoint.parse(note.text).size == 20_852_163
    assert cosignature.taken_apart(note.signatures[1].value)[0] == 1_679_315_147
    assert cosignature.message(note.text, at=1_679_315_147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_unknown_keys_say_nothing_and_a_note_without_a_known_one_is_refused() -> None:
    text = CHECKPOINT.text()
    note = write_note(text, [sign_text(text, STRANGER), sign_text(text, LOG)])
    assert [each.key for each in open_note(note, [LOG.key]).verified] == [LOG.key]
    with pytest.raises(NotSigned):
        open_note(note, [NEXT.key])
    with pytest.raises(NotSigned):
        open_note(note, [])


def test_a_bad_signature_of_a_known_key_condemns_the_whole_note() -> None:
    text = CHECKPOINT.text()
    good, bad = sign_text(text, LOG), sign_text("another text\n", NEXT)
    with pytest.raises(NotSigned, match="not good"):
        open_note(write_note(text, [good, bad]), [LOG.key, NEXT.key])
    # Even beside a good one by the same key.
    twice = write_note(text, [good, good._replace(value=flipped(good.value, 5))])
    with pytest.raises(NotSigned, match="not good"):
        open_note(twice, [LOG.key])
    # To somebody who does not know that key it is one line among others.
    assert len(open_note(write_note(text, [good, bad]), [LOG.key]).verified) == 1


@pytest.mark.parametrize("signer", [LOG, WITNESS], ids=["log", "witness"])
def test_no_bit_of_a_signature_and_no_character_of_the_text_can_be_changed(signer: LocalSigner) -> None:
    text = CHECKPOINT.text()
    made = cosign_text(text, signer, at=1_700_000_000) if signer is WITNESS else sign_text(text, signer)
    for bit in range(len(made.value) * 8):
        with pytest.raises(NotSigned):
            open_note(write_note(text, [made._replace(value=flipped(made.value, bit))]), [signer.key])
    for value in (made.value[:-1], made.value + b"\x00"):
        with pytest.raises(NotSigned):
            open_note(write_note(text, [made._replace(value=value)]), [signer.key])
    for at in range(len(text) - 1):
        other = text[:at] + ("~" if text[at] != "~" else "!") + text[at + 1 :]
        with pytest.raises(NotSigned):
            open_note(write_note(other, [made]), [signer.key])


def test_sixteen_signatures_and_more_are_read_and_a_flood_is_not() -> None:
    text = CHECKPOINT.text()
    signers = [LocalSigner(bytes([number] * 32), name=f"witness{number}.example") for number in range(1, 101)]
    lines = [sign_text(text, each) for each in signers]
    assert len(open_note(write_note(text, lines), [each.key for each in signers]).verified) == 100
    with pytest.raises(Malformed, match="101 signatures"):
        Note.parse(Note(text, (*lines, lines[0])).encode())


def test_a_cosignature_is_of_its_time_and_of_its_kind() -> None:
    text = CHECKPOINT.text()
    made = cosign_text(text, WITNESS, at=1_700_000_000)
    (verified,) = open_note(write_note(text, [made]), [WITNESS.key]).verified
    assert verified.at == 1_700_000_000
    moved = made._replace(value=(1_700_000_001).to_bytes(8, "big") + made.value[8:])
    with pytest.raises(NotSigned):
        open_note(write_note(text, [moved]), [WITNESS.key])
    # The same 32 bytes as a key of another kind are another key.
    as_log = VerifierKey(WITNESS.key.name, Kind.ED25519, WITNESS.key.public)
    assert as_log.key_id != WITNESS.key.key_id
    with pytest.raises(NotSigned, match="No signature"):
        open_note(write_note(text, [made]), [as_log])
    for at in (-1, 2**63):
        with pytest.raises(Malformed):
            cosignature.message(text, at=at)
    with pytest.raises(Malformed):
        cosignature.taken_apart(b"\xff" * 72)


def test_a_checkpoint_is_opened_only_with_a_key_of_the_log_that_it_names() -> None:
    text = CHECKPOINT.text()
    assert open_checkpoint(write_note(text, [sign_text(text, LOG)]), [LOG.key])[0] == CHECKPOINT
    # A stranger's key, though known, or a witness alone, does not make it the log's.
    for signature, key in (
        (sign_text(text, STRANGER), STRANGER.key),
        (cosign_text(text, WITNESS, at=1), WITNESS.key),
    ):
        with pytest.raises(NotSigned, match="Not signed by a known key of the log"):
            open_checkpoint(write_note(text, [signature]), [key])


def test_a_checkpoint_has_one_spelling_and_its_further_lines_are_kept() -> None:
    assert Checkpoint.parse(CHECKPOINT.text()) == CHECKPOINT
    empty = Checkpoint(origin="o", size=0, root=EMPTY_ROOT)
    assert Checkpoint.parse(empty.text()) == empty
    longer = Checkpoint(origin="o", size=1, root=bytes(32), extensions=("more", "still more"))
    assert Checkpoint.parse(longer.text()) == longer


@pytest.mark.parametrize(
    "text",
    [
        "", "o\n1\n", f"o\n1\n{base64(bytes(32))}", f"o\n01\n{base64(bytes(32))}\n", f"o\n-1\n{base64(bytes(32))}\n",
        f"o\n+1\n{base64(bytes(32))}\n", f"o\n1 \n{base64(bytes(32))}\n", f"o\n\u0661\n{base64(bytes(32))}\n",
        f"o\n{2**63}\n{base64(bytes(32))}\n", f"o\n{'9' * 5000}\n{base64(bytes(32))}\n", f"o\n1\n{base64(bytes(31))}\n",
        f"o\n1\n{base64(bytes(33))}\n", f"o\n1\n{base64(bytes(32))[:-1]}\n", f"o\n1\n{base64(bytes(32))[:-2]}B=\n",
        f"o\n1\n {base64(bytes(32))}\n", f"\n1\n{base64(bytes(32))}\n", f"o\n1\n{base64(bytes(32))}\n\n",
        f"o\n1\n{base64(bytes(32))}\n\nmore\n", f"o\n0\n{base64(bytes(32))}\n", f"o\r\n1\n{base64(bytes(32))}\r\n",
    ],
)  # fmt: skip
def test_anything_else_is_no_checkpoint(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"text\n", b"text\n\n", b"text\n\nline\n", PETERS_NOTE[:-1], PETERS_NOTE + b"\n", b"\xff" + PETERS_NOTE,
        PETERS_NOTE.replace(b"problem,", b"problem\t"), PETERS_NOTE.replace(b"problem,", b"problem\x00"),
        PETERS_NOTE.replace(DASH, DASH[:-1]), PETERS_NOTE.replace(DASH, b"- "),
        PETERS_NOTE.replace(b"Neumann ", b"Neumann  "), PETERS_NOTE.replace(b"Neumann ", b"+Neumann "),
        PETERS_NOTE.replace(b"JnAM=", b"JnAM"), PETERS_NOTE.replace(b"JnAM=", b"JnAN="),
        "text\n\n— name AAAAAA==\n".encode(), "text\n\n—  AAAAAAA=\n".encode(), "text\n\n— na\u00a0me AAAAAAA=\n".encode(),
        b"a" * 1_000_001 + b"\n\n" + PETERS_LINE.encode() + b"\n",
    ],
)  # fmt: skip
def test_anything_else_is_no_note(data: bytes) -> None:
    with pytest.raises(Malformed):
        Note.parse(data)


def test_a_text_may_have_empty_lines_and_one_that_cannot_be_read_again_is_not_written() -> None:
    text = "one\n\ntwo\n"
    assert open_note(write_note(text, [sign_text(text, LOG)]), [LOG.key]).text == text
    for wrong in ("no newline at the end", "control\x07\n"):
        with pytest.raises(Malformed):
            write_note(wrong, [sign_text(wrong, LOG)])


@given(st.binary(max_size=400))
def test_no_bytes_at_all_do_anything_but_be_refused(data: bytes) -> None:
    with pytest.raises((Malformed, NotSigned)):
        open_note(data, [LOG.key])


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+c74f20a3", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumam+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", PETER + "\n", " " + PETER,
        PETER.replace("ARpc", "Ahpc"), PETER.replace("ARpc", "BRpc"), "name+00000000+", "+00000000+AQ==",
        f"name+00000000+{base64(bytes([1]) + bytes(31))}", f"na me+00000000+{base64(bytes([1]) + bytes(32))}",
    ],
)  # fmt: skip
def test_anything_else_is_no_verifier_key(text: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "01", "1_0", "\u0663", "1e3", "9223372036854775808", "1\n"])
def test_a_number_has_one_spelling(text: str) -> None:
    with pytest.raises(Malformed):
        decimal(text)
    assert decimal("9223372036854775807") == 2**63 - 1
    assert decimal("0") == 0


def test_the_old_key_hands_over_to_the_new_one_and_nobody_else_does() -> None:
    made = hand_over(LOG, NEXT.key)
    assert made.is_good()
    assert Handover.parse(*made.encode()) == made
    assert not made._replace(old=NEXT.key, new=LOG.key).is_good()
    assert not made._replace(new=LocalSigner(b"\x09" * 32, name="log.example/1").key).is_good()
    for bit in range(512):
        assert not made._replace(signature=flipped(made.signature, bit)).is_good()
    forged = hand_over(LocalSigner(b"\x0a" * 32, name="log.example/1"), NEXT.key)
    assert not forged._replace(old=LOG.key).is_good()
    for wrong in (LOG.key, STRANGER.key, WITNESS.key):
        with pytest.raises(Malformed, match="another key of the same log"):
            hand_over(LOG, wrong)
    # What was signed as a checkpoint or as a hand-over is not the other.
    assert not made._replace(signature=sign_text(CHECKPOINT.text(), LOG).value).is_good()


def test_a_line_is_written_as_it_was_read() -> None:
    assert str(Signature.parse(PETERS_LINE)) == PETERS_LINE
