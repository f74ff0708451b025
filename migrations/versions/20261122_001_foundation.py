"""The ground: three schemas, the roles that hold people apart, two extensions and who may enter.

Roles belong to the whole server. A migrating role that may not create them is told the statements that somebody
who may has to run once. What each role is for:

- `caseload_app`: what the service may do. NOINHERIT, so that its membership of `audit_reader` counts only after
  `SET LOCAL ROLE audit_reader`: reading the log is an act of its own.
- `audit_owner`: owns the log's schema. Nobody logs in as it.
- `audit_sequencer`: puts entries in their order. `audit_reader`: reads the log.
"""

from alembic import op

revision = "20261122_001"
down_revision = None

ROLES = {
    "caseload_app": "nologin noinherit",
    "audit_owner": "nologin",
    "audit_sequencer": "nologin",
    "audit_reader": "nologin",
}

HINT = """Have an administrator of the server run once, then migrate again:
create role caseload_app nologin noinherit;
create role audit_owner nologin;
create role audit_sequencer nologin;
create role audit_reader nologin;
grant audit_reader to caseload_app;
grant audit_owner to the_role_that_migrates;"""

JOIN_ROLES = f"""
do $$
declare
  before text := current_setting('role');
begin
  if (select rolinherit from pg_catalog.pg_roles where rolname = 'caseload_app') then
    raise exception using
      message = 'the role caseload_app inherits, so that the service could read the log unasked',
      hint = 'Run: alter role caseload_app noinherit';
  end if;
  if not pg_catalog.pg_has_role('caseload_app', 'audit_reader', 'member') then
    grant audit_reader to caseload_app;
  end if;
  begin
    -- Whoever migrates must be able to act as the log's owner. Membership alone does not say so since
    -- PostgreSQL 16, and the word that does is unknown to 15: so it is tried.
    perform set_config('role', 'audit_owner', true);
    perform set_config('role', before, true);
  exception when insufficient_privilege then
    execute 'grant audit_owner to ' || quote_ident(current_user);
  end;
exception when insufficient_privilege then
  raise insufficient_privilege using
    message = 'the roles are not joined and ' || current_user || ' may not join them', hint = '{HINT}';
end
$$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    _make_roles()
    for extension in ("btree_gist", "pg_trgm"):
        op.execute(f"create extension if not exists {extension} with schema public")
    op.execute("create schema clinic")
    op.execute("create schema keys")
    op.execute("create schema audit authorization audit_owner")
    _open_schemas()


def _make_roles() -> None:
    """Make the roles that are missing, and join them. Says what to run when that is not allowed."""
    for role, attributes in ROLES.items():
        op.execute(
            f"""
            do $$
            begin
              if not exists (select from pg_catalog.pg_roles where rolname = '{role}') then
                create role {role} {attributes};
              end if;
            exception when insufficient_privilege then
              raise insufficient_privilege using
                message = 'the role {role} is missing and ' || current_user || ' may not create roles',
                hint = '{HINT}';
            end
            $$
            """
        )
    op.execute(JOIN_ROLES)


def _open_schemas() -> None:
    """Who may enter, and what the service gets on every table of the record: to read and to add, nothing more.

    What a table must also allow (an update, a delete) its own migration grants by name. `keys` and `audit` grant
    nothing by default.
    """
    op.execute("revoke all on schema clinic, keys, audit from public")
    op.execute("grant usage on schema clinic, keys, audit to caseload_app")
    op.execute("grant usage on schema audit to audit_sequencer, audit_reader")
    op.execute("alter default privileges in schema clinic grant select, insert on tables to caseload_app")
    op.execute("alter default privileges in schema clinic grant usage on sequences to caseload_app")
    # So that readiness can compare the revision without the owner's rights.
    op.execute("grant select on public.alembic_version to caseload_app")
