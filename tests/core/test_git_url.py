"""Which addresses and refs may be used, and what of them may be shown."""

from __future__ import annotations

import base64
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.git_url import (
    Trouble,
    check_ref,
    is_commit,
    looks_abbreviated,
    near,
    parse_address,
    redact,
    ref_candidates,
    short_ref,
    token_header,
    trouble_in,
    without_trace,
)
from driftctl_py.errors import SourceError


@pytest.mark.parametrize(
    ("url", "transport", "display"),
    [
        (".", "here", "."),
        ("/srv/infra", "path", "/srv/infra"),
        ("../infra.git", "path", "../infra.git"),
        ("~/infra", "path", "~/infra"),
        ("./odd:name", "path", "./odd:name"),
        ("infra", "path", "infra"),
        ("file:///srv/infra", "file", "file:///srv/infra"),
        ("https://git.example/ada/infra", "https", "https://git.example/ada/infra"),
        ("HTTPS://ada@git.example:8443/i", "https", "https://git.example:8443/i"),
        ("https://[::1]:8443/i", "https", "https://[::1]:8443/i"),
        ("ssh://git@git.example:22/ada/infra", "ssh", "ssh://git.example:22/ada/infra"),
        ("git@git.example:ada/infra.git", "ssh", "git.example:ada/infra.git"),
        ("git.example:ada/infra.git", "ssh", "git.example:ada/infra.git"),
        ("git@[::1]:ada/infra.git", "ssh", "[::1]:ada/infra.git"),
    ],
)
def test_an_address_is_understood_and_shown_without_its_user(
    url: str, transport: str, display: str
) -> None:
    address = parse_address(url)

    assert (address.transport, address.url, address.display) == (transport, url, display)
    assert address.is_local == (transport in ("here", "path", "file"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        " /srv/infra",
        "-uhelper",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "EXT::sh",
        "fd::17",
        "::x",
        "transport-helper::address",
        "git::https://git.example/x",
        "ext://git.example/x",
        "http://git.example/infra",
        "git://git.example/infra",
        "ftp://git.example/infra",
        "https://git.example",
        "https:///infra",
        "https://git.example:port/infra",
        "https://git.example/in\nfra",
        "ssh://-oProxyCommand=touch%20x/infra",
        "ssh://-l@git.example/infra",
        "-oProxyCommand=touch:infra",
        "git@-oProxyCommand=x:infra",
        "git@git.example:",
        "file://elsewhere.example/srv/infra",
        "file:/srv/infra",
        "https://git.example/infra#main",
    ],
)
def test_an_address_that_is_unsafe_or_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_address(url)

    assert caught.value.todo


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:s3cr3t@git.example/infra",
        "https://:s3cr3t@git.example/infra",
        "ssh://ada:s3cr3t@git.example/infra",
        "ada:s3cr3t@git.example:infra",
        "https://ghp_s3cr3t@git.example/infra",
        "https://glpat-s3cr3t@git.example/infra",
        "https://git.example/infra?private_token=s3cr3t",
        "http://ada:s3cr3t@git.example/infra",
        "https://ada:s3cr3t@git.example:port/infra",
        "ext::https://ada:s3cr3t@git.example/infra",
        "https://ada:s3cr3t@git.example/in\nfra",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_address(url)

    assert "s3cr3t" not in caught.value.what + caught.value.todo


def test_a_token_goes_to_the_host_of_the_address_only() -> None:
    address = parse_address("https://git.example:8443/ada/infra")

    assert address.site == "https://git.example:8443/"


@pytest.mark.parametrize(
    "ref", ["main", "feature/x", "v1.2", "HEAD", "refs/heads/a", "refs/tags/v1", "ünï", "a@b", "1"]
)
def test_an_ordinary_ref_is_allowed(ref: str) -> None:
    check_ref(ref)


@pytest.mark.parametrize(
    "ref",
    [
        *("", "-x", "--upload-pack=x", "@", "a..b", "a b", "a^", "a~1", "a:b", "a?", "a*", "a[b]"),
        *("a\\b", "a@{1}", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a\nb"),
        *("refs/pull/1/head", "refs/driftctl/keep/x", "refs/remotes/origin/main", "main^{}"),
    ],
)
def test_a_ref_that_git_would_read_otherwise_is_refused(ref: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_ref(ref)

    assert caught.value.todo


def test_only_a_whole_hash_is_a_commit() -> None:
    assert is_commit("3f2a91c" + "0" * 33)
    assert is_commit("A" * 64)
    assert not is_commit("3f2a91c")
    assert not is_commit("0" * 41)
    assert not is_commit("g" * 40)
    assert looks_abbreviated("3f2a91c")
    assert not looks_abbreviated("3f2a")
    assert not looks_abbreviated("release")


def test_a_bare_name_may_be_a_branch_or_a_tag_and_a_full_one_is_what_it_says() -> None:
    assert ref_candidates(None) == ref_candidates("HEAD") == ("HEAD",)
    assert ref_candidates("v1") == ("refs/heads/v1", "refs/tags/v1", "refs/tags/v1^{}")
    assert ref_candidates("refs/heads/v1") == ("refs/heads/v1",)
    assert ref_candidates("refs/tags/v1") == ("refs/tags/v1", "refs/tags/v1^{}")
    assert short_ref("refs/heads/feature/x") == "feature/x"
    assert short_ref("refs/tags/v1") == "v1"


def test_what_somebody_may_have_meant_comes_best_first() -> None:
    names = {"main", "maintenance", "release/1.2", "Develop"}

    assert near("mian", names)[0] == "main"
    assert near("origin/main", names)[0] == "main"
    assert near("develop", names) == ("Develop",)
    assert near("1.2", names) == ("release/1.2",)
    assert near("zzz", names) == ()


def test_a_token_header_takes_the_user_from_the_address() -> None:
    by_default = token_header("t0ken").removeprefix("Authorization: Basic ")
    with_user = token_header("t0ken", "x-token-auth").removeprefix("Authorization: Basic ")

    assert base64.b64decode(by_default) == b"x-access-token:t0ken"
    assert base64.b64decode(with_user) == b"x-token-auth:t0ken"


_SECRET = st.text(ascii_letters + digits + "/+=!", min_size=8, max_size=40)


@given(_SECRET, st.text(), st.text())
def test_a_known_secret_never_survives_redaction(secret: str, before: str, after: str) -> None:
    shown = redact(before + secret + after, (secret,))

    assert secret not in shown


@given(_SECRET.filter(lambda secret: "/" not in secret))
def test_a_password_in_any_url_never_survives_redaction(secret: str) -> None:
    text = f"fatal: unable to access 'https://ada:{secret}@git.example/x/': no"

    assert redact(text) == "fatal: unable to access 'https://git.example/x/': no"


def test_an_authorization_header_never_survives_redaction() -> None:
    shown = redact("=> Send header: Authorization: Basic YWJjOmRlZg==\nnext")

    assert shown == "=> Send header: Authorization: ***\nnext"


def test_trace_lines_are_not_taken_for_a_complaint() -> None:
    stderr = (
        "21:04:05.123456 http.c:703              == Info:  server certificate verification OK\n"
        "fatal: could not read Username for 'https://h': terminal prompts disabled\n"
        "21:04:05.223456 http.c:703 => Send header: Authorization: Basic YQ=="
    )

    assert without_trace(stderr) == (
        "fatal: could not read Username for 'https://h': terminal prompts disabled\n"
    )


def test_an_empty_secret_redacts_nothing() -> None:
    assert redact("as it was", ("",)) == "as it was"


@pytest.mark.parametrize(
    ("stderr", "trouble"),
    [
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "LOGIN"),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote.", "LOGIN"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", "LOGIN"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", "DOWN"),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", "DOWN"),
        ("ssh: connect to host h port 22: Connection refused\nfatal: Could not read", "DOWN"),
        (
            "fatal: unable to access 'https://h/': SSL certificate problem: self-signed",
            "CERTIFICATE",
        ),
        ("fatal: unable to access 'https://h/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL", "DOWN"),
        ("Host key verification failed.\nfatal: Could not read from remote", "HOST_KEY"),
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", "NOT_FOUND"),
        ("fatal: '/x' does not appear to be a git repository", "NOT_FOUND"),
        ("fatal: detected dubious ownership in repository at '/x'", "OWNER"),
        ("fatal: transport 'ext' not allowed", "TRANSPORT"),
        ("fatal: write error: No space left on device", "DISK"),
        ("error: unable to write file large\nfatal: Could not reset index file", "DISK"),
        ("error: unable to write file x: Permission denied", "OTHER"),
        ("fatal: Unable to create '/x/packed-refs.lock': File exists.", "LOCK_FILE"),
        ("fatal: bad object refs/heads/main", "OTHER"),
    ],
)
def test_a_complaint_is_recognised_by_what_to_do_next(stderr: str, trouble: str) -> None:
    assert trouble_in(stderr) is Trouble[trouble]
