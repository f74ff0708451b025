"""The witness: a small process of its own that remembers how far a log had come, as C2SP tlog-witness has it.

`judging` decides about one request, `state` keeps what was decided, `server` speaks HTTP, `keys` has the witness' own
key; `client` is the sequencer's side. But for the client it needs the formats (`tlog`), the standard library and
`cryptography`, and no database: it runs on a machine that whoever administers the clinic's servers does not administer.
"""
