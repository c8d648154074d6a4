"""Missent: finds mail that went to a lookalike of the domain its sender meant, from mail-server logs alone.

What the commands do is also there as functions: the stages in `forensics.pipeline` (`run`, `ingest`, `detect`,
`report`), everything around them in `forensics.workbench` (`verify`, `sql`, `explain`, `demo` …). What they return is
in `forensics.results`, what they raise in `forensics.errors`. Every other module may change without notice.
"""

__all__ = ["errors", "pipeline", "results", "workbench"]
