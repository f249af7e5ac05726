from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import Assessment, Finding, Origin, assess
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.risk import Risk, risk_of, stateful
from tests.data import plans


def finding(address: str, kind: Kind, **more: Any) -> Finding:
    facts: dict[str, Any] = {"origin": Origin.PENDING, "drifted": False, "pending": True}
    return Finding(address, kind, **facts | more)


def risk(*findings: Finding, managed: int = 10) -> Risk:
    return risk_of(Assessment(findings=findings, managed=managed))


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("aws_db_instance.main", "database"),
        ('module.data["a.b"].aws_rds_cluster.it[0]', "database"),
        ("aws_dynamodb_table.locks", "table"),
        ("aws_s3_bucket.assets", "bucket"),
        ("aws_ebs_volume.data", "volume"),
        ("aws_kms_key.main", "key"),
        ("aws_secretsmanager_secret.api", "secret"),
        ("aws_ssm_parameter.flag", "parameter"),
        ("aws_sqs_queue.jobs", "queue"),
        ("aws_kinesis_stream.events", "stream"),
        ("aws_ecr_repository.web", "registry"),
        ("aws_cognito_user_pool.customers", "users"),
        ("aws_route53_zone.example", "zone"),
        ("aws_cloudwatch_log_group.web", "logs"),
        ("google_sql_database_instance.main", "database"),
        ("google_storage_bucket.assets", "bucket"),
        ("google_kms_crypto_key.main", "key"),
        ("azurerm_mssql_database.main", "database"),
        ("azurerm_storage_account.main", "bucket"),
        ("azurerm_key_vault.main", "key"),
        ("azurerm_resource_group.main", "everything in it"),
        ("kubernetes_persistent_volume_claim_v1.data", "volume"),
        ("kubernetes_namespace.web", "everything in it"),
        ("tfe_workspace.prod", "state"),
        ("folder_bucket.assets", "bucket"),
        ("folder_secret.database", "secret"),
        # Of a provider that nobody here has heard of.
        ("acme_bucket.assets", "bucket"),
        ("acme_managed_database.main", "database"),
    ],
)
def test_what_holds_data_or_keys_is_known_by_its_type(address: str, held: str) -> None:
    assert stateful(address) == held


@pytest.mark.parametrize(
    "address",
    [
        "aws_instance.web",
        "folder_server.web",
        "terraform_data.it",
        # They refer to one, and hold nothing.
        "aws_s3_bucket_policy.assets",
        "google_compute_backend_bucket.cdn",
        "aws_athena_database.logs",
        "aws_datasync_location_fsx_ontap_file_system.it",
        # Reading one takes nothing from it.
        "data.aws_s3_bucket.assets",
        "ephemeral.aws_secretsmanager_secret_version.it",
        "bucket.it",
        "not an address",
        "",
    ],
)
def test_what_can_be_made_again_is_not_marked(address: str) -> None:
    assert stateful(address) == ""


def test_what_goes_is_counted_by_how_it_goes() -> None:
    found = risk(
        finding("a.one", Kind.DELETE),
        finding("a.one", Kind.DELETE, deposed="8f1c2b3d"),
        finding("a.two", Kind.REPLACE),
        finding("a.three", Kind.REPLACE_CREATE_FIRST),
        finding("a.four", Kind.FORGET),
        finding("a.five", Kind.FORGET_THEN_CREATE),
        finding("a.six", Kind.UPDATE),
    )

    assert (found.destroyed, found.replaced, found.forgotten) == (2, 2, 2)


@pytest.mark.parametrize("kind", Kind)
def test_what_holds_data_is_named_where_it_may_be_lost(kind: Kind) -> None:
    bucket = finding("aws_s3_bucket.assets", kind)

    named = bool(risk(bucket, finding("aws_instance.web", kind)).stateful)

    harmless = {Kind.NO_OP, Kind.CREATE, Kind.UPDATE, Kind.READ}
    assert named == (kind not in harmless)
    assert risk(bucket).stateful == (bucket,) * named


def test_apply_touches_what_is_another_afterwards_and_no_more() -> None:
    found = risk(
        finding("a.created", Kind.CREATE),
        finding("a.changed", Kind.UPDATE),
        finding("a.forgotten", Kind.FORGET),
        finding("a.unheard_of", Kind.UNKNOWN),
        finding("a.moved", Kind.NO_OP, previous_address="a.was"),
        finding("a.imported", Kind.NO_OP, imported=True),
        finding("a.drifted", Kind.NO_OP, drifted=True),
        finding("data.a.unheard_of", Kind.UNKNOWN),
        finding("unheard of", Kind.UNKNOWN),
    )

    assert found.touched == 5
    assert found.share == 0.5


def test_an_environment_without_objects_has_no_share() -> None:
    assert risk(managed=0).share is None
    assert risk().share == 0.0


@given(st.integers(0, 20), st.integers(1, 20))
def test_a_share_is_never_more_than_all(touched: int, managed: int) -> None:
    # Deposed objects are touched, and not counted among the managed ones.
    found = risk(*(finding(f"a.b[{n}]", Kind.DELETE) for n in range(touched)), managed=managed)

    assert found.share == min(1.0, touched / managed)


def test_the_risk_of_a_real_plan() -> None:
    found = risk_of(assess(decode_plan(plans.of("replace_create_first"))))

    assert (found.destroyed, found.replaced, found.forgotten) == (0, 1, 0)
    assert found.touched >= 1
    assert found.managed >= found.touched
