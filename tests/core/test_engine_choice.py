"""Which engine plans: every rule, and every way in which none may."""

from __future__ import annotations

import pytest

from driftctl_py.core.engine_choice import Candidate, Hints, choose
from driftctl_py.core.environment import EngineChoice
from driftctl_py.errors import EngineMissing

TERRAFORM = Candidate("terraform", "1.11.4", "/bin/terraform")
TOFU = Candidate("tofu", "1.10.5", "/bin/tofu")
EMBEDDED = Candidate("terraform", "1.15.5", "/venv/bin/driftctl-py-terraform", "embedded")
CONFIGURED = Candidate("tofu", "1.9.0", "/tools/tofu", "configured")
AUTO = EngineChoice()
NO_HINTS = Hints()
TOFU_LOCK = 'provider "registry.opentofu.org/hashicorp/aws" {\n}\n'
TERRAFORM_LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n}\n'


@pytest.mark.parametrize(
    ("choice", "hints", "remembered", "expected", "why"),
    [
        ("tofu", NO_HINTS, None, TOFU, "driftctl.yaml says so"),
        ("terraform", NO_HINTS, "tofu", TERRAFORM, "driftctl.yaml says so"),
        ("embedded", NO_HINTS, None, EMBEDDED, "driftctl.yaml says so"),
        ("/tools/tofu", NO_HINTS, None, CONFIGURED, "driftctl.yaml names the program"),
        ("auto", Hints(lock_file=TOFU_LOCK), None, TOFU, ".terraform.lock.hcl says so"),
        ("auto", Hints(lock_file=TERRAFORM_LOCK), "tofu", TERRAFORM, ".terraform.lock.hcl says so"),
        ("auto", Hints(opentofu_version="latest\n"), None, TOFU, ".opentofu-version says so"),
        ("auto", Hints(terraform_version="1.11.4"), None, TERRAFORM, ".terraform-version says so"),
        ("auto", NO_HINTS, "tofu", TOFU, "it planned this environment before"),
        (
            "auto",
            Hints(required_versions=(">= 1.11",)),
            None,
            TERRAFORM,
            "the only engine found (PATH)",
        ),
        ("auto", Hints(terraform_version="v1.15.5"), None, EMBEDDED, ".terraform-version says so"),
    ],
)
def test_the_order_of_what_decides(
    choice: str, hints: Hints, remembered: str | None, expected: Candidate, why: str
) -> None:
    everything = (TOFU, TERRAFORM, CONFIGURED, EMBEDDED)
    here = tuple(item for item in everything if choice != "auto" or item.origin != "configured")

    chosen = choose(EngineChoice(choice), hints, here, remembered=remembered)

    assert (chosen.candidate, chosen.why) == (expected, why)


def test_what_is_on_path_goes_before_the_embedded_one() -> None:
    assert choose(AUTO, NO_HINTS, (TERRAFORM, EMBEDDED)).candidate == TERRAFORM
    assert choose(AUTO, NO_HINTS, (EMBEDDED,)).candidate == EMBEDDED


@pytest.mark.parametrize(
    ("choice", "hints", "candidates", "message"),
    [
        (AUTO, NO_HINTS, (TOFU, TERRAFORM), "are both installed and nothing says"),
        (AUTO, NO_HINTS, (), "No engine was found"),
        (
            AUTO,
            Hints(lock_file=TOFU_LOCK),
            (TERRAFORM,),
            r"OpenTofu is needed \(.terraform.lock.hcl",
        ),
        (
            AUTO,
            Hints(lock_file=TOFU_LOCK, terraform_version="1.11.4"),
            (TERRAFORM, TOFU),
            "files disagree: .terraform.lock.hcl says OpenTofu but .terraform-version says",
        ),
        (EngineChoice("embedded"), NO_HINTS, (TERRAFORM,), "embedded Terraform is not installed"),
        (EngineChoice("/no/tofu"), NO_HINTS, (TERRAFORM,), "/no/tofu is not there"),
        (AUTO, NO_HINTS, (Candidate("terraform", "1.4.6", "/t"),), "too old.*1.5.0 is the oldest"),
        (EngineChoice("tofu", ">= 1.11"), NO_HINTS, (TOFU,), "asks for >= 1.11, but /bin/tofu is"),
        (AUTO, Hints(terraform_version="1.9.8"), (TERRAFORM,), ".terraform-version asks for 1.9.8"),
        (AUTO, Hints(opentofu_version="1.9.0"), (TOFU,), ".opentofu-version asks for 1.9.0"),
        (
            AUTO,
            Hints(required_versions=("~> 1.12",)),
            (TERRAFORM,),
            "required_version asks for ~> 1.12",
        ),
    ],
)
def test_where_none_may_plan_it_says_why(
    choice: EngineChoice, hints: Hints, candidates: tuple[Candidate, ...], message: str
) -> None:
    with pytest.raises(EngineMissing, match=message) as raised:
        choose(choice, hints, candidates)

    assert raised.value.todo


def test_a_constraint_that_nobody_understands_is_left_to_the_engine() -> None:
    chosen = choose(AUTO, Hints(required_versions=("latest",)), (TERRAFORM,))

    assert chosen.candidate == TERRAFORM


def test_opentofu_evaluates_early_since_1_8() -> None:
    assert TOFU.evaluates_early
    assert not Candidate("tofu", "1.6.3", "/t").evaluates_early
    assert not TERRAFORM.evaluates_early
