"""The objects of GitHub's API, with every member that its OpenAPI description requires.

Spelled by hand, so that the fake needs no description at hand; `test_github_contract` holds them
against it. Not here: what there is (``forge_fake``).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from zlib import crc32

Json = dict[str, Any]

_STARTED = "2026-01-01T00:00:00Z"


def user(api: str, login: str) -> Json:
    name = quote(login)
    here = f"{api}/users/{name}"
    return {
        "login": login,
        "id": crc32(login.encode()),
        "node_id": f"U_{login}",
        "avatar_url": f"{api}/avatars/{crc32(login.encode())}",
        "gravatar_id": "",
        "url": here,
        "html_url": f"https://github.example/{name}",
        "followers_url": f"{here}/followers",
        "following_url": f"{here}/following{{/other_user}}",
        "gists_url": f"{here}/gists{{/gist_id}}",
        "starred_url": f"{here}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{here}/subscriptions",
        "organizations_url": f"{here}/orgs",
        "repos_url": f"{here}/repos",
        "events_url": f"{here}/events{{/privacy}}",
        "received_events_url": f"{here}/received_events",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def myself(api: str, login: str) -> Json:
    """What `/user` answers: more than is said of others."""
    return user(api, login) | {
        "name": None,
        "company": None,
        "blog": None,
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": _STARTED,
        "updated_at": _STARTED,
    }


def repository(api: str, full_name: str) -> Json:
    owner, name = full_name.split("/")
    here = f"{api}/repos/{full_name}"
    plain = (
        "contributors deployments downloads events forks hooks languages merges stargazers "
        "subscribers subscription tags teams"
    )
    templates = {
        "archive": "{archive_format}{/ref}",
        "assignees": "assignees{/user}",
        "blobs": "git/blobs{/sha}",
        "branches": "branches{/branch}",
        "collaborators": "collaborators{/collaborator}",
        "comments": "comments{/number}",
        "commits": "commits{/sha}",
        "compare": "compare/{base}...{head}",
        "contents": "contents/{+path}",
        "git_commits": "git/commits{/sha}",
        "git_refs": "git/refs{/sha}",
        "git_tags": "git/tags{/sha}",
        "issue_comment": "issues/comments{/number}",
        "issue_events": "issues/events{/number}",
        "issues": "issues{/number}",
        "keys": "keys{/key_id}",
        "labels": "labels{/name}",
        "milestones": "milestones{/number}",
        "notifications": "notifications{?since,all,participating}",
        "pulls": "pulls{/number}",
        "releases": "releases{/id}",
        "statuses": "statuses/{sha}",
        "trees": "git/trees{/sha}",
    }
    counts = "forks forks_count open_issues open_issues_count stargazers_count watchers "
    return {
        "id": crc32(full_name.encode()),
        "node_id": f"R_{name}",
        "name": name,
        "full_name": full_name,
        "owner": user(api, owner),
        "private": True,
        "fork": False,
        "url": here,
        "html_url": f"https://github.example/{full_name}",
        "clone_url": f"https://github.example/{full_name}.git",
        "svn_url": f"https://github.example/{full_name}",
        "git_url": f"git://github.example/{full_name}.git",
        "ssh_url": f"git@github.example:{full_name}.git",
        "default_branch": "main",
        "created_at": _STARTED,
        "updated_at": _STARTED,
        "pushed_at": _STARTED,
        "size": 0,
        **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
        **dict.fromkeys(f"{counts} watchers_count".split(), 0),
        **{f"has_{each}": True for each in ["issues", "projects", "wiki", "pages", "downloads"]},
        **dict.fromkeys(("archived", "disabled"), False),
        **{f"{each}_url": f"{here}/{each}" for each in plain.split()},
        **{f"{name}_url": f"{here}/{tail}" for name, tail in templates.items()},
    }


def label(api: str, repository: str, name: str, color: str, description: str | None) -> Json:
    return {
        "id": crc32(name.encode()),
        "node_id": f"LA_{crc32(name.encode())}",
        "url": f"{api}/repos/{repository}/labels/{crc32(name.encode())}",
        "name": name,
        "description": description,
        "color": color,
        "default": False,
    }


def comment(
    api: str,
    repository: str,
    *,
    id: int,
    number: int,
    body: str,
    author: Json | None,
    created_at: str,
    updated_at: str,
) -> Json:
    return {
        "id": id,
        "node_id": f"IC_{id}",
        "url": f"{api}/repos/{repository}/issues/comments/{id}",
        "html_url": f"https://github.example/{repository}/pull/{number}#issuecomment-{id}",
        "issue_url": f"{api}/repos/{repository}/issues/{number}",
        "body": body,
        "user": author,
        "author_association": "NONE",
        "created_at": created_at,
        "updated_at": updated_at,
    }


def reaction(*, id: int, content: str, author: Json, created_at: str) -> Json:
    return {
        "id": id,
        "node_id": f"REA_{id}",
        "user": author,
        "content": content,
        "created_at": created_at,
    }


def issue(
    api: str,
    repository: str,
    *,
    number: int,
    title: str,
    body: str | None,
    open: bool,
    locked: bool,
    pull: bool,
    author: Json | None,
    labels: list[Json],
    assignees: list[Json],
    comments: int,
    created_at: str,
    updated_at: str,
) -> Json:
    here = f"{api}/repos/{repository}/issues/{number}"
    kind = "pull" if pull else "issues"
    page = f"https://github.example/{repository}/{kind}/{number}"
    told = {
        "id": 1000 + number,
        "node_id": f"I_{number}",
        "number": number,
        "title": title,
        "body": body,
        "state": "open" if open else "closed",
        "state_reason": None if open else "completed",
        "locked": locked,
        "user": author,
        "labels": labels,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "comments": comments,
        "author_association": "NONE",
        "url": here,
        "html_url": page,
        "repository_url": f"{api}/repos/{repository}",
        "labels_url": f"{here}/labels{{/name}}",
        "comments_url": f"{here}/comments",
        "events_url": f"{here}/events",
        "created_at": created_at,
        "updated_at": updated_at,
        "closed_at": None if open else updated_at,
    }
    if pull:
        told["pull_request"] = {
            "url": f"{api}/repos/{repository}/pulls/{number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
        }
    return told


def pull(
    api: str,
    repo: str,
    *,
    number: int,
    title: str,
    open: bool,
    locked: bool,
    draft: bool,
    author: Json,
    labels: list[Json],
    head: tuple[str, str | None],
    base: tuple[str, str],
    merge: str | None,
    merged: bool,
    changed_files: int,
    created_at: str,
    updated_at: str,
) -> Json:
    """``head`` is a commit and the repository it lies in (None: deleted), ``base`` a commit and
    its branch."""
    here = f"{api}/repos/{repo}/pulls/{number}"
    issue = f"{api}/repos/{repo}/issues/{number}"
    page = f"https://github.example/{repo}/pull/{number}"
    links = {
        "self": here,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{here}/comments",
        "review_comment": f"{api}/repos/{repo}/pulls/comments{{/number}}",
        "commits": f"{here}/commits",
        "statuses": f"{api}/repos/{repo}/statuses/{head[0]}",
    }
    return {
        "url": here,
        "id": 2000 + number,
        "node_id": f"PR_{number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        **{f"{name}_url": links[name] for name in links if name not in ("self", "html", "issue")},
        "number": number,
        "state": "open" if open else "closed",
        "locked": locked,
        "draft": draft,
        "title": title,
        "body": None,
        "user": author,
        "labels": labels,
        "head": {
            "label": f"{author['login']}:change",
            "ref": "change",
            "sha": head[0],
            "user": author,
            "repo": None if head[1] is None else repository(api, head[1]),
        },
        "base": {
            "label": f"{repo.split('/')[0]}:{base[1]}",
            "ref": base[1],
            "sha": base[0],
            "user": user(api, repo.split("/")[0]),
            "repo": repository(api, repo),
        },
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "assignee": None,
        "milestone": None,
        "merge_commit_sha": merge,
        "merged": merged,
        "merged_by": author if merged else None,
        "merged_at": updated_at if merged else None,
        "mergeable": True if merge else None,
        "mergeable_state": "clean" if merge else "unknown",
        "maintainer_can_modify": False,
        "comments": 0,
        "review_comments": 0,
        "commits": 1,
        "additions": 1,
        "deletions": 0,
        "changed_files": changed_files,
        "created_at": created_at,
        "updated_at": updated_at,
        "closed_at": None if open else updated_at,
    }


def file(api: str, repository: str, name: str, *, commit: str, was: str) -> Json:
    told = {
        "sha": f"{crc32(name.encode()):040x}",
        "filename": name,
        "status": "renamed" if was else "modified",
        "additions": 1,
        "deletions": 1,
        "changes": 2,
        "blob_url": f"https://github.example/{repository}/blob/{commit}/{name}",
        "raw_url": f"https://github.example/{repository}/raw/{commit}/{name}",
        "contents_url": f"{api}/repos/{repository}/contents/{name}?ref={commit}",
    }
    return told | ({"previous_filename": was} if was else {})


def workflow_run(
    api: str,
    repo: str,
    *,
    id: int,
    file: str,
    event: str,
    head: tuple[str, str | None],
    status: str,
    attempt: int,
    at: str,
) -> Json:
    """``head`` as in `pull`."""
    here = f"{api}/repos/{repo}/actions/runs/{id}"
    links = ("jobs", "logs", "cancel", "rerun", "artifacts")
    return {
        "id": id,
        "node_id": f"WFR_{id}",
        "name": file.removesuffix(".yml"),
        "head_branch": "change",
        "head_sha": head[0],
        "path": f".github/workflows/{file}",
        "display_title": "Change something",
        "run_number": id,
        "run_attempt": attempt,
        "event": event,
        "status": status,
        "conclusion": "success" if status == "completed" else None,
        "workflow_id": crc32(file.encode()),
        "url": here,
        "html_url": f"https://github.example/{repo}/actions/runs/{id}",
        "pull_requests": [],
        "created_at": at,
        "updated_at": at,
        "run_started_at": at,
        **{f"{each}_url": f"{here}/{each}" for each in links},
        "check_suite_url": f"{api}/repos/{repo}/check-suites/{id}",
        "workflow_url": f"{api}/repos/{repo}/actions/workflows/{crc32(file.encode())}",
        "head_commit": None,
        "repository": repository(api, repo),
        # Its description does not say that it may be missing, as it is when the fork was deleted.
        "head_repository": None if head[1] is None else repository(api, head[1]),
    }


def app(api: str, login: str) -> Json:
    slug = login.removesuffix("[bot]")
    return {
        "id": crc32(slug.encode()),
        "slug": slug,
        "node_id": f"A_{slug}",
        "owner": user(api, "example"),
        "name": slug,
        "description": None,
        "external_url": f"https://github.example/apps/{slug}",
        "html_url": f"https://github.example/apps/{slug}",
        "created_at": _STARTED,
        "updated_at": _STARTED,
        "permissions": {"checks": "write", "metadata": "read"},
        "events": [],
    }


def check_run(
    api: str, repository: str, *, id: int, sent: Json, app: Json, annotations: int, at: str
) -> Json:
    """``sent``: what was asked for, all that was sent since merged into one."""
    here = f"{api}/repos/{repository}/check-runs/{id}"
    output = sent.get("output", {})
    return {
        "id": id,
        "node_id": f"CR_{id}",
        "name": sent["name"],
        "head_sha": sent["head_sha"],
        "external_id": sent.get("external_id", ""),
        "url": here,
        "html_url": f"https://github.example/{repository}/runs/{id}",
        "details_url": sent.get("details_url", f"https://github.example/{repository}/runs/{id}"),
        "status": sent.get("status", "queued"),
        "conclusion": sent.get("conclusion"),
        "started_at": at,
        "completed_at": at if sent.get("status") == "completed" else None,
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": annotations,
            "annotations_url": f"{here}/annotations",
        },
        "check_suite": {"id": 1},
        "app": app,
        "pull_requests": [],
    }


def annotation(repository: str, sent: Json, *, commit: str) -> Json:
    return {
        "path": sent["path"],
        "blob_href": f"https://github.example/{repository}/blob/{commit}/{sent['path']}",
        "start_line": sent["start_line"],
        "end_line": sent["end_line"],
        "start_column": sent.get("start_column"),
        "end_column": sent.get("end_column"),
        "annotation_level": sent["annotation_level"],
        "title": sent.get("title"),
        "message": sent["message"],
        "raw_details": sent.get("raw_details"),
    }


def status(
    api: str, repository: str, *, id: int, commit: str, sent: Json, author: Json, at: str
) -> Json:
    return {
        "url": f"{api}/repos/{repository}/statuses/{commit}",
        "avatar_url": author["avatar_url"],
        "id": id,
        "node_id": f"SC_{id}",
        "state": sent["state"],
        "description": sent.get("description"),
        "target_url": sent.get("target_url"),
        "context": sent.get("context", "default"),
        "created_at": at,
        "updated_at": at,
        "creator": author,
    }


def permission(api: str, login: str, *, permission: str, role: str) -> Json:
    return {
        "permission": permission,
        "role_name": role,
        "user": user(api, login) | {"role_name": role},
    }
