#!/usr/bin/env bash
# driftctl-py in a virtual environment of its own, once for each job.
set -euo pipefail

home="$RUNNER_TEMP/driftctl-py"
what="$INSTALL"
if [ "$ENGINE" = embedded ]; then
    # driftctl-py==1.2 becomes driftctl-py[embedded]==1.2, a directory DIR becomes DIR[embedded], and
    # an address is that of a driftctl-py[embedded].
    if [[ "$what" == *://* ]]; then
        what="driftctl-py[embedded] @ ${what#driftctl-py @ }"
    else
        [[ "$what" =~ ^([^=\<\>!~\ ]+)(.*)$ ]]
        what="${BASH_REMATCH[1]}[embedded]${BASH_REMATCH[2]}"
    fi
fi
if [ ! -x "$home/bin/driftctl-py" ]; then
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "$what"
fi
{
    echo "program=$home/bin/driftctl-py"
    echo "data=$RUNNER_TEMP/driftctl-data"
} >>"$GITHUB_OUTPUT"
