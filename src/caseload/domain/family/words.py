"""The words of the people around a client, stored and sent as they stand here."""

from enum import StrEnum


class Relationship(StrEnum):
    """Who somebody is to the client."""

    MOTHER = "mother"
    FATHER = "father"
    PARTNER = "partner"
    CHILD = "child"
    SIBLING = "sibling"
    GRANDPARENT = "grandparent"
    OTHER_RELATIVE = "other_relative"
    FRIEND = "friend"
    SPONSOR = "sponsor"
    GUARDIAN = "guardian"
    OTHER = "other"


class InvolvementKind(StrEnum):
    """A way in which somebody takes part. Several per person, each with its own days."""

    FAMILY_THERAPY = "family_therapy"
    """Sits in sessions together with the client."""
    FAMILY_EDUCATION = "family_education"
    """Learns about addiction, overdose and naloxone in general; is told nothing about the client."""
    OWN_SUPPORT = "own_support"
    """Is supported in their own right (CRAFT and the like); is told nothing about the client."""
    CARE_PARTNER = "care_partner"
    """Helps with safe storage, appointments and the plan, as far as the client's consent goes."""
    EMERGENCY_CONTACT = "emergency_contact"
    """Is to be called in an emergency, if the client's consent names them."""
    LEGAL_REPRESENTATIVE = "legal_representative"
    """Acts for the client under an authority whose evidence is on file (42 CFR 2.14, 2.15)."""
    HOUSEHOLD_NALOXONE = "household_naloxone"
    """Keeps naloxone in the household and knows how to give it; is told nothing about the client."""


class ContactWay(StrEnum):
    """A way in which somebody around a client wants to be reached."""

    TELEPHONE = "telephone"
    TEXT = "text"
    EMAIL = "email"
    POST = "post"
    IN_PERSON = "in_person"
