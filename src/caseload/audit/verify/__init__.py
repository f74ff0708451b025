"""Verifying an export away from our server, by whoever trusts neither it nor us.

Nothing here but the standard library, `cryptography` and the pure modules of `caseload.audit`; an import contract
holds that, and `make verifier` packs exactly these into one file. What to trust comes from whoever verifies (a policy,
and the checkpoints they kept), never from what is verified.
"""
