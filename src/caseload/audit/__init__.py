"""The log of everything anyone does or sees: it can be appended to, read and proved, and nothing else.

`journal` and `pending` collect what one piece of work saw and did, `leaf` is the bytes that are hashed, `commitment`
hides the clients behind salted commitments, `keys` keeps a key per client and `keystore` the keys above them, `trail`
is the way to append, `batcher` makes the entries of reads durable together, `accesslog`, `views` and `export` hand the
log to those who may read it. `canonical`, `item` and the package `tlog` are what a verifier needs, with nothing but
the standard library and, for signatures, `cryptography`.
"""
