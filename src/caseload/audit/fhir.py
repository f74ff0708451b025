"""The log as FHIR R4 AuditEvent, one resource per line, following IHE BALP (Basic Audit Log Patterns, 1.1).

An entry becomes one AuditEvent, or one for each client whom it is known to concern, as BALP asks for. Where an entry
fulfils one of BALP's profiles (a create, read or update that succeeded), `meta.profile` says so. What the log keeps behind commitments (addresses, what was searched for) is absent here and marked
as masked. The bytes are made from the fields of a leaf, none of which needs escaping, so that a verifier can make
the same ones. Only the standard library.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from caseload.audit.record import Record

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_PROFILES: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_TERMS: Final = "http://terminology.hl7.org/CodeSystem/"


class _Pattern(NamedTuple):
    """What BALP prescribes for one kind of act: the profile's name, and who plays which part in it."""

    profile: str
    interaction: str
    caller: str
    server: str
    user: str


def _coding(system: str, code: str, display: str) -> str:
    return f'{{"code":"{code}","display":"{display}","system":"{system}"}}'


_SOURCE: Final = _coding(_DICOM, "110153", "Source Role ID")
_DESTINATION: Final = _coding(_DICOM, "110152", "Destination Role ID")
_APPLICATION: Final = _coding(_DICOM, "110150", "Application")
_CUSTODIAN: Final = _coding(f"{_TERMS}provenance-participant-type", "custodian", "Custodian")
_AUTHOR: Final = _coding(f"{_TERMS}v3-ParticipationType", "AUT", "author (originator)")
_RECIPIENT: Final = _coding(f"{_TERMS}v3-ParticipationType", "IRCP", "information recipient")

_PATTERNS: Final = {
    "C": _Pattern("Create", "create", _SOURCE, _DESTINATION, _AUTHOR),
    "R": _Pattern("Read", "read", _DESTINATION, _SOURCE, _RECIPIENT),
    "U": _Pattern("Update", "update", _SOURCE, _DESTINATION, _AUTHOR),
    "D": _Pattern("", "delete", _APPLICATION, _CUSTODIAN, _AUTHOR),
    "E": _Pattern("", "operation", _SOURCE, _DESTINATION, _RECIPIENT),
}
_REST: Final = _coding(f"{_TERMS}audit-event-type", "rest", "Restful Operation")
_TYPES: Final = {
    "sign_in": _coding(_DICOM, "110114", "User Authentication"),
    "audit_log": _coding(_DICOM, "110106", "Export"),
    "audit_entries": _coding(_DICOM, "110101", "Audit Log Used"),
    "accesses": _coding(_DICOM, "110101", "Audit Log Used"),
}
"""By the first word of the event's name. Whatever else is done is done over HTTP or by a command."""

_MASKED: Final = (
    '{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}'
)
_TRANSACTION: Final = (
    '{"type":{"code":"XrequestId","system":"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"}'
)
_DATA_ROLE: Final = {
    "E": _coding(f"{_TERMS}object-role", "20", "Job"),
    "": _coding(f"{_TERMS}object-role", "4", "Domain Resource"),
}
_OBJECT: Final = _coding(f"{_TERMS}audit-entity-type", "2", "System Object")
_PERSON: Final = _coding(f"{_TERMS}audit-entity-type", "1", "Person")
_PATIENT: Final = _coding(f"{_TERMS}object-role", "1", "Patient")
_APPLICATION_SERVER: Final = _coding(f"{_TERMS}security-source-type", "4", "Application Server")


def audit_event(record: Record, index: int, leaf_hash: bytes, *, client: str = "", position: int = 0) -> str:
    """One line. `client` is an identifier that a disclosure laid open, at that position among the entry's clients."""
    pattern = _PATTERNS[record.operation]
    event = record.event.partition(".")[0]
    profiled = pattern.profile and record.outcome == "0" and event not in _TYPES
    subject = "Patient" if client else ""
    patient = f',{{"role":{_PATIENT},"type":{_PERSON},"what":{{"reference":"Patient/{client}"}}}}' if client else ""
    meta = f'"meta":{{"profile":["{_PROFILES}{subject}{pattern.profile}"]}},' if profiled else ""
    identifier = f"{record.id}-{position}" if client else record.id
    requestor = "false" if _named(record) else "true"
    station = "command" if record.auth == "command_line" else "client"
    return (
        f'{{"action":"{record.operation}","agent":[{_user(record, pattern)},'
        f'{{"network":{_MASKED},"requestor":{requestor},"type":{_codings(pattern.caller)},'
        f'"who":{{"display":"{station} of {record.organisation}"}}}},'
        f'{{"name":"{record.boot}","network":{_MASKED},"requestor":false,"type":{_codings(pattern.server)},'
        f'"who":{{"identifier":{{"value":"{record.organisation}"}}}}}}],'
        f'"entity":[{{"detail":[{{"type":"log index","valueString":"{index}"}},'
        f'{{"type":"leaf hash","valueString":"{leaf_hash.hex()}"}},'
        f'{{"type":"clients","valueString":"{record.clients or 0}"}}],'
        f'"role":{_DATA_ROLE["E" if record.operation == "E" else ""]},"type":{_OBJECT},'
        f'"what":{{"display":"{record.route}"}}}},'
        f'{_TRANSACTION},"what":{{"identifier":{{"value":"{record.request}"}}}}}}{patient}],'
        f'"id":"{identifier}",{meta}"outcome":"{record.outcome}",'
        f'"purposeOfEvent":[{_purpose(record.purpose)}],"recorded":"{record.at}","resourceType":"AuditEvent",'
        f'"source":{{"observer":{{"identifier":{{"value":"{record.organisation}"}}}},"site":"{record.organisation}",'
        f'"type":[{_APPLICATION_SERVER}]}},"subtype":[{_interaction(pattern.interaction)},'
        f'{{"display":"{record.event}"}}],"type":{_TYPES.get(event, _REST)}}}\n'
    )


def _named(record: Record) -> bool:
    return record.actor not in {"anonymous", "system"}


def _user(record: Record, pattern: _Pattern) -> str:
    roles = _roles(record.roles)
    who = (
        f'{{"identifier":{{"system":"urn:ietf:rfc:3986","value":"urn:uuid:{record.actor}"}}}}'
        if _named(record)
        else f'{{"display":"{record.actor}"}}'
    )
    return (
        f'{{"purposeOfUse":[{_purpose(record.purpose)}],"requestor":{"true" if _named(record) else "false"},'
        f'{roles}"type":{_codings(pattern.user)},"who":{who}}}'
    )


@lru_cache(maxsize=256)
def _roles(roles: str) -> str:
    return "" if not roles else f'"role":[{",".join(_text(role) for role in roles.split(","))}],'


def _text(quoted: str) -> str:
    return f'{{"text":{quoted}}}'


@lru_cache(maxsize=64)
def _purpose(code: str) -> str:
    return f'{{"coding":[{{"code":"{code}","system":"{_TERMS}v3-ActReason"}}]}}'


@lru_cache(maxsize=16)
def _interaction(name: str) -> str:
    return f'{{"code":"{name}","display":"{name}","system":"http://hl7.org/fhir/restful-interaction"}}'


@lru_cache(maxsize=16)
def _codings(coding: str) -> str:
    return f'{{"coding":[{coding}]}}'
