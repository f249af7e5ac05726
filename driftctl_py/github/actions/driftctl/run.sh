#!/usr/bin/env bash
# One command of driftctl-py. Exit codes are its own, but for findings, which are news, not failures,
# unless somebody wants them to be.
set -uo pipefail

words=()
while IFS= read -r word; do
    if [ -n "$word" ]; then words+=("$word"); fi
done <<<"$COMMAND"
read -ra environments <<<"$ENVIRONMENTS"

# The worst of several: what failed (1), then what was stopped or killed, then what was found (2).
worst=0
run() {
    if [ "$OUTPUTS" = true ]; then
        "$PROGRAM" "${words[@]}" "$@" >>"$GITHUB_OUTPUT"
    else
        "$PROGRAM" "${words[@]}" "$@"
    fi
    local code=$?
    case "$worst:$code" in
        *:0 | 1:*) ;;
        0:* | 2:* | *:1) worst=$code ;;
    esac
    # Stopped: nothing is begun after it.
    [ "$code" -ne 130 ]
}

if [ "$EACH" = true ]; then
    for environment in ${environments[@]+"${environments[@]}"}; do
        run "$environment" || break
    done
else
    run ${environments[@]+"${environments[@]}"}
fi

echo "exit-code=$worst" >>"$GITHUB_OUTPUT"
if [ "$worst" -eq 2 ] && [ "$FINDINGS" = pass ]; then exit 0; fi
exit "$worst"
