"""A clinic with made-up people in it, deterministic by seed, so that whoever looks at caseload sees it at work.

`cast` says who there is, `stories` what happens to whom, and `telling` lets it happen: day by day, through the
domain's own functions with that day's clock, so that the demo can never hold what the rules forbid. `filling` puts
the whole together. Nobody in it exists, and no real person's data is in it.
"""
