"""What the service does beside its requests, each kind of it by a piece of work like any other.

A kind is a name and one function (`kinds.py` lists them all); `worker.py` hands it what is due. To add one, write its
function in a module named after its subject and put its `Kind` into `KINDS`; enqueue it with `db.job.queue.Queue.add` in
the transaction that makes it necessary, or say `every` for one that comes round by itself.
"""
