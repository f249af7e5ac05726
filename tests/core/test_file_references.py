"""What a module reads beside its source, as far as its text says."""

from __future__ import annotations

import pytest

from driftctl_py.core.file_references import FileReference, file_references


def found(code: str, *, name: str = "main.tf") -> list[tuple[str, bool]]:
    """Of a module in modules/web that environments/prod calls."""
    references = file_references({name: code}, module="modules/web", root="environments/prod")
    return [(each.path, each.open_ended) for each in references]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('a = file("${path.module}/policy.json")', [("modules/web/policy.json", False)]),
        ('a = file("${path.root}/p.json")', [("environments/prod/p.json", False)]),
        ('a = file("${path.cwd}/p.json")', [("environments/prod/p.json", False)]),
        ('a = file("p.json")', [("environments/prod/p.json", False)]),
        ('a = filebase64sha256("../x.zip")', [("environments/x.zip", False)]),
        (
            'a = templatefile("${path.module}/t/${var.os}.tpl", { b = file("c") })',
            [("modules/web/t/", True), ("environments/prod/c", False)],
        ),
        ('a = file("deep/${var.x}/y")', [("environments/prod/deep/", True)]),
        ('a = fileset(path.module, "*.json")', [("modules/web/", True)]),
        ('a = fileset( path.root , "*.json")', [("environments/prod/", True)]),
        ("a = file(var.path)", [("", True)]),
        ('a = file("${local.directory}/x")', [("", True)]),
        ('a = file(join("/", [path.module, "x"]))', [("", True)]),
        ("a = fileset(path.module == 1 ? 2 : 3)", [("", True)]),
        # What a provider reads, it reads by such a path.
        ('source_dir = "${path.module}/../../lambda"', [("lambda", False)]),
        ('filename = "./dist/app.zip"', [("environments/prod/dist/app.zip", False)]),
        ('a = "${path.module}"', [("modules/web", False)]),
        ('a = "${path.module}/../../"', [("", False)]),
        ('a = "${path.module}/../..${var.x}"', [("", True)]),
        ('a = file("../../..${var.x}")', [("", True)]),
        ('a = file("../../..")', []),
        # In the middle of others.
        ('a = "b ${jsonencode({ c = file("d") })} e"', [("environments/prod/d", False)]),
        ('a = <<-EOT\n  ${file("e")}\n  EOT\n', [("environments/prod/e", False)]),
        # No paths of ours.
        ('a = "plain"\nb = "x ${path.module}/y"', []),
        ('a = "$${path.module}/x"', []),
        ('# file("${path.module}/x")\na = 1 // file("y")', []),
        ('file = "x"\na = { file = 1 }', []),
        ('a = file("/etc/motd")', []),
        ('a = file("../../../else/where")', []),
        # A module's source begins at the module, and belongs to the graph of modules.
        ('module "m" {\n  source = "../bucket"\n}', []),
        ('resource "r" "m" {\n  source = "../bucket"\n}', [("environments/bucket", False)]),
    ],
)
def test_a_path_is_as_much_as_the_text_says(code: str, expected: list[tuple[str, bool]]) -> None:
    assert found(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('{"a": {"b": ["${file(\\"x\\")}"]}}', [("environments/prod/x", False)]),
        ('{"a": "${path.module}/y", "c": 1}', [("modules/web/y", False)]),
        ("{", [("", True)]),
        ('{"a": "${file("}', [("", True)]),
        ('{"a": "$${path.module}"}', []),
    ],
)
def test_the_json_spelling_says_the_same(code: str, expected: list[tuple[str, bool]]) -> None:
    assert found(code, name="main.tf.json") == expected


@pytest.mark.parametrize("code", ['a = "b', "a = <<X\n", 'a = "${file(', 'a = "${"'])
def test_of_what_does_not_scan_nobody_knows_what_it_reads(code: str) -> None:
    assert ("", True) in found(code)


def test_a_module_at_the_root_of_the_repository_reads_from_there() -> None:
    references = file_references({"a.tf": 'a = file("${path.module}/x")'}, module="", root="")

    assert references == (FileReference("x", False, "a.tf"),)


@pytest.mark.parametrize(
    ("reference", "path", "meant"),
    [
        (FileReference("a/b", False, ""), "a/b", True),
        (FileReference("a/b", False, ""), "a/b/c", True),
        (FileReference("a/b", False, ""), "a/bc", False),
        (FileReference("a/b", True, ""), "a/bc", True),
        (FileReference("a/b", True, ""), "a/c", False),
        (FileReference("", True, ""), "whatever", True),
        (FileReference("", False, ""), "whatever", True),
    ],
)
def test_a_reference_means_a_file_or_all_that_begins_so(
    reference: FileReference, path: str, meant: bool
) -> None:
    assert reference.means(path) is meant
