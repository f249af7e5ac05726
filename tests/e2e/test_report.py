"""Jobs that leave results, one that is killed, and the job that reports: real engines and files."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from tests.e2e.support import SERVER, Ran, Site, wait_until, with_folder_cloud

pytestmark = pytest.mark.engine

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "results.schema.json").read_text())
REGISTRY: Any = Registry().with_resource(
    "result.schema.json",
    Resource.from_contents(json.loads((DOCS / "result.schema.json").read_text())),
)
MODULE = """\
variable "cloud" { type = string }
module "web" {
  source = "../../modules/web"
  cloud  = var.cloud
}
"""


def in_actions(site: Site, event: str = "schedule", payload: object = None) -> None:
    """As GitHub's runner sets it."""
    place = site.root / "runner"
    place.mkdir(exist_ok=True)
    (place / "event.json").write_text(json.dumps(payload or {}))
    site.environ.update(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_REPOSITORY": "example/infra",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "9000000001",
            "GITHUB_RUN_NUMBER": "41",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": site.git("rev-parse", "HEAD"),
            "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
            "GITHUB_WORKFLOW": "Drift",
        }
    )


def outputs(site: Site) -> dict[str, str]:
    """The outputs of the step, read as the runner reads them."""
    lines = Path(site.environ["GITHUB_OUTPUT"]).read_text().splitlines()
    found = {}
    while lines:
        name, _, end = lines.pop(0).partition("<<")
        at = lines.index(end)
        found[name] = "\n".join(lines[:at])
        del lines[: at + 1]
    return found


def ok(ran: Ran, code: int = 0) -> Ran:
    assert ran.code == code, ran.out + ran.err
    return ran


def test_one_drifts_and_one_job_dies(s3_site: Site) -> None:
    site = s3_site
    cloud = with_folder_cloud(site)
    site.write("modules/web/main.tf", SERVER)
    site.environment("prod", MODULE)
    site.environment("dev")
    site.configure()
    site.commit()
    site.apply("prod")
    server = cloud / "server-web.json"
    server.write_text(json.dumps(json.loads(server.read_text()) | {"cpus": 64}))
    in_actions(site)
    results, matrix = site.root / "results", site.root / "matrix.json"
    ok(site.main("matrix", "--output", str(matrix)))

    looked = ok(site.main("check", "prod", "--results", str(results / "job-0")), 2)
    # An engine that never answers, and a runner that ends the job.
    site.program("terraform", "#!/bin/sh\nexec sleep 600\n")
    site.configure(engine=str(site.root / "programs" / "terraform"))
    job = site.start("check", "dev", "--results", str(results / "job-1"))
    assert wait_until(lambda: (results / "job-1").is_dir())
    job.send_signal(signal.SIGKILL)
    job.communicate()
    report = ("report", str(results), "--expect", str(matrix))
    text = ok(site.main(*report, "--publish", "summary"), 1)
    document = ok(site.main(*report, "--format", "json"), 1).json
    sarif = ok(site.main(*report, "--format", "sarif"), 1).json
    junit = ok(site.main(*report, "--format", "junit"), 1).out
    markdown = ok(site.main(*report, "--format", "markdown"), 1).out

    assert "prod" in looked.out
    jsonschema.Draft202012Validator(SCHEMA, registry=REGISTRY).validate(document)
    (prod,) = document["results"]
    (item,) = prod["items"]
    assert document["missing"] == ["dev"]
    assert prod["status"] == "drifted"
    assert prod["job"]["run"] == "9000000001"
    assert item["address"] == "module.web.folder_server.web"
    assert item["cause"] == "drift"
    assert (item["file"], item["line"]) == ("modules/web/main.tf", 8)
    assert any("64" in line for line in item["lines"])
    assert "dev: failed: its job left no result" in text.out
    assert "module.web.folder_server.web" in text.out
    assert "no result that can be read of: dev" in text.err
    assert {each["ruleId"] for each in sarif["runs"][0]["results"]} == {"drift", "no-result"}
    assert "modules/web/main.tf" in json.dumps(sarif)
    assert 'errors="1"' in junit
    assert "module.web.folder_server.web" in markdown
    summary = Path(site.environ["GITHUB_STEP_SUMMARY"]).read_text()
    assert summary == markdown
    assert outputs(site)["status"] == "failed"
    assert outputs(site)["drifted_environments"] == '["prod"]'
    assert outputs(site)["failed_environments"] == '["dev"]'


def test_a_review_says_in_its_result_who_must_say_yes(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod", "# Nothing yet.\n")
    asks = {"apply": {"git": "gate"}, "approval": {"groups": ["owners"]}}
    site.configure(defaults=asks, people={"ada": ["github:ada"]}, groups={"owners": ["ada"]})
    base = site.commit()
    site.git("switch", "--quiet", "--create", "first")
    site.environment("prod")
    head = site.commit()
    pull = {
        "number": 7,
        "state": "open",
        "head": {"sha": head, "repo": {"full_name": "example/infra"}},
        "base": {"sha": base, "repo": {"full_name": "example/infra"}},
    }
    in_actions(site, "pull_request", {"pull_request": pull})
    results = site.root / "results"

    ok(site.main("review", "--base", "main", "--results", str(results)), 2)
    report = ok(site.main("report", str(results), "--format", "json"), 2)
    easy = ok(site.main("report", str(results), "--fail-on", "failed"), 0)

    (prod,) = report.json["results"]
    assert prod["occasion"] == "review"
    assert prod["gate"]["standing"] == "held"
    assert "owners (ada)" in prod["gate"]["needs"]
    assert prod["gate"]["lines"] == ["approve by apply.git: gate: terraform_data.one (create)."]
    (item,) = prod["items"]
    assert (item["action"], item["cause"], item["destroys"]) == ("create", "commit", False)
    assert (item["file"], item["line"]) == ("environments/prod/main.tf", 1)
    assert prod["fingerprint"]
    assert prod["state"] == "reviewed"
    assert report.json["job"]["pull"] == 7
    assert "terraform_data.one" in easy.out


def test_a_command_that_fails_at_once_leaves_that_it_did(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("prod")
    site.configure()
    site.commit()
    in_actions(site)
    results = site.root / "results"
    site.write("driftctl.yaml", "environments: [")

    ok(site.main("check", "prod", "--results", str(results)), 1)
    ok(site.main("apply", "prod", "--results", str(results)), 1)
    report = ok(site.main("report", str(results), "--format", "json"), 1)

    (prod,) = report.json["results"]
    assert prod["status"] == "failed"
    assert "driftctl.yaml" in prod["reason"]


def test_what_is_applied_is_in_its_result(s3_site: Site) -> None:
    site = s3_site
    site.environment("prod")
    site.configure(defaults={"apply": {"git": "auto"}})
    site.commit()
    # In the work tree, which is not to become dirty by it.
    results = site.repo / "results"

    ok(site.main("plan", "prod", "--results", "results/plan"), 2)
    ok(site.main("apply", "prod", "--results", "results/apply"))
    planned = ok(site.main("report", str(results / "plan"), "--format", "json"), 2)
    applied = ok(site.main("report", str(results / "apply"), "--format", "json"))

    (before,), (after,) = planned.json["results"], applied.json["results"]
    assert (before["occasion"], before["state"], before["status"]) == (
        "review",
        "allowed",
        "pending",
    )
    assert (after["occasion"], after["state"], after["status"]) == ("apply", "applied", "in sync")
    assert before["fingerprint"] == after["fingerprint"]
    assert after["items"][0]["address"] == "terraform_data.one"
    assert after["notes"][-1] == "1 applied"
    assert after["job"]["run"] == ""
