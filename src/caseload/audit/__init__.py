"""The log of everything anyone does or sees: it can be appended to, read and proved, and nothing else.

`journal` collects what one piece of work saw and did, `leaf` turns that into the bytes that are hashed,
`commitment` hides the clients behind salted commitments, `keys` keeps a key per client, `trail` is the way to
append, `batcher` makes the entries of reads durable together, `reading` and `export` hand the log to those who
may read it. `canonical`, `merkle`, `item` and nothing beyond the standard library is what a verifier needs.
"""
