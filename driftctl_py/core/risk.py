"""What could go wrong for good: what is destroyed, what of it holds data, how far it reaches.

A hint for a reader, worded by ``report``; what is allowed is for policy and gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftctl_py.core.address import parse_address
from driftctl_py.core.assessment import Assessment, Finding
from driftctl_py.core.plan import Kind


@dataclass(frozen=True, slots=True)
class Risk:
    """Counts of objects. ``stateful`` are the findings that destroy or forget something that
    holds data or keys. ``touched`` of ``managed`` objects are not the same after apply."""

    destroyed: int = 0
    replaced: int = 0
    forgotten: int = 0
    stateful: tuple[Finding, ...] = ()
    touched: int = 0
    managed: int = 0

    @property
    def share(self) -> float | None:
        """Of the environment that apply touches, 0 to 1; None for an environment without
        objects."""
        return min(1.0, self.touched / self.managed) if self.managed else None


def stateful(address: str) -> str:
    """What an object at that address holds that cannot be made again, in a word (``database``,
    ``bucket``, ``volume``, ``key``, …); empty when its type is not known to hold anything.

    The code can make the object again, but not what others put into it since, nor a key that
    something was encrypted with, nor an identity that others know it by. The types of the AWS
    provider (5.100) and of azurerm (4) were gone through with that question, the rest was taken
    from what is known of other providers that are often used. Not listed are: what only refers to
    data (an Athena database, a snapshot policy), what the code itself has the content of (an object
    in a bucket, a config map), and servers, whose disks are listed instead. A type that is missing
    makes a destroy look less grave and hides nothing: the destroy itself is always shown.
    """
    found = parse_address(address)
    if found is None or found.mode != "managed":
        return ""
    known = _WORDS.get(found.type)
    if known is not None:
        return known
    return next((word for end, word in _ENDINGS.items() if found.type.endswith(end)), "")


def risk_of(assessment: Assessment) -> Risk:
    """Of everything that apply would do. What it does with an object in a way that this version
    does not know may destroy it."""
    findings = assessment.findings
    return Risk(
        destroyed=sum(each.kind is Kind.DELETE for each in findings),
        replaced=sum(each.kind.replaces for each in findings),
        forgotten=sum(each.kind.forgets for each in findings),
        stateful=tuple(
            each
            for each in findings
            if (each.kind.destroys or each.kind.forgets or each.kind is Kind.UNKNOWN)
            and stateful(each.address)
        ),
        touched=sum(_touches(each) for each in findings),
        managed=assessment.managed,
    )


def _touches(finding: Finding) -> bool:
    if finding.kind is not Kind.UNKNOWN:
        return finding.kind is not Kind.NO_OP
    # The one finding that may be about what is not managed: a read of a kind unheard of.
    found = parse_address(finding.address)
    return found is None or found.mode == "managed"


# By what they hold, one provider after the other; what the endings below tell is not repeated.
_HOLD = {
    "database": (
        "aws_rds_cluster aws_rds_cluster_instance aws_rds_global_cluster aws_rds_shard_group"
        " aws_docdb_cluster aws_docdb_global_cluster aws_docdbelastic_cluster aws_dsql_cluster"
        " aws_neptune_cluster aws_neptune_global_cluster aws_neptunegraph_graph"
        " aws_redshift_cluster aws_redshiftserverless_namespace aws_memorydb_cluster"
        " aws_memorydb_multi_region_cluster aws_keyspaces_keyspace aws_simpledb_domain"
        " aws_qldb_ledger google_spanner_instance google_bigtable_instance"
        " google_alloydb_cluster google_alloydb_instance google_bigquery_dataset"
        " azurerm_mssql_server azurerm_mssql_managed_instance azurerm_sql_server"
        " azurerm_sql_managed_instance azurerm_mysql_server azurerm_mysql_flexible_server"
        " azurerm_postgresql_server azurerm_mariadb_server azurerm_postgresql_flexible_server"
        " azurerm_cosmosdb_account azurerm_mongo_cluster azurerm_cosmosdb_postgresql_cluster"
        " azurerm_cosmosdb_cassandra_cluster azurerm_cosmosdb_cassandra_keyspace"
        " azurerm_kusto_cluster azurerm_synapse_workspace azurerm_synapse_sql_pool"
        " azurerm_confidential_ledger azurerm_elastic_san linode_database_mysql_v2"
        " linode_database_postgresql_v2 scaleway_rdb_instance scaleway_mongodb_instance"
        " oci_database_db_system oci_mysql_mysql_db_system oci_psql_db_system"
        " alicloud_polardb_cluster yandex_mdb_postgresql_cluster yandex_mdb_mysql_cluster"
        " mongodbatlas_cluster mongodbatlas_advanced_cluster mongodbatlas_flex_cluster"
        " cockroach_cluster neon_project aiven_pg aiven_mysql aiven_clickhouse aiven_cassandra"
        " aiven_valkey ec_deployment clickhouse_service"
    ),
    "table": (
        "aws_dynamodb_table aws_dynamodb_global_table aws_keyspaces_table"
        " aws_timestreamwrite_table aws_s3tables_table google_bigtable_table"
        " google_bigquery_table azurerm_storage_table azurerm_cosmosdb_table"
        " azurerm_cosmosdb_sql_container azurerm_cosmosdb_mongo_collection"
        " azurerm_cosmosdb_gremlin_graph azurerm_cosmosdb_cassandra_table"
        " azurerm_log_analytics_workspace_table_custom_log oci_nosql_table snowflake_table"
        " databricks_sql_table cloudflare_workers_kv_namespace aws_cloudfront_key_value_store"
    ),
    "bucket": (
        "aws_glacier_vault aws_media_store_container azurerm_storage_account"
        " azurerm_storage_container azurerm_storage_data_lake_gen2_filesystem"
        " openstack_objectstorage_container_v1"
    ),
    "volume": (
        "aws_ebs_volume aws_lightsail_disk aws_finspace_kx_volume"
        " aws_storagegateway_cached_iscsi_volume aws_storagegateway_stored_iscsi_volume"
        " aws_storagegateway_tape_pool aws_fsx_file_cache aws_fsx_ontap_storage_virtual_machine"
        " aws_workspaces_workspace aws_sagemaker_notebook_instance aws_sagemaker_space"
        " google_compute_disk google_compute_region_disk google_filestore_instance"
        " google_netapp_volume google_netapp_storage_pool google_lustre_instance"
        " google_parallelstore_instance azurerm_managed_disk azurerm_storage_share"
        " azurerm_netapp_volume azurerm_netapp_pool azurerm_netapp_volume_group_sap_hana"
        " azurerm_netapp_volume_group_oracle azurerm_elastic_san_volume"
        " azurerm_elastic_san_volume_group azurerm_stack_hci_virtual_hard_disk"
        " kubernetes_persistent_volume kubernetes_persistent_volume_v1"
        " kubernetes_persistent_volume_claim_v1 hcloud_volume digitalocean_volume linode_volume"
        " vultr_block_storage docker_volume libvirt_volume openstack_blockstorage_volume_v3"
        " openstack_sharedfilesystem_share_v2 scaleway_block_volume scaleway_instance_volume"
        " vsphere_virtual_disk oci_core_volume oci_core_boot_volume alicloud_ecs_disk"
        " alicloud_disk ibm_is_volume yandex_compute_disk nomad_csi_volume"
        " nomad_dynamic_host_volume"
    ),
    "cache": (
        "aws_elasticache_cluster aws_elasticache_replication_group"
        " aws_elasticache_global_replication_group aws_elasticache_serverless_cache"
        " google_redis_instance google_redis_cluster google_memorystore_instance"
        " azurerm_redis_cache azurerm_redis_enterprise_cluster"
        " azurerm_redis_enterprise_database azurerm_managed_redis aiven_redis"
    ),
    "search index": (
        "aws_opensearch_domain aws_elasticsearch_domain aws_opensearchserverless_collection"
        " aws_cloudsearch_domain aws_bedrockagent_knowledge_base aws_kendra_index"
        " aws_rekognition_collection azurerm_search_service google_vertex_ai_index"
        " elasticstack_elasticsearch_index opensearch_index aiven_opensearch"
    ),
    "queue": (
        "aws_sqs_queue aws_mq_broker google_pubsub_subscription google_cloud_tasks_queue"
        " azurerm_servicebus_namespace azurerm_servicebus_queue azurerm_servicebus_subscription"
        " azurerm_storage_queue rabbitmq_queue cloudflare_queue"
    ),
    "stream": (
        "aws_kinesis_stream aws_kinesis_video_stream aws_msk_cluster"
        " aws_msk_serverless_cluster aws_cloudwatch_event_archive google_pubsub_topic"
        " google_pubsub_lite_topic google_managed_kafka_cluster google_managed_kafka_topic"
        " azurerm_eventhub azurerm_eventhub_namespace azurerm_servicebus_topic"
        " confluent_kafka_cluster confluent_kafka_topic kafka_topic aiven_kafka"
        " aiven_kafka_topic redpanda_topic"
    ),
    "logs": (
        "aws_cloudwatch_log_group aws_cloudwatch_log_stream aws_cloudtrail_event_data_store"
        " aws_securitylake_data_lake aws_prometheus_workspace"
        " google_logging_project_bucket_config google_logging_folder_bucket_config"
        " google_logging_organization_bucket_config azurerm_log_analytics_workspace"
        " azurerm_log_analytics_cluster azurerm_application_insights azurerm_monitor_workspace"
    ),
    "key": (
        "aws_kms_key aws_kms_external_key aws_kms_replica_key aws_kms_replica_external_key"
        " aws_kms_custom_key_store aws_cloudhsm_v2_cluster aws_cloudhsm_v2_hsm"
        " aws_paymentcryptography_key aws_iam_access_key aws_iam_virtual_mfa_device"
        " aws_iam_service_specific_credential google_kms_crypto_key"
        " google_kms_crypto_key_version google_service_account_key google_storage_hmac_key"
        " azurerm_key_vault azurerm_key_vault_key azurerm_key_vault_certificate"
        " azurerm_key_vault_managed_hardware_security_module"
        " azurerm_key_vault_managed_hardware_security_module_key azurerm_disk_encryption_set"
        " azurerm_dedicated_hardware_security_module tls_private_key"
        " vault_transit_secret_backend_key vault_mount oci_kms_vault oci_kms_key"
        " alicloud_kms_key ibm_kms_key yandex_kms_symmetric_key scaleway_key_manager_key"
    ),
    "certificate authority": (
        "aws_acmpca_certificate_authority google_privateca_ca_pool"
        " google_privateca_certificate_authority vault_pki_secret_backend_root_cert"
    ),
    "secret": (
        "aws_secretsmanager_secret aws_secretsmanager_secret_version"
        " google_secret_manager_secret google_secret_manager_secret_version"
        " google_secret_manager_regional_secret google_secret_manager_regional_secret_version"
        " azurerm_key_vault_secret kubernetes_secret kubernetes_secret_v1 random_password"
        " folder_secret vault_kv_secret vault_kv_secret_v2 vault_generic_secret"
        " oci_vault_secret scaleway_secret azuread_application_password"
        " azuread_service_principal_password"
    ),
    "parameter": ("aws_ssm_parameter google_parameter_manager_parameter azurerm_app_configuration"),
    "registry": (
        "aws_ecr_repository aws_ecrpublic_repository aws_codeartifact_domain"
        " aws_codeartifact_repository google_artifact_registry_repository"
        " google_container_registry azurerm_container_registry digitalocean_container_registry"
        " scaleway_registry_namespace"
    ),
    "repository": (
        "aws_codecommit_repository google_sourcerepo_repository github_repository"
        " gitlab_project azuredevops_git_repository bitbucket_repository gitea_repository"
    ),
    "snapshot": (
        "aws_db_snapshot aws_db_snapshot_copy aws_db_cluster_snapshot"
        " aws_rds_cluster_snapshot_copy aws_docdb_cluster_snapshot aws_neptune_cluster_snapshot"
        " aws_redshift_cluster_snapshot aws_redshiftserverless_snapshot aws_memorydb_snapshot"
        " aws_ebs_snapshot aws_ebs_snapshot_copy aws_ebs_snapshot_import"
        " aws_fsx_openzfs_snapshot aws_ami aws_ami_copy aws_ami_from_instance"
        " google_compute_snapshot google_compute_image google_compute_machine_image"
        " google_filestore_snapshot azurerm_snapshot azurerm_image"
        " azurerm_virtual_machine_restore_point azurerm_shared_image_version"
        " azurerm_netapp_snapshot hcloud_snapshot digitalocean_droplet_snapshot"
        " digitalocean_volume_snapshot"
    ),
    "backup": (
        "aws_backup_vault aws_backup_logically_air_gapped_vault aws_fsx_backup"
        " google_alloydb_backup google_filestore_backup google_netapp_backup"
        " google_netapp_backup_vault google_backup_dr_backup_vault"
        " azurerm_recovery_services_vault azurerm_data_protection_backup_vault"
        " azurerm_backup_protected_vm azurerm_backup_protected_file_share"
        " azurerm_postgresql_flexible_server_backup azurerm_netapp_backup_vault"
        " azurerm_oracle_autonomous_database_backup"
    ),
    "users": (
        "aws_cognito_identity_pool aws_directory_service_directory aws_identitystore_user"
        " aws_customerprofiles_domain aws_connect_instance google_identity_platform_tenant"
        " azurerm_aadb2c_directory azurerm_active_directory_domain_service keycloak_realm"
        " keycloak_user"
    ),
    "zone": (
        "aws_route53_zone aws_route53domains_domain aws_route53domains_registered_domain"
        " aws_service_discovery_public_dns_namespace"
        " aws_service_discovery_private_dns_namespace aws_lightsail_domain"
        " google_dns_managed_zone google_clouddomains_registration cloudflare_zone"
        " digitalocean_domain scaleway_domain_zone alicloud_alidns_domain powerdns_zone"
        " linode_domain"
    ),
    "state": ("tfe_workspace scalr_workspace spacelift_stack"),
    # It takes everything in it along, whether this plan knows of it or not.
    "everything in it": (
        "aws_cloudformation_stack aws_organizations_account google_project"
        " azurerm_resource_group azurerm_subscription kubernetes_namespace"
        " kubernetes_namespace_v1 azurerm_resource_group_template_deployment"
        " azurerm_databricks_workspace databricks_mws_workspaces oci_identity_compartment"
    ),
    "data": (
        "aws_grafana_workspace aws_sagemaker_domain aws_sagemaker_feature_group"
        " aws_sagemaker_mlflow_tracking_server aws_location_geofence_collection"
        " aws_verifiedpermissions_policy_store google_healthcare_dataset"
        " google_healthcare_fhir_store google_healthcare_dicom_store"
        " google_healthcare_hl7_v2_store google_vertex_ai_featurestore google_vertex_ai_dataset"
        " google_looker_instance google_dataproc_metastore_service azurerm_iothub"
        " azurerm_digital_twins_instance azurerm_healthcare_fhir_service"
        " azurerm_healthcare_dicom_service azurerm_machine_learning_workspace"
        " azurerm_dashboard_grafana azurerm_purview_account"
    ),
}

# What these are called by is safe to read in the types of any provider, but for a few that only
# refer to one.
_ENDINGS = {
    "_bucket": "bucket",
    "_database": "database",
    "_database_instance": "database",
    "_database_cluster": "database",
    "_db_instance": "database",
    "_db_cluster": "database",
    "_file_system": "volume",
    "_filesystem": "volume",
    "_persistent_volume_claim": "volume",
    "_user_pool": "users",
    "_dns_zone": "zone",
    "_hosted_zone": "zone",
}
_REFER_ONLY = (
    "aws_athena_database aws_glue_catalog_database aws_opsworks_rds_db_instance"
    " aws_datasync_location_fsx_lustre_file_system aws_datasync_location_fsx_ontap_file_system"
    " aws_datasync_location_fsx_openzfs_file_system aws_datasync_location_fsx_windows_file_system"
    " google_compute_backend_bucket google_project_usage_export_bucket"
    " azurerm_data_factory_linked_service_azure_sql_database azurerm_netapp_volume_bucket"
    " azurerm_data_share_dataset_kusto_database"
)

_WORDS = {kind: word for word, kinds in _HOLD.items() for kind in kinds.split()} | dict.fromkeys(
    _REFER_ONLY.split(), ""
)
