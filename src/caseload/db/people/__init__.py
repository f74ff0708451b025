"""How people are kept: sessions, roles, registrations, duty and passwords."""
