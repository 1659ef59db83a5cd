#!/usr/bin/env bash
# Runs the gate for the GitHub action (action.yml); everything comes by the environment. Ends with the gate's exit code.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
interlock=${GATE_INTERLOCK:-$home/.venv/bin/interlock}
reports=${GATE_REPORTS:-interlock-reports}
mkdir -p "$reports"

base=${GATE_BASE:-}
against=${GATE_AGAINST:-}
if [ -z "$against" ] && [[ $base =~ ^[0-9a-f]{40,64}$ ]] && [[ ! $base =~ ^0+$ ]]; then
  # A shallow checkout has only the change itself.
  git cat-file -e "$base^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 origin "$base"
  against=git:$base
fi

arguments=(--format github)
[ -n "$against" ] && arguments+=(--against "$against")
[ -n "${GATE_PROFILE:-}" ] && arguments+=(--profile "$GATE_PROFILE")
[ -n "${GATE_FAIL_ON:-}" ] && arguments+=(--fail-on "$GATE_FAIL_ON")
for kind in sarif=gate.sarif junit=gate.xml json=gate.json markdown=gate.md; do
  arguments+=(--report "${kind%%=*}=$reports/${kind#*=}")
done
paths=()
while IFS= read -r path; do
  if [ -n "$path" ]; then paths+=("$path"); fi
done <<<"${GATE_PATHS:-}"

# An empty setting is another thing than none.
[ -n "${INTERLOCK_REGISTRY_URL:-}" ] || unset INTERLOCK_REGISTRY_URL
[ -n "${INTERLOCK_TOKEN:-}" ] || unset INTERLOCK_TOKEN

code=0
"$interlock" ci gate "${arguments[@]}" -- ${paths[@]+"${paths[@]}"} || code=$?

case $code in 0) status=passed ;; 1) status=failed ;; 3) status=undecided ;; *) status=error ;; esac
if [ -f "$reports/gate.md" ]; then cat "$reports/gate.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"; fi
printf 'status=%s\nsarif=%s\n' "$status" "$reports/gate.sarif" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
