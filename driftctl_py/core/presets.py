"""Rules that most would write alike, by name.

A preset is an ordinary rule and nothing else: `driftctl-py config show` writes it out as one. Where
it is used, a rule takes its place that may ask other people, or speak of fewer environments. So
what one says never gets looser from one version to the next without a word in the changelog.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from driftctl_py.core.rule import Effect, Rule

_ALL: Final = (
    Rule(
        "protect-stateful",
        Effect.DENY,
        "It holds data or keys that the code cannot make again.",
        actions=("delete", "replace", "forget"),
        holds_data=True,
    ),
    Rule(
        "no-destroy-without-approval",
        Effect.APPROVE,
        "Something would be destroyed.",
        actions=("delete", "replace"),
    ),
    Rule(
        "access-needs-approval",
        Effect.APPROVE,
        "It says who may do what.",
        types=(
            "aws_iam_*",
            "aws_identitystore_*",
            "aws_ssoadmin_*",
            "aws_organizations_policy*",
            "aws_*_access_point_policy",
            "aws_*_bus_policy",
            "aws_*_domain_policy",
            "aws_*_identity_policy",
            "aws_*_permissions_policy",
            "aws_*_public_access_block",
            "aws_*_resource_policy",
            "aws_*_rest_api_policy",
            "aws_*_vault_policy",
            "aws_ecr_*repository_policy",
            "aws_efs_file_system_policy",
            "aws_eks_access_*",
            "aws_kms_grant",
            "aws_kms_key_policy",
            "aws_lakeformation_permissions",
            "aws_lambda_permission",
            "aws_ram_*",
            "aws_s3*bucket_policy",
            "aws_secretsmanager_secret_policy",
            "aws_sns_topic_policy",
            "aws_sqs_queue_policy",
            "aws_vpc_endpoint_policy",
            "azuread_*",
            "azurerm_*_access_policy",
            "azurerm_federated_identity_credential",
            "azurerm_role_*",
            "google_*_iam_*",
            "kubernetes_*role*",
        ),
    ),
    Rule(
        "heal-tags",
        Effect.ALLOW,
        "Only tags that somebody changed by hand are put back.",
        actions=("update",),
        causes=("drift",),
        # What providers work out of them changes with them.
        attributes=("tags", "tags_all", "labels", "effective_labels", "terraform_labels"),
    ),
)

PRESETS: Final[Mapping[str, Rule]] = {rule.name: rule for rule in _ALL}
