"""The report over many results as one JSON document, for programs.

Its shape is a promise (``schema_version``), written down in ``docs/results.schema.json``: the
results are in it as jobs wrote them.
"""

from __future__ import annotations

from collections import Counter

from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Results
from driftctl_py.core.result_json import job_object, result_object
from driftctl_py.report.json_values import document_text

SCHEMA_VERSION = 1


def render_results_json(results: Results) -> str:
    """One document, indented, ending in a newline."""
    counts = Counter(each.verdict for each in results.results)
    summary = {verdict.value: counts[verdict] for verdict in Verdict}
    lost = {"missing": len(results.missing), "unreadable": len(results.unreadable)}
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "results",
            "exit_code": results.exit_code,
            "summary": summary | lost,
            "job": job_object(results.job),
            "results": [result_object(each) for each in results.results],
            "missing": list(results.missing),
            "unreadable": list(results.unreadable),
        }
    )
