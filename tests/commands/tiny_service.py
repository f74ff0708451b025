"""`caseload serve`, over the tiny application: run as a program by the tests that start and kill real processes."""

from caseload.commands.serve import run
from caseload.observability import configure
from caseload.settings import load

if __name__ == "__main__":
    settings = load()
    configure(settings)
    run(settings, app="tests.commands.tiny_app:create_app", demo=False)
