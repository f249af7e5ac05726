"""What the plans in this folder amount to, by eye.

By scenario its status, and each finding's origin and kind by address (the deposed one where both
are there, since it comes last).
"""

from __future__ import annotations

from driftctl_py.core.assessment import Origin, Status
from driftctl_py.core.plan import Kind

# Plans that an engine gave up on, and those that do not cover all (OpenTofu does not say so).
ERRORED = frozenset({"check_errs", "errored"})
PARTIAL = frozenset({"deferred", "targeted"})
# What only one of the engines at hand can do.
OF_ONE_ENGINE = frozenset({"action_invoked", "actions", "deferred"})

_CREATE = (Origin.PENDING, Kind.CREATE)
_UPDATE = (Origin.PENDING, Kind.UPDATE)
_DELETE = (Origin.PENDING, Kind.DELETE)
_REPLACE = (Origin.PENDING, Kind.REPLACE)
_FORGET = (Origin.PENDING, Kind.FORGET)
# Moved or imported, and otherwise left alone.
_TAKEN = (Origin.PENDING, Kind.NO_OP)

FINDINGS: dict[str, tuple[Status, dict[str, tuple[Origin, Kind]]]] = {
    "action_invoked": (Status.PENDING, {}),
    "actions": (Status.PENDING, {"lab_thing.new": _CREATE, "lab_thing.web": _UPDATE}),
    # The provider takes every null for {} or "" once the state is read back.
    "aws_clean": (Status.IN_SYNC, {}),
    "aws_estate": (
        Status.DRIFTED_AND_PENDING,
        {
            "aws_ebs_volume.data": _REPLACE,
            "aws_iam_policy.read": _UPDATE,
            "aws_iam_role.worker": _DELETE,
            "aws_s3_bucket.archive": _UPDATE,
            "aws_s3_bucket.assets": (Origin.DRIFT_REVERTED, Kind.UPDATE),
            "aws_security_group.web": (Origin.BOTH, Kind.UPDATE),
            "aws_ssm_parameter.flag": (Origin.DRIFT_REVERTED, Kind.CREATE),
            "aws_ssm_parameter.limits": _UPDATE,
            "aws_ssm_parameter.password": (Origin.DRIFT_REVERTED, Kind.UPDATE),
            "aws_ssm_parameter.volume": _CREATE,
        },
    ),
    "aws_write_only": (Status.PENDING, {"aws_ssm_parameter.password": _UPDATE}),
    "check_errs": (Status.IN_SYNC, {}),
    "checks": (
        Status.PENDING,
        {
            "folder_server.web": _REPLACE,
            'terraform_data.each["a"]': _CREATE,
            'terraform_data.each["b"]': _CREATE,
        },
    ),
    "data_unknown": (Status.PENDING, {"folder_server.web": _REPLACE}),
    "deferred": (Status.PENDING, {"folder_server.web": _REPLACE}),
    "deletions": (
        Status.PENDING,
        {
            "folder_server.counted[1]": _DELETE,
            "folder_server.counted[2]": _DELETE,
            "folder_server.gone": _DELETE,
            'folder_server.keyed["a"]': _DELETE,
            "folder_server.nowhere": _DELETE,
            "folder_server.repeated[0]": _DELETE,
            "folder_server.repeated[1]": _DELETE,
            'folder_server.repeated["x"]': _CREATE,
            "module.many[1].folder_server.this": _DELETE,
            "module.web.folder_server.this": _DELETE,
        },
    ),
    "deposed_and_changed": (
        Status.PENDING,
        {"folder_server.app": _DELETE, "folder_server.db": _DELETE, "folder_server.web": _DELETE},
    ),
    # What was edited outside goes like the rest: a plan of -destroy tells no drift.
    "destroy": (
        Status.PENDING,
        {
            "folder_bucket.assets": _DELETE,
            "folder_secret.database": _DELETE,
            "folder_server.web": _DELETE,
            "module.app.folder_server.this": _DELETE,
        },
    ),
    "empty": (Status.IN_SYNC, {}),
    "ephemeral": (Status.PENDING, {"lab_thing.new": _CREATE, "lab_thing.web": _UPDATE}),
    "equivalents": (Status.IN_SYNC, {}),
    "evil_addresses": (
        Status.PENDING,
        {
            r'terraform_data.each["\u001b[31mred"]': _CREATE,
            'terraform_data.each["[0]"]': _DELETE,
            'terraform_data.each["$${x}"]': _UPDATE,
            'terraform_data.each["</details>"]': _UPDATE,
            'terraform_data.each["@ada #1"]': _UPDATE,
            'terraform_data.each["`ticks`|pipe"]': _UPDATE,
            r'terraform_data.each["back\\slash"]': _UPDATE,
            'terraform_data.each["dots.and/slashes"]': _UPDATE,
            r'terraform_data.each["new\nline"]': _UPDATE,
            'terraform_data.each["plain"]': _UPDATE,
            'terraform_data.each["two words"]': _UPDATE,
            r'terraform_data.each["with \"quotes\""]': _UPDATE,
            'terraform_data.each["ключ"]': _UPDATE,
        },
    ),
    "forgets": (
        Status.PENDING,
        {
            "folder_bucket.assets": _FORGET,
            "folder_secret.database": _FORGET,
            "folder_server.destroyed": _DELETE,
            "folder_server.many[0]": _FORGET,
            "folder_server.many[1]": _FORGET,
            "module.web.folder_server.this": _FORGET,
        },
    ),
    "import_generated": (Status.PENDING, {"folder_bucket.found": _TAKEN}),
    "imports": (
        Status.PENDING,
        {
            "folder_bucket.changed": _UPDATE,
            "folder_bucket.same": _TAKEN,
            "folder_secret.database": _UPDATE,
            "folder_server.remade": _REPLACE,
        },
    ),
    "moves": (
        Status.PENDING,
        {
            "folder_bucket.files": _TAKEN,
            'folder_server.keyed["first"]': _TAKEN,
            "folder_server.many[0]": _TAKEN,
            "folder_server.many[1]": _CREATE,
            "folder_server.resized": _UPDATE,
            "folder_server.upgraded": _REPLACE,
            "module.web.folder_server.this": _TAKEN,
        },
    ),
    "outputs_of_every_kind": (Status.PENDING, {"folder_server.web": _REPLACE}),
    "provisioners": (
        Status.PENDING,
        {"folder_server.web": _REPLACE, "module.app.terraform_data.hello": _CREATE},
    ),
    "refresh_only_rich": (
        Status.DRIFTED_AND_PENDING,
        {
            "folder_bucket.assets": (Origin.DRIFT_TOLERATED, Kind.NO_OP),
            "folder_server.gone": (Origin.DRIFT_GONE, Kind.NO_OP),
            "folder_server.new": _TAKEN,
            "folder_server.web": (Origin.DRIFT_TOLERATED, Kind.NO_OP),
        },
    ),
    "replaces": (
        Status.PENDING,
        {
            "folder_bucket.triggered": _REPLACE,
            "folder_server.both": _REPLACE,
            "folder_server.follows": _REPLACE,
            "folder_server.other_image": _REPLACE,
            "folder_server.requested": _REPLACE,
            "folder_server.tainted": _REPLACE,
            "folder_server.tainted_first": (Origin.PENDING, Kind.REPLACE_CREATE_FIRST),
            "terraform_data.trigger": _REPLACE,
        },
    ),
    "rich": (
        Status.DRIFTED_AND_PENDING,
        {
            "folder_bucket.assets": (Origin.DRIFT_REVERTED, Kind.UPDATE),
            "folder_bucket.attic": _TAKEN,
            "folder_bucket.backups": _UPDATE,
            "folder_bucket.exports": (Origin.DRIFT_REVERTED, Kind.CREATE),
            "folder_bucket.legacy": _TAKEN,
            "folder_bucket.logs": (Origin.BOTH, Kind.UPDATE),
            "folder_bucket.retired": _FORGET,
            "folder_bucket.uploads": _CREATE,
            "folder_secret.database": (Origin.DRIFT_REVERTED, Kind.UPDATE),
            "folder_server.api": (Origin.PENDING, Kind.REPLACE_CREATE_FIRST),
            "folder_server.batch": _DELETE,
            "folder_server.pool[1]": _DELETE,
            "folder_server.web": _REPLACE,
            "folder_server.worker": _UPDATE,
            "terraform_data.boot": _UPDATE,
        },
    ),
    "sensitive_nested": (
        Status.DRIFTED_AND_PENDING,
        {
            "lab_thing.web": (Origin.BOTH, Kind.UPDATE),
            "terraform_data.copies": _UPDATE,
            "terraform_data.nested": _UPDATE,
        },
    ),
    "sensitivity_changes": (
        Status.PENDING,
        {
            "lab_thing.web": _UPDATE,
            "terraform_data.becomes": _UPDATE,
            "terraform_data.was": _UPDATE,
        },
    ),
    "sets_and_blocks": (
        Status.DRIFTED_AND_PENDING,
        {
            "lab_thing.reordered": (Origin.BOTH, Kind.UPDATE),
            "lab_thing.web": (Origin.BOTH, Kind.UPDATE),
        },
    ),
    "taint_and_drift": (
        Status.DRIFTED_AND_PENDING,
        {
            "folder_server.gone": (Origin.DRIFT_REVERTED, Kind.CREATE),
            "folder_server.web": (Origin.BOTH, Kind.REPLACE),
        },
    ),
    "texts": (Status.PENDING, {"terraform_data.texts": _UPDATE}),
    "unknown_nested": (
        Status.PENDING,
        {
            "folder_server.web": _REPLACE,
            "lab_thing.web": _UPDATE,
            "terraform_data.shapes": _UPDATE,
        },
    ),
}
