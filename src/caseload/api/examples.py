"""Examples in the description of the API: one made-up clinic, the same words everywhere, nobody's data.

An example is made from a schema and the name of the field it stands in, so that a new field has one at once. Where that
would not make sense together (one of several, exactly two), the whole is given in `WHOLE`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 8

WORDS: Final[Mapping[str, Any]] = {
    "Idempotency-Key": "5f0c8b1e-nurse-window-2-0417",
    "If-Match": '"1"',
    "actor": "01a20281-7cc1-7225-a384-5c1d9f0e2b77",
    "actor_name": "Robin Ashdown",
    "address": "12 Quay Street",
    "advice": "Say that you can neither confirm nor deny that somebody is a client here.",
    "amount_consumed_mg": "60",
    "amount_mg": "60",
    "amount_prescribed_mg": "60",
    "at_least_mg": "10",
    "at_most_mg": "30",
    "authenticated_by": "password",
    "birth_date": "1984-02-29",
    "because": "the same name and date of birth",
    "body": "NMC",
    "by_rule": "missed_doses",
    "chart_number": "HH-000417",
    "clears": "Look at the history before caseload came, and say what is known of the days since.",
    "code": "HARBOUR",
    "count": 7,
    "detail": "Read it again and decide whether your change still holds.",
    "digest": "8b1a9953c4611296a827abf8c47804d7e2a3b1c56f0e4d8a9b7c6d5e4f3a2b1c",
    "email": "mother@example.org",
    "entry": "dispensed",
    "event": "client.read",
    "every": 1,
    "every_days": 1,
    "evidence": "passport seen",
    "external_id": "MRN-20417",
    "family_name": "Lindqvist",
    "field": "identity.birth_date",
    "grace_rule": "UK-1/check_in_grace",
    "given_name": "Ada",
    "identifier": "HH-000417",
    "jurisdiction": "UK",
    "label": "counselling",
    "less_reason": "client_wish",
    "level": "2.1",
    "limit": 50,
    "line": 412,
    "month_day": 15,
    "name": "Harbour House",
    "new_password": "a lantern over quiet water",
    "note": "Came with her sister.",
    "number": "17A0429E",
    "operation": "R",
    "password": "seven herons on the pier",
    "phone": "+44 20 7946 0018",
    "place": "Room 3",
    "policy": "UK-1",
    "printed_name": "Robin Ashdown",
    "problem": "must lie between 1880-01-01 and today",
    "profile": "UK-1",
    "programme": "Harbour House",
    "purpose": "TREAT",
    "reason": "written down wrongly at the first visit",
    "registration": "NMC 17A0429E",
    "rejection": "the amount on the bottle was another",
    "request": "01a20274-3aa5-72f1-9166-cfbc258cf3c3",
    "request_id": "01a20274-3aa5-72f1-9166-cfbc258cf3c3",
    "responsible_counsellor": "Sam Okafor",
    "result": "negative",
    "route": "GET /api/v1/clients/{client_id}",
    "rule": "already_given",
    "rules": "already_given",
    "rules_broken": "already_given",
    "rules_version": "UK-1",
    "saw": "identity",
    "says": "A dose within four hours of another is refused.",
    "secret": "quiet-otter-lantern-seven-river",
    "sha256": "9f2b6f0d3c1e4a5b8d7c6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b",
    "source": "42 CFR 8.12(i)",
    "status": 200,
    "strength_mg": "5",
    "substance": "opiates",
    "text": "Rang to say that he has not been home for two days.",
    "time_zone": "Europe/London",
    "title": "Relapse prevention, Tuesdays",
    "token": "Zk3v0dS1n8Qm2Wc7Yb5Lr9Tx4Hp6Gj0Fa8Ue1Ki3OsM",
    "type": "urn:caseload:problem:invalid",
    "user_name": "r.ashdown",
    "value": "HH-000417",
    "version": 1,
    "week": 1,
    "whole": "60",
    "why": "due 2026-11-19 09:30, two days of grace ended 2026-11-21",
    "with_whom": "Sam Okafor",
}  # fmt: skip
"""What a field of this name holds, in the made-up clinic."""

FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00",
    "uri": "https://example.org",
}
LATER: Final[Mapping[str, str]] = {"date": "2027-05-22", "date-time": "2026-11-22T10:30:00Z"}
"""For what ends, expires or is due, so that it comes after what begins."""

ENDS: Final = ("end", "expire", "last", "until", "due", "sign_by", "movable_until", "scheduled_through")

WHOLE: Final[Mapping[str, Any]] = {
    "AmountsWire": {"whole": "60"},
    "ExpiryWire": {"last_day": "2027-05-22"},
    "IdentityIn": {"given_name": "Ada", "family_name": "Lindqvist", "birth_date": "1984-02-29", "sex": "female"},
    "SignInIn": {"user_name": "r.ashdown", "password": "seven herons on the pier"},
    "WantedIn": {"name": "lindqvist", "birth_date": "1984-02-29"},
}
"""Structures of which only some fields may stand together."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Makes examples from the schemas of one description."""

    schemas: Mapping[str, Any]
    sent: bool = False
    """Only the fields that must be there, as a caller would begin."""

    def of(self, schema: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value that fits the schema, for a field of this name."""
        if "$ref" in schema:
            known = str(schema["$ref"]).rpartition("/")[2]
            return WHOLE[known] if known in WHOLE else self.of(self.schemas[known], name, depth)
        if "const" in schema:
            return schema["const"]
        for told in ("examples", "enum"):
            if schema.get(told):
                return schema[told][0]
        choices: list[Mapping[str, Any]] = schema.get("oneOf") or schema.get("anyOf") or []
        if choices:
            return self.of(next((each for each in choices if each.get("type") != "null"), choices[0]), name, depth)
        return self._by_type(schema, name, depth)

    def _by_type(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return [self.of(schema["items"], name, depth + 1)] if depth < DEEPEST and "items" in schema else []
            case "string":
                return _text(str(schema.get("format", "")), name)
            case "integer" | "number":
                return _number(schema, name)
            case "boolean":
                return bool(schema.get("default", False))
            case _:
                return None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = frozenset(schema.get("required", ()))
        properties: Mapping[str, Any] = schema.get("properties", {}) if depth < DEEPEST else {}
        return {
            name: self.of(each, name, depth + 1)
            for name, each in properties.items()
            if name in required or not self.sent
        }


def _text(form: str, name: str) -> str:
    if form == "uuid":
        return f"01a20281-7cc1-7225-a384-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    if form in LATER and name != "birth_date":
        return (LATER if name.startswith(ENDS) else FORMATS)[form]
    known = "reason" if name.endswith("_reason") and name not in WORDS else name
    return str(WORDS.get(known, FORMATS.get(form, "text")))


def _number(schema: Mapping[str, Any], name: str) -> int:
    wanted = WORDS.get(name)
    wanted = wanted if isinstance(wanted, int) else 1
    return max(int(schema.get("minimum", wanted)), min(int(schema.get("maximum", wanted)), wanted))
