"""How clients may be reached, as they have said, in versions."""

from alembic import op

revision = "20261122_260"
down_revision = "20261123_270"

CLIENT_CONTACT = """
    CREATE TABLE clinic.client_contact (
        client_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        allowed TEXT[] NOT NULL,
        telephone TEXT,
        address TEXT,
        heed TEXT,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_contact_pkey PRIMARY KEY (client_id, version),
        CONSTRAINT client_contact_version_check CHECK (version >= 1),
        CONSTRAINT client_contact_allowed_check CHECK (allowed <@ ARRAY['telephone', 'voicemail', 'text', 'post',
            'visit']),
        CONSTRAINT client_contact_telephone_not_blank_check CHECK (btrim(telephone) <> ''),
        CONSTRAINT client_contact_address_not_blank_check CHECK (btrim(address) <> ''),
        CONSTRAINT client_contact_heed_not_blank_check CHECK (btrim(heed) <> ''),
        CONSTRAINT client_contact_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_contact_a_number_to_ring_check CHECK (telephone IS NOT NULL OR NOT allowed && ARRAY[
            'telephone', 'voicemail', 'text']),
        CONSTRAINT client_contact_an_address_to_go_to_check CHECK (address IS NOT NULL OR NOT allowed && ARRAY['post',
            'visit']),
        CONSTRAINT client_contact_who_leaves_a_message_rings_check CHECK (NOT allowed @> ARRAY['voicemail'] OR
            allowed @> ARRAY['telephone']),
        CONSTRAINT client_contact_change_has_reason_check CHECK ((version = 1) = (reason IS NULL)),
        CONSTRAINT client_contact_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_contact_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(CLIENT_CONTACT)
    op.execute(
        "comment on table clinic.client_contact is $$How a client may be reached, as they have said, in versions; of"
        " whoever was never asked nothing is allowed.$$"
    )
