"""The other process of `typesetting`: a template and a folder as arguments, JSON in, a PDF out. Needs only Typst."""

import sys

import typst

if __name__ == "__main__":
    made = typst.compile(sys.argv[1], root=sys.argv[2], sys_inputs={"data": sys.stdin.read()})
    sys.stdout.buffer.write(made)
