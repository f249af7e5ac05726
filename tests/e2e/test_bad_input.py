"""What goes wrong elsewhere: a clear error, exit code 1, the others still reported, nothing lost.

`prod` is the one in trouble, `dev` beside it never is. Each message is in docs/troubleshooting.md:
what a test provokes and the page does not have, fails.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.support import DATA, SERVER, Ran, Site, documented, with_folder_cloud

DEAD_END = "http://127.0.0.1:1"


def trouble(site: Site, *, status: str = "failed") -> str:
    """What `check` prints, on one line, when prod is in trouble and dev is not."""
    ran = site.main("check")
    print(ran.out, ran.err)

    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert f"prod: {status}" in ran.err
    assert "dev: pending" in ran.err
    return one_line(ran)


def refused(site: Site, *argv: str) -> str:
    """What is printed when there is nothing to check at all."""
    ran = site.main(*(argv or ("check",)))
    print(ran.out, ran.err)

    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    assert ran.err.startswith("error: ")
    return one_line(ran)


def one_line(ran: Ran) -> str:
    """All that was printed; whatever it is, the page on troubles has it."""
    text = " ".join((ran.out + ran.err).split())

    assert documented(text), text
    return text


def two(site: Site, prod: str = "") -> None:
    """dev, and prod with that text, both committed."""
    site.environment("dev")
    site.environment("prod", prod)
    site.configure()
    site.commit()


# The configuration.


def test_no_configuration(embedded_site: Site) -> None:
    text = refused(embedded_site)

    assert f"There is no driftctl.yaml in {embedded_site.repo} or above." in text
    assert "driftctl-py init" in text


def test_a_configuration_that_is_named_but_not_there(embedded_site: Site) -> None:
    text = refused(embedded_site, "check", "--config", "elsewhere.yaml")

    assert "elsewhere.yaml: There is no such file." in text


def test_a_configuration_that_is_a_directory(embedded_site: Site) -> None:
    (embedded_site.repo / "driftctl.yaml").mkdir()
    text = refused(embedded_site, "check", "--config", "driftctl.yaml")

    assert "driftctl.yaml: It is not a file." in text


def test_an_empty_configuration(embedded_site: Site) -> None:
    embedded_site.write("driftctl.yaml", "")
    text = refused(embedded_site)

    assert "driftctl.yaml:1: The file is empty" in text


def test_a_tab_in_the_configuration(embedded_site: Site) -> None:
    embedded_site.write("driftctl.yaml", "environments:\n\t- environments/*\n")
    text = refused(embedded_site)

    assert "driftctl.yaml:2: " in text
    assert "tab" in text


def test_a_line_of_ten_megabytes(embedded_site: Site) -> None:
    embedded_site.write("driftctl.yaml", "environments: [" + "x" * 10_000_000 + "]\n")
    text = refused(embedded_site)

    assert "too large" in text or "longer" in text or "bytes" in text
    assert len(text) < 1000


def test_an_anchor_bomb(embedded_site: Site) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    embedded_site.write("driftctl.yaml", "\n".join(lines) + "\nenvironments: *a19\n")
    text = refused(embedded_site)

    assert "driftctl.yaml:" in text
    assert "alias" in text or "anchor" in text


# The environment's own files.


def test_a_directory_without_configuration(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("dev")
    site.write("environments/prod/README.md", "Nothing yet.\n")
    site.configure(environments=["environments/dev", "environments/prod"])
    site.commit()
    text = trouble(site)

    assert "environments/prod holds no .tf or .tofu files, so there is nothing to plan." in text


def test_a_directory_whose_configuration_was_deleted_but_not_committed(
    embedded_site: Site,
) -> None:
    site = embedded_site
    two(site)
    (site.repo / "environments/prod/main.tf").unlink()
    (site.repo / "environments/prod/notes.txt").touch()
    site.configure(environments=["environments/dev", "environments/prod"])
    text = trouble(site)

    assert "environments/prod holds no .tf or .tofu files, so there is nothing to plan." in text


@pytest.mark.engine
def test_invalid_hcl(local_site: Site) -> None:
    two(local_site, 'resource "terraform_data" {\n')
    text = trouble(local_site)

    assert "main.tf:1" in text


@pytest.mark.engine
def test_a_missing_variable(local_site: Site) -> None:
    two(local_site, 'variable "region" { type = string }\n' + DATA)
    text = trouble(local_site)

    assert "No value for required variable" in text
    assert "Set it under `variables` or `var_files` in driftctl.yaml (region)." in text


@pytest.mark.engine
def test_a_missing_variable_that_was_set_but_dropped(local_site: Site) -> None:
    local_site.environ["TF_VAR_region"] = "eu-central-1"
    two(local_site, 'variable "region" { type = string }\n' + DATA)
    text = trouble(local_site)

    assert "TF_VAR_region is set here but not passed on to the engine." in text
    assert "Add it to `pass_env` in driftctl.yaml." in text


def test_a_var_file_that_is_not_there(embedded_site: Site) -> None:
    site = embedded_site
    site.settings["overrides"] = {"prod": {"var_files": ["prod.tfvars"]}}
    two(site)
    text = trouble(site)

    assert "The var-file prod.tfvars of prod is not in the source." in text


@pytest.mark.engine
def test_a_provider_that_cannot_be_found(local_site: Site) -> None:
    two(
        local_site,
        """\
        terraform {
          required_providers {
            x = { source = "registry.invalid/a/x" }
          }
        }
        """,
    )
    text = trouble(local_site)

    assert "registry.invalid/a/x" in text
    assert "provider_mirror" in text


def test_a_provider_mirror_that_is_not_there(embedded_site: Site) -> None:
    site = embedded_site
    site.settings["engine"] = {"use": "embedded", "provider_mirror": "../no-mirror"}
    two(site)
    text = refused(site)

    assert "no-mirror is not a directory" in text


@pytest.mark.engine
def test_a_resource_that_cannot_be_refreshed(local_site: Site) -> None:
    site = local_site
    cloud = with_folder_cloud(site)
    two(site, SERVER)
    directory = site.repo / "environments/prod"
    site.run_engine(directory, "init")
    site.run_engine(directory, "apply", "-auto-approve")
    (cloud / "server-web.json").write_text("not JSON")
    text = trouble(site, status="unknown")

    assert "server-web.json is not JSON" in text
    assert "The plan is incomplete" in text


# The engine.


def test_an_engine_that_is_missing(embedded_site: Site) -> None:
    site = embedded_site
    site.settings["overrides"] = {"prod": {"engine": "/no/such/terraform"}}
    two(site)
    text = trouble(site)

    assert "The engine /no/such/terraform is not there" in text
    assert "/no/such/terraform version -json" in text


def test_an_engine_that_no_path_holds(embedded_site: Site) -> None:
    site = embedded_site
    site.settings["overrides"] = {"prod": {"engine": "tofu"}}
    two(site)
    text = trouble(site)

    assert "OpenTofu is needed (driftctl.yaml says so), but none was found on PATH." in text


def test_an_engine_that_is_too_old(embedded_site: Site) -> None:
    site = embedded_site
    old = site.program(
        "old",
        """\
        #!/bin/sh
        echo '{"type":"version","terraform":"1.0.0","ui":"0.1"}'
        echo '{"type":"version","terraform":"1.0.0","ui":"1.0"}'
        exit 1
        """,
    )
    site.settings["overrides"] = {"prod": {"engine": str(old)}}
    two(site)
    text = trouble(site)

    assert f"Terraform 1.0.0 ({old}) is too old" in text
    assert "1.5.0 is the oldest" in text


GARBAGE = {
    "words": "echo 'Hello, world!'",
    "flood": "yes 'I am no engine'",
    "binary": "head -c 5000000 /dev/urandom",
    "one line": "head -c 50000000 /dev/zero | tr '\\0' 'x'",
    "nothing": ":",
    "another document": 'echo \'{"type":"version","ui":"9.0","terraform":"9.0.0"}\'',
}


@pytest.mark.parametrize("words", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_program_that_is_no_engine(embedded_site: Site, words: str) -> None:
    site = embedded_site
    program = site.program("no-engine", f"#!/bin/sh\n{words}\n")
    site.settings["overrides"] = {"prod": {"engine": str(program)}}
    two(site)
    text = trouble(site)

    assert f"The engine {program} is not there, cannot be run, or does not answer as" in text


TURNING = """\
#!/bin/sh
# An engine until it comes to the plan.
case "$*" in plan*-out=*) {words} ;; esac
exec @ENGINE@ "$@"
"""


def _turning(site: Site, words: str) -> Path:
    program = site.program("turning", TURNING.format(words=words))
    site.settings["overrides"] = {"prod": {"engine": str(program)}}
    return program


@pytest.mark.parametrize(
    "words",
    ["echo garbage; exit 0", "head -c 5000000 /dev/urandom; exit 0", "exit 0", "exit 2"],
    ids=["words", "binary", "nothing", "findings"],
)
def test_an_engine_that_prints_garbage_instead_of_a_plan(embedded_site: Site, words: str) -> None:
    program = _turning(embedded_site, words)
    two(embedded_site)
    text = trouble(embedded_site)

    assert f"{program} printed no event stream" in text


def test_an_engine_that_says_there_is_a_plan_where_there_is_none(embedded_site: Site) -> None:
    _turning(embedded_site, """echo '{"type":"version","terraform":"1.15.5","ui":"1.2"}'; exit 2""")
    two(embedded_site)
    text = trouble(embedded_site)

    assert "`terraform show` failed with exit code 1." in text
    assert "plan.tfplan" in text


def test_an_engine_that_crashes(embedded_site: Site) -> None:
    _turning(embedded_site, "echo 'panic: oh no' >&2; kill -SEGV $$")
    two(embedded_site)
    text = trouble(embedded_site)

    assert "signal 11" in text
    assert "panic: oh no" in text


def test_an_engine_that_says_it_is_another(embedded_site: Site) -> None:
    _turning(
        embedded_site,
        """echo '{"type":"version","tofu":"1.9.0","ui":"1.2"}'; exit 0""",
    )
    two(embedded_site)
    text = trouble(embedded_site)

    assert "was taken for terraform, but it says that it is tofu 1.9.0" in text


@pytest.mark.engine
def test_a_plan_that_outlasts_its_limit(local_site: Site) -> None:
    site = local_site
    _turning(site, "exec sleep 60")
    site.settings["overrides"]["prod"]["timeout"] = "1s"
    two(site)
    text = trouble(site)

    assert "The plan took longer than 1 second" in text
    assert "holds no lock and changed nothing" in text


def test_an_init_that_outlasts_its_limit(embedded_site: Site) -> None:
    site = embedded_site
    program = site.program(
        "slow-init", '#!/bin/sh\n[ "$1" = init ] && exec sleep 60\nexec @ENGINE@ "$@"\n'
    )
    site.settings["overrides"] = {"prod": {"engine": str(program), "timeout": "1s"}}
    two(site)
    text = trouble(site)

    assert "`init` took longer than 1 second" in text


# Git.


class Server:
    """A far end that answers every request the same way."""

    def __init__(self, status: int, body: bytes = b"", certificate: Path | None = None) -> None:
        outer = self
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.asked.append(self.path)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = answer

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def serving(status: int, body: bytes = b"", certificate: Path | None = None) -> Iterator[Server]:
    server = Server(status, body, certificate)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-days", "2", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    with path.open("ab") as file:
        file.write(path.with_suffix(".crt").read_bytes())
    return path


def _with_far_source(site: Site, url: str, **source: str) -> None:
    """dev lies here, prod in a source of its own."""
    site.environment("dev")
    site.configure(
        sources={"default": ".", "far": {"url": url, **source}},
        environments=["environments/*", {"path": "prod", "source": "far"}],
    )
    site.commit()


def far_trouble(site: Site) -> str:
    ran = site.main("check")
    print(ran.out, ran.err)

    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "dev: pending" in ran.err
    assert "prod (far): failed" in ran.err
    return one_line(ran)


def test_a_git_remote_that_is_down(embedded_site: Site) -> None:
    _with_far_source(embedded_site, "https://127.0.0.1:1/infra.git")
    text = far_trouble(embedded_site)

    assert "127.0.0.1:1/infra.git" in text
    assert "Check the network and try again." in text


def test_a_git_remote_that_asks_for_a_password(embedded_site: Site, certificate: Path) -> None:
    site = embedded_site
    site.environ["GIT_SSL_CAINFO"] = str(certificate)
    with serving(401, certificate=certificate) as server:
        _with_far_source(site, f"https://127.0.0.1:{server.port}/infra.git")
        text = far_trouble(site)

    assert "it asks for a password or key that Git does not have" in text
    assert "token_env: GIT_TOKEN" in text


def test_a_git_remote_that_does_not_accept_the_token(
    embedded_site: Site, certificate: Path
) -> None:
    site = embedded_site
    site.environ |= {"GIT_SSL_CAINFO": str(certificate), "GIT_TOKEN": "t0ken-of-grace"}
    with serving(401, b"no: t0ken-of-grace", certificate) as server:
        url = f"https://127.0.0.1:{server.port}/infra.git"
        _with_far_source(site, url, token_env="GIT_TOKEN")
        text = far_trouble(site)

    assert "it does not accept the token in GIT_TOKEN" in text
    assert "t0ken-of-grace" not in text


def test_a_ref_that_the_remote_does_not_have(embedded_site: Site) -> None:
    site = embedded_site
    site.environment("dev")
    site.commit()
    origin = site.root / "origin"
    site.git("clone", "--quiet", "--bare", str(site.repo), str(origin))
    _with_far_source(site, f"file://{origin}", ref="mian")
    text = far_trouble(site)

    assert "has no branch or tag 'mian'" in text
    assert "Did you mean main?" in text


def test_an_environment_whose_own_ref_does_not_exist(embedded_site: Site) -> None:
    site = embedded_site
    site.settings["overrides"] = {"prod": {"ref": "v2"}}
    two(site)
    text = trouble(site)

    assert "has no branch or tag 'v2'" in text


# The state.


@pytest.mark.engine
def test_an_s3_endpoint_that_is_down(site: Site) -> None:
    site.settings["overrides"] = {"prod": {"state": {"s3": {**site.s3, "endpoint": DEAD_END}}}}
    two(site)
    text = trouble(site)

    assert f"{DEAD_END} did not answer" in text
    assert "the connection was refused" in text
    assert "Check state.s3.endpoint and the network, then try again." in text


DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>No.</Message></Error>'


@pytest.mark.engine
def test_an_s3_endpoint_that_denies_access(site: Site) -> None:
    with serving(403, DENIED) as server:
        endpoint = f"http://127.0.0.1:{server.port}"
        site.settings["overrides"] = {"prod": {"state": {"s3": {**site.s3, "endpoint": endpoint}}}}
        two(site)
        text = trouble(site)

    assert f"Access to s3://{site.bucket}/prod/terraform.tfstate was denied (AccessDenied)" in text


def test_a_local_state_that_cannot_be_read(embedded_site: Site) -> None:
    two(embedded_site)
    (embedded_site.repo / "environments/prod/terraform.tfstate").mkdir()
    text = trouble(embedded_site)

    assert "The local state" in text
    assert "cannot be read: Is a directory." in text


@pytest.mark.engine
def test_a_bucket_that_does_not_exist(site: Site) -> None:
    site.settings["overrides"] = {"prod": {"state": {"s3": {**site.s3, "bucket": "no-such"}}}}
    two(site)
    text = trouble(site)

    assert "The bucket no-such does not exist" in text


def test_no_credentials_at_all(s3_site: Site) -> None:
    site = s3_site
    del site.environ["AWS_ACCESS_KEY_ID"], site.environ["AWS_SECRET_ACCESS_KEY"]
    site.environment("prod")
    site.configure()
    site.commit()
    ran = site.main("check")
    print(ran.out, ran.err)

    assert ran.code == 1
    assert "There are no AWS credentials to read s3://" in one_line(ran)


def test_a_profile_that_does_not_exist(s3_site: Site) -> None:
    site = s3_site
    site.settings["overrides"] = {"prod": {"credentials": {"plan": {"profile": "nobody"}}}}
    two(site)
    text = trouble(site)

    assert "The config profile (nobody) could not be found." in text


# The disk.


@contextlib.contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """A tiny file system of its own at ``path``; only root can make one."""
    path.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"a file system of a test's own cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def test_a_full_disk_for_the_data_directory(s3_site: Site) -> None:
    site = s3_site
    two(site)
    with mounted(site.data, "size=64k"):
        (site.data / "ballast").write_bytes(b"x" * 60 * 1024)
        ran = site.main("check")
    print(ran.out, ran.err)
    text = one_line(ran)

    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "No space left on device" in text
    assert "in sync" not in text


@pytest.mark.parametrize("kilobytes", [48, 64, 72, 80, 88, 96, 104, 120])
def test_a_disk_that_fills_up_on_the_way_never_makes_it_in_sync(
    s3_site: Site, kilobytes: int
) -> None:
    site = s3_site
    padding = "x" * 30_000
    site.environment("prod", DATA.replace("first", padding))
    site.configure()
    site.commit()
    with mounted(site.data, f"size={kilobytes}k"):
        ran = site.main("check")
    print(ran.out, ran.err)

    assert "Traceback" not in ran.err
    assert "in sync" not in ran.out


def test_a_data_directory_that_cannot_be_written(s3_site: Site) -> None:
    site = s3_site
    two(site)
    with mounted(site.data, "size=64k", "ro"):
        text = refused(site)

    assert "Read-only file system" in text
    assert "--data-dir" in text


def test_a_data_directory_that_is_a_file(s3_site: Site) -> None:
    site = s3_site
    two(site)
    site.data.write_text("mine")
    text = refused(site)

    assert str(site.data) in text
    assert site.data.read_text() == "mine"


# Secrets.

SECRET = "hunter2-of-grace"


def everything_printed(site: Site) -> str:
    """Every face of one check, with all that it says on the way."""
    faces = [site.main("check", "-v", "--format", each) for each in ("text", "json", "markdown")]
    return "\n".join(ran.out + ran.err for ran in faces)


LEAKING = """\
#!/bin/sh
case "$*" in plan*-out=*)
  cat {events}
  echo "{secret}" >&2
  {end} ;;
esac
exec @ENGINE@ "$@"
"""


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("TF_TOKEN_app_example_com", "exit 1"),
        ("AWS_SECRET_ACCESS_KEY", "exit 7"),
        ("TF_VAR_db_password", "kill -9 $$"),
        ("API_KEY", "exit 1"),
    ],
)
def test_a_secret_that_the_engine_quotes_is_not_repeated(
    embedded_site: Site, name: str, end: str
) -> None:
    site = embedded_site
    site.environ[name] = SECRET
    site.settings["pass_env"] = ["TF_VAR_db_password", "API_KEY"]
    events = site.root / "events"
    diagnostic = {
        "severity": "error",
        "summary": f"said {SECRET}",
        "detail": f"and {SECRET} again",
        "address": f"x.{SECRET}",
    }
    events.write_text(
        json.dumps({"type": "version", "terraform": "1.15.5", "ui": "1.2"})
        + "\n"
        + json.dumps({"type": "diagnostic", "diagnostic": diagnostic})
        + "\n"
    )
    program = site.program("leaking", LEAKING.format(events=events, secret=SECRET, end=end))
    site.settings["overrides"] = {"prod": {"engine": str(program)}}
    two(site)
    text = everything_printed(site)

    # What is asserted to be absent was there to begin with.
    assert "said (hidden)" in text
    assert SECRET not in text


@pytest.mark.engine
def test_a_sensitive_variable_never_appears(local_site: Site) -> None:
    site = local_site
    site.environ["TF_VAR_password"] = SECRET
    site.settings["pass_env"] = ["TF_VAR_password"]
    two(
        site,
        """\
        variable "password" {
          type      = string
          sensitive = true
        }
        resource "terraform_data" "db" { input = { url = "db://${var.password}@db", port = 5432 } }
        output "url" {
          value     = terraform_data.db.input.url
          sensitive = true
        }
        """,
    )
    text = everything_printed(site)

    assert "terraform_data.db" in text
    assert "5432" in text
    assert SECRET not in text


def test_a_password_in_a_url_is_refused_and_not_repeated(embedded_site: Site) -> None:
    site = embedded_site
    _with_far_source(site, f"https://grace:{SECRET}@git.example.com/infra.git")
    text = everything_printed(site)

    assert "driftctl.yaml:" in text
    assert SECRET not in text


def test_what_the_engine_does_not_need_it_does_not_get(embedded_site: Site) -> None:
    site = embedded_site
    seen = site.root / "seen"
    program = site.program("curious", f'#!/bin/sh\nenv > {seen}\nexec @ENGINE@ "$@"\n')
    unwanted = (
        *("GIT_TOKEN", "TF_VAR_x", "TF_WORKSPACE", "TF_CLI_ARGS_plan", "TF_LOG", "OTHER"),
        *("DRIFTCTL_APPROVER_KEY", "DRIFTCTL_STORE_URL", "PGPASSWORD"),
    )
    site.environ |= dict.fromkeys(unwanted, "-destroy")
    site.environ["TF_TOKEN_app_example_com"] = SECRET
    site.settings["engine"] = str(program)
    site.settings["sources"] = {"default": ".", "far": {"url": "https://127.0.0.1:1/x.git"}}
    site.settings["sources"]["far"]["token_env"] = "GIT_TOKEN"
    # Allowed by mistake, it stays ours all the same.
    site.settings["pass_env"] = ["GIT_*", "DRIFTCTL_*", "PGPASSWORD"]
    site.settings["store"] = {"url_env": "DRIFTCTL_STORE_URL"}
    two(site)
    site.main("check")
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}

    assert names & {*unwanted} == set()
    assert "TF_TOKEN_app_example_com" in names
