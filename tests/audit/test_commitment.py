"""Commitments: each client's disclosure proves what was said of that client, and shows nobody else."""

import os
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit import canonical, commitment
from caseload.audit.canonical import NotCanonical
from caseload.audit.commitment import Asked, Committed, Fact, LogBox, Told, commit, disclose_client, disclose_request
from caseload.audit.item import unpack
from caseload.audit.journal import RequestJournal
from caseload.audit.keys import ClientKey
from caseload.audit.keystore import KeyName
from caseload.domain.ids import ClientId, new_id
from tests.factories.audit import KeysInMemory, SomethingHappened, a_client, seen


def committed(
    journal: RequestJournal,
    *,
    request: list[Fact] | None = None,
    leaf: UUID | None = None,
    box: LogBox | None = None,
    keys: dict[UUID, ClientKey] | None = None,
    asked: Asked = Asked(),  # noqa: B008  frozen, so that nobody can change the default
    happened: bool = True,
) -> tuple[UUID, dict[UUID, ClientKey], Committed]:
    leaf = leaf or new_id()
    keys = keys if keys is not None else keys_for(journal)
    return leaf, keys, commit(leaf, Told(journal, asked, request or [], happened), keys, box or LogBox(KeysInMemory()))


def keys_for(journal: RequestJournal) -> dict[UUID, ClientKey]:
    return {client: ClientKey(client, os.urandom(32)) for client in {*journal.shown(), *journal.told_of()}}


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["dose", "identity", "check_in", None])), min_size=1, max_size=30
    )
)
def test_everybody_in_a_journal_is_committed_to_once_and_can_be_proved(account: list[tuple[int, str | None]]) -> None:
    clients = [a_client() for _ in range(7)]
    journal = RequestJournal()
    told: dict[ClientId, tuple[set[str], int]] = {}
    for number, kind in account:
        client = clients[number]
        kinds, events = told.get(client, (set[str](), 0))
        if kind is None:
            journal.tell(SomethingHappened(client=client, records=(new_id(),)))
            told[client] = (kinds, events + 1)
        else:
            journal.saw(client, kind)
            told[client] = (kinds | {kind}, events)
    leaf, keys, found = committed(journal)
    assert len(found.references) == len(set(found.references)) == len(told)
    beside = unpack(found.sealed)
    for client in clients:
        if client not in told:
            other = ClientKey(client, os.urandom(32))
            assert disclose_client(client, other, leaf, found.references, beside) is None
            continue
        shown = disclose_client(client, keys[client], leaf, found.references, beside)
        assert shown is not None
        what, proof = shown
        kinds, events = told[client]
        assert what.get("saw", []) == sorted(kinds)
        assert len(what.get("did", [])) == events  # pyright: ignore[reportArgumentType]  a value of JSON, known to be a list
        assert proof.proves(root=found.client_root, count=len(told))
        assert canonical.parse(proof.item) == {"c": str(client), "l": str(leaf), "w": what}


def test_one_clients_disclosure_shows_nobody_else_on_the_list() -> None:
    clients = [a_client() for _ in range(50)]
    leaf, keys, found = committed(seen(clients))
    beside = unpack(found.sealed)
    shown = disclose_client(clients[7], keys[clients[7]], leaf, found.references, beside)
    assert shown is not None
    what, proof = shown
    laid_open = repr(what).encode() + proof.salt + proof.item + b"".join(proof.path)
    for other in clients:
        if other != clients[7]:
            assert str(other).encode() not in laid_open
            assert keys[other].reference not in laid_open
            assert keys[other].salt(leaf.bytes, clients.index(other)) not in laid_open
            with pytest.raises(InvalidTag):
                keys[clients[7]].open(beside.nonce, beside.clients[clients.index(other)], leaf.bytes)
    for client in clients:
        assert str(client).encode() not in found.sealed
        assert client.bytes not in found.sealed + b"".join(found.references)


def test_without_its_key_a_client_cannot_be_linked_and_the_others_still_prove_themselves() -> None:
    """Destroying one key leaves the root and every other proof as they were."""
    clients = [a_client() for _ in range(9)]
    leaf, keys, found = committed(seen(clients))
    erased = clients[4]
    del keys[erased]
    beside = unpack(found.sealed)
    for client in clients:
        if client == erased:
            # Somebody who knows the client and guesses everything but the key finds nothing.
            guessed = ClientKey(erased, os.urandom(32))
            assert guessed.reference not in found.references
            with pytest.raises(InvalidTag):
                guessed.open(beside.nonce, beside.clients[4], leaf.bytes)
        else:
            shown = disclose_client(client, keys[client], leaf, found.references, beside)
            assert shown is not None
            assert shown[1].proves(root=found.client_root, count=9)


def test_a_disclosure_cannot_be_shown_under_another_leaf() -> None:
    client = a_client()
    journal = seen([client])
    leaf, keys, found = committed(journal)
    other_leaf, _, other = committed(journal, keys=keys)
    beside = unpack(found.sealed)
    shown = disclose_client(client, keys[client], leaf, found.references, beside)
    assert shown is not None
    assert not shown[1].proves(root=other.client_root, count=1)
    with pytest.raises(InvalidTag):
        disclose_client(client, keys[client], other_leaf, found.references, beside)


def test_the_same_client_is_salted_anew_in_every_leaf_and_place() -> None:
    client = a_client()
    key = ClientKey(client, os.urandom(32))
    leaves = [new_id(), new_id()]
    assert len({key.salt(leaf.bytes, place) for leaf in leaves for place in range(3)}) == 6
    roots = {committed(seen([client]), keys={client: key})[2].client_root for _ in range(5)}
    assert len(roots) == 5


def test_a_key_does_what_it_did_before() -> None:
    """The derivations are a format: entries of ten years ago must still open."""
    client, leaf = UUID("0197f0a0-0000-7000-8000-000000000001"), UUID("0197f0a0-0000-7000-8000-000000000002")
    key = ClientKey(client, bytes(range(32)))
    assert key.reference.hex() == KNOWN_REFERENCE
    assert key.salt(leaf.bytes, 1).hex() == KNOWN_SALT
    assert key.seal(bytes(12), b'{"saw":["dose"]}', leaf.bytes).hex() == KNOWN_SEALED


# The first two as `openssl dgst -sha256 -mac HMAC` gives them for the same key.
KNOWN_REFERENCE = "ed4f256a6fffa4b7b3b21697f0f99dd6"
KNOWN_SALT = "1fb20d20cd1ae33f36f0fc0ffe36a86333bccd57cc00cefb600a08738707aba9"
KNOWN_SEALED = "f4f7dd0a657c579503ab37d62190cbe584d94042086a4b6fdaa28200e376ae7a"


def test_what_is_said_of_the_request_opens_with_the_logs_key_and_proves_itself() -> None:
    store = KeysInMemory()
    journal = RequestJournal()
    journal.tell(SomethingHappened(records=(new_id(),), facts={"rule": "lockout", "count": 3}))
    facts: list[Fact] = [{"source": "192.0.2.7"}, {"filter": {"programme": "p", "kinds": ["a\nb", "\u00e9"]}}]
    leaf, _, found = committed(journal, request=facts, box=LogBox(store))
    shown = disclose_request(leaf, unpack(found.sealed), LogBox(store))
    assert [what for what, _ in shown][:2] == facts
    assert shown[2][0]["did"] == [
        {"ev": "thing.happened", "rec": [str(journal.events[0].records[0])], "facts": {"rule": "lockout", "count": 3}}
    ]
    assert found.requests == len(shown) == 3
    for _, proof in shown:
        assert proof.proves(root=found.request_root, count=3)
    assert b"192.0.2.7" not in found.sealed
    with pytest.raises(InvalidTag):
        disclose_request(leaf, unpack(found.sealed), LogBox(KeysInMemory()))
    with pytest.raises(InvalidTag):
        disclose_request(new_id(), unpack(found.sealed), LogBox(store))


def test_identifiers_in_the_path_go_with_the_one_client_they_concern() -> None:
    client, dose = a_client(), str(new_id())
    leaf, keys, found = committed(seen([client]), asked=Asked(client, {"dose": dose}))
    assert found.requests == 0
    shown = disclose_client(client, keys[client], leaf, found.references, unpack(found.sealed))
    assert shown is not None
    assert shown[0] == {"asked": {"dose": dose}, "saw": ["check_in"]}


def test_whoever_is_only_asked_for_is_in_the_entry_too() -> None:
    client = a_client()
    keys: dict[UUID, ClientKey] = {client: ClientKey(client, os.urandom(32))}
    leaf, _, found = committed(RequestJournal(), asked=Asked(client), keys=keys)
    shown = disclose_client(client, keys[client], leaf, found.references, unpack(found.sealed))
    assert shown is not None
    assert shown[0] == {"asked": {}}
    assert shown[1].proves(root=found.client_root, count=1)


def test_an_identifier_of_nobody_or_of_several_is_a_fact_about_the_request() -> None:
    store, nobody, record = KeysInMemory(), a_client(), str(new_id())
    leaf, _, found = committed(RequestJournal(), asked=Asked(nobody), box=LogBox(store), keys={})
    assert found.references == []
    assert disclose_request(leaf, unpack(found.sealed), LogBox(store))[0][0] == {"asked": {"client": str(nobody)}}
    leaf, _, found = committed(seen([a_client(), a_client()]), asked=Asked(None, {"group": record}), box=LogBox(store))
    assert disclose_request(leaf, unpack(found.sealed), LogBox(store))[0][0] == {"asked": {"group": record}}


def test_what_was_told_in_work_that_was_undone_was_tried_and_not_done() -> None:
    store, client, unborn = KeysInMemory(), a_client(), a_client()
    journal = seen([client])
    for of in (client, unborn, None):
        journal.tell(SomethingHappened(client=of))
    keys: dict[UUID, ClientKey] = {client: ClientKey(client, os.urandom(32))}
    leaf, _, found = committed(journal, keys=keys, box=LogBox(store), happened=False)
    beside = unpack(found.sealed)
    shown = disclose_client(client, keys[client], leaf, found.references, beside)
    assert shown is not None
    assert shown[0] == {"saw": ["check_in"], "tried": [{"ev": "thing.happened"}]}
    [(what, _)] = disclose_request(leaf, beside, LogBox(store))
    assert what == {"tried": [{"ev": "thing.happened"}] * 2}


def test_what_was_sealed_under_an_older_log_key_still_opens() -> None:
    store = KeysInMemory()
    leaf, _, found = committed(RequestJournal(), request=[{"source": "192.0.2.7"}], box=LogBox(store))
    store.kept[KeyName.LOG, 2] = os.urandom(32)
    assert disclose_request(leaf, unpack(found.sealed), LogBox(store))[0][0] == {"source": "192.0.2.7"}


def test_an_entry_about_nobody_commits_to_nobody() -> None:
    leaf, _, found = committed(RequestJournal())
    assert (found.references, found.requests) == ([], 0)
    assert disclose_request(leaf, unpack(found.sealed), LogBox(KeysInMemory())) == []


@pytest.mark.parametrize("fact", [1.5, 2**53, "e\u0301", {"Key": 1}])
def test_a_fact_outside_the_canonical_subset_is_refused(fact: object) -> None:
    journal = RequestJournal()
    journal.tell(SomethingHappened(client=a_client(), facts={"fact": fact}))  # pyright: ignore[reportArgumentType]  a fact that may not stand there is what is tried
    with pytest.raises(NotCanonical):
        committed(journal)
    unowned = RequestJournal()
    unowned.tell(SomethingHappened(facts={"fact": fact}))  # pyright: ignore[reportArgumentType]  as above
    with pytest.raises(NotCanonical):
        committed(unowned)


def test_an_entry_about_everybody_leaves_no_key_ready_for_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commitment, "MOST_AWAKE", 3)
    for count, ready in ((3, 3), (4, 0)):
        _, keys, _ = committed(seen([a_client() for _ in range(count)]))
        assert sum(key._box is not None for key in keys.values()) == ready
