"""How what is true is kept: tables, statements and the PostgreSQL underneath."""
