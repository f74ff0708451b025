"""Take-homes in PostgreSQL: decisions, units and what became of them; and what of it covers a day (`covering`)."""
