"""`driftctl-py init --github`: workflows for a user's repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from driftctl_py.cli.main import main

EVERYTHING = {
    ".github/workflows/apply.yml",
    ".github/workflows/command.yml",
    ".github/workflows/drift.yml",
    ".github/workflows/plan.yml",
    ".github/actions/driftctl/action.yml",
    ".github/actions/driftctl/install.sh",
    ".github/actions/driftctl/run.sh",
}


TERRAFORM = ("init", "--github", "--engine", "terraform")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "infra"
    (root / "live" / "prod").mkdir(parents=True)
    (root / "live" / "prod" / "main.tf").write_text('resource "terraform_data" "one" {}\n')
    (root / "live" / "driftctl.yaml").write_text("version: 1\nenvironments: [live/*]\n")
    subprocess.run(["git", "init", "-q", "-b", "trunk"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    who = ["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *who, "commit", "-qm", "Begin"], cwd=root, check=True)
    monkeypatch.chdir(root / "live")
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "data"))
    return root


def written(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in (root / ".github").rglob("*") if path.is_file()}


def test_workflows_fit_the_repository_they_are_written_for(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["init", "--github", "--engine", "opentofu", "--engine-version", "1.10.6"])

    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert written(repository) == EVERYTHING
    assert "opentofu 1.10.6, on pushes to trunk" in said.out
    action = yaml.safe_load((repository / ".github/actions/driftctl/action.yml").read_text())
    assert action["inputs"]["config"]["default"] == "live/driftctl.yaml"
    assert action["inputs"]["engine"]["default"] == "opentofu"
    assert action["inputs"]["engine-version"]["default"] == "1.10.6"
    assert action["inputs"]["install"]["default"].startswith("driftctl-py==")
    apply = yaml.safe_load((repository / ".github/workflows/apply.yml").read_text())
    # YAML 1.1 reads the key `on` as true.
    assert apply[True]["push"]["branches"] == ["trunk"]


def test_writing_them_twice_changes_nothing_and_nothing_of_anybodys_is_overwritten(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TERRAFORM]) == 0
    capsys.readouterr()
    assert main([*TERRAFORM]) == 0
    again = capsys.readouterr().out
    assert "wrote" not in again
    assert again.count(" is there already, just as it would be written\n") == len(EVERYTHING)
    plan = repository / ".github" / "workflows" / "plan.yml"
    plan.write_text("name: Mine\n")
    (repository / ".github" / "workflows" / "drift.yml").unlink()

    code = main([*TERRAFORM])

    assert code == 1
    assert ".github/workflows/plan.yml: there already" in capsys.readouterr().err
    assert plan.read_text() == "name: Mine\n"
    assert written(repository) == EVERYTHING - {".github/workflows/drift.yml"}


def test_they_can_be_read_before_they_are_written(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*TERRAFORM, "--stdout"])

    out = capsys.readouterr().out
    assert code == 0
    assert all(f"# {name}\n" in out for name in EVERYTHING)
    assert not (repository / ".github").exists()


def test_without_a_configuration_there_is_nothing_to_write_them_for(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "live" / "driftctl.yaml").unlink()

    assert main([*TERRAFORM]) == 1
    assert "driftctl-py init" in capsys.readouterr().err


def engines(at: Path, *names: str) -> str:
    """A PATH on which just these are installed, beside what Git needs."""
    at.mkdir()
    for name in names:
        word = "tofu" if name == "tofu" else "terraform"
        program = at / name
        program.write_text(f'#!/bin/sh\necho \'{{"{word}":"1.9.4","type":"version"}}\'\n')
        program.chmod(0o755)
    return f"{at}:/usr/bin:/bin"


@pytest.mark.parametrize(("name", "family"), [("tofu", "opentofu"), ("terraform", "terraform")])
def test_the_engine_that_is_installed_here_is_the_one_of_the_jobs(
    repository: Path, name: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", engines(tmp_path / "bin", name))

    assert main(["init", "--github", "--install", "git+https://example.com/x"]) == 0

    action = yaml.safe_load((repository / ".github/actions/driftctl/action.yml").read_text())
    assert action["inputs"]["engine"]["default"] == family
    assert action["inputs"]["engine-version"]["default"] == "1.9.4"
    assert action["inputs"]["install"]["default"] == "git+https://example.com/x"


def test_which_of_two_engines_is_meant_is_not_guessed(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", engines(tmp_path / "bin", "tofu", "terraform"))

    assert main(["init", "--github"]) == 1
    assert "--engine terraform" in capsys.readouterr().err
    assert not (repository / ".github").exists()
