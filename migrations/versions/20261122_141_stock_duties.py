"""Inventories, each line of which is a count that two people signed, and losses with their deadlines."""

from alembic import op

revision = "20261122_141"
down_revision = "20261122_131"

TABLES = (
    """
    -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
    ALTER TABLE clinic.stock_count ADD CONSTRAINT stock_count_id_container_id_key UNIQUE (id, container_id)
    """,
    """
    CREATE TABLE clinic.stock_inventory (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        taken_on DATE NOT NULL,
        moment TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_inventory_pkey PRIMARY KEY (id),
        CONSTRAINT stock_inventory_programme_id_taken_on_moment_key UNIQUE (programme_id, taken_on, moment),
        CONSTRAINT stock_inventory_moment_check CHECK (moment IN ('opening', 'close')),
        CONSTRAINT stock_inventory_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_inventory_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_inventory_line (
        inventory_id UUID NOT NULL,
        container_id UUID NOT NULL,
        count_id UUID NOT NULL,
        CONSTRAINT stock_inventory_line_pkey PRIMARY KEY (inventory_id, container_id),
        CONSTRAINT stock_inventory_line_confirmed_fkey FOREIGN KEY(count_id) REFERENCES
            clinic.stock_count_confirmed (count_id),
        CONSTRAINT stock_inventory_line_count_fkey FOREIGN KEY(count_id, container_id) REFERENCES
            clinic.stock_count (id, container_id),
        CONSTRAINT stock_inventory_line_inventory_id_fkey FOREIGN KEY(inventory_id) REFERENCES
            clinic.stock_inventory (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_loss (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        container_id UUID,
        kind TEXT NOT NULL,
        amount_mg NUMERIC(12, 3),
        what TEXT NOT NULL,
        discovered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        notice_by DATE NOT NULL,
        form_by DATE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_loss_pkey PRIMARY KEY (id),
        CONSTRAINT stock_loss_kind_check CHECK (kind IN ('theft', 'loss')),
        CONSTRAINT stock_loss_what_not_blank_check CHECK (btrim(what) <> ''),
        CONSTRAINT stock_loss_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT stock_loss_not_in_the_future_check CHECK (discovered_at <= recorded_at),
        CONSTRAINT stock_loss_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_loss_container_id_fkey FOREIGN KEY(container_id) REFERENCES clinic.stock_container
            (id),
        CONSTRAINT stock_loss_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_loss_step (
        loss_id UUID NOT NULL,
        step TEXT NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE NOT NULL,
        document TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_loss_step_pkey PRIMARY KEY (loss_id, step),
        CONSTRAINT stock_loss_step_step_check CHECK (step IN ('notice', 'form')),
        CONSTRAINT stock_loss_step_document_not_blank_check CHECK (btrim(document) <> ''),
        CONSTRAINT stock_loss_step_not_in_the_future_check CHECK (done_at <= recorded_at),
        CONSTRAINT stock_loss_step_loss_id_fkey FOREIGN KEY(loss_id) REFERENCES clinic.stock_loss (id),
        CONSTRAINT stock_loss_step_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX stock_loss_programme_id_idx ON clinic.stock_loss (programme_id)",
)

COMMENTS = {
    "stock_inventory": "Everything was counted on this day, at its opening or close; its lines are the counts.",
    "stock_inventory_line": "One container of an inventory, by a count of it that two people signed.",
    "stock_loss": "A theft or a loss, with the deadlines that its profile version set. It is no line of the ledger: a count is.",
    "stock_loss_step": "What the authority was sent about a loss, and when.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
