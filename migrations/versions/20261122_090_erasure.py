"""Erasing a client from the log: a proposal, the one function that destroys a key, and the list of destroyed keys.

The service may propose and withdraw; a key goes only through `keys.destroy`, which asks for a second person and for
the time in which no process remembers the key any more. What is left names the key and not the client.
"""

from alembic import op

revision = "20261122_090"
down_revision = "20261122_045"

TABLES = (
    """
    CREATE TABLE keys.erasure (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        ground TEXT NOT NULL,
        proposed_by UUID NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT erasure_pkey PRIMARY KEY (id),
        CONSTRAINT erasure_client_id_key UNIQUE (client_id),
        CONSTRAINT erasure_ground_check CHECK (ground IN ('retention_over', 'registered_in_error'))
    )
    """,
    """
    CREATE TABLE keys.erased (
        key_id UUID NOT NULL,
        erasure_id UUID NOT NULL,
        ground TEXT NOT NULL,
        proposed_by UUID NOT NULL,
        confirmed_by UUID NOT NULL,
        erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT erased_pkey PRIMARY KEY (key_id),
        CONSTRAINT erased_erasure_id_key UNIQUE (erasure_id),
        CONSTRAINT erased_ground_check CHECK (ground IN ('retention_over', 'registered_in_error')),
        CONSTRAINT erased_by_two_check CHECK (confirmed_by <> proposed_by)
    )
    """,
)

DESTROY = """
    CREATE FUNCTION keys.destroy(wanted uuid, confirming uuid, moment timestamptz) RETURNS SETOF keys.erased
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        proposal keys.erasure;
        destroyed uuid;
    BEGIN
        DELETE FROM keys.erasure WHERE id = wanted RETURNING * INTO proposal;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF proposal.proposed_at > now() - interval '10 minutes' THEN
            RAISE EXCEPTION 'a process may still remember this key: wait ten minutes after the proposal'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        DELETE FROM keys.client_key WHERE client_id = proposal.client_id RETURNING key_id INTO destroyed;
        RETURN QUERY INSERT INTO keys.erased (key_id, erasure_id, ground, proposed_by, confirmed_by, erased_at)
            VALUES (destroyed, proposal.id, proposal.ground, proposal.proposed_by, confirming, moment) RETURNING *;
    END
    $$
"""

RIGHTS = (
    "REVOKE ALL ON FUNCTION keys.destroy(uuid, uuid, timestamptz) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION keys.destroy(uuid, uuid, timestamptz) TO caseload_app",
    "GRANT SELECT, INSERT, DELETE ON keys.erasure TO caseload_app",
    "GRANT SELECT ON keys.erased TO caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, DESTROY, *RIGHTS):
        op.execute(statement)
