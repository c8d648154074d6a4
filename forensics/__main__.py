"""The command, as the installed script and `python -m forensics` start it.

Nothing is imported before somebody listens for Ctrl-C, which is told as elsewhere while modules are still loaded.
"""


def start() -> None:
    """The command `missent`. Ends the process."""
    try:
        from forensics.cli import start as begin

        begin()
    except KeyboardInterrupt:
        import sys

        print("missent: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    start()
