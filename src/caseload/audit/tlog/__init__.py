"""The public formats of a transparency log, as pure functions: what a witness, an auditor and a verifier need of ours.

The tree is that of RFC 6962 and RFC 9162 (`merkle`, `consistency`, `frontier`); everything that leaves is in the
formats of C2SP, so that it can be checked with somebody else's program: `note` (signed-note), `checkpoint`
(tlog-checkpoint), `cosignature` (tlog-cosignature), `tile` and `prove` (tlog-tiles), `proof` (tlog-proof), `policy`
(tlog-policy). `rotation` is our own: how one key of the log hands over to the next.

Nothing but the standard library is used, and `cryptography` for the signatures. All parsing is strict: one value has
one spelling, and whatever else comes raises `Malformed`.
"""
