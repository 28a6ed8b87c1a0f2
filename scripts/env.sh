# Sourced by the other scripts: where things are kept, what the machine must have.
# Everything that is downloaded or built lies outside the clone and is used again.

set -euo pipefail
STOA_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$STOA_ROOT"

export STOA_CACHE_DIR=${STOA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/stoa}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$STOA_CACHE_DIR/target}
mkdir -p "$STOA_CACHE_DIR" "$CARGO_TARGET_DIR"

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# need_rust: Debian's own Rust is too old, so the version is checked before anything is built.
need_rust() {
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  command -v cargo >/dev/null || fail "Rust $wanted or newer is needed: install it with rustup (https://rustup.rs)"
  have=$(rustc --version | cut -d' ' -f2)
  printf '%s\n%s\n' "$wanted" "$have" | sort -C -V ||
    fail "Rust $wanted or newer is needed, this machine has $have: run 'rustup update stable'"
}

# need_debian PACKAGE...: installs what is missing when that is possible, else says exactly what to install.
need_debian() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "Installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    fail "packages are missing: sudo apt-get install ${missing[*]}"
  fi
}

# need_command COMMAND PACKAGE...: as above, unless the machine has the command from elsewhere.
need_command() {
  local command=$1
  shift
  command -v "$command" >/dev/null || need_debian "$@"
}

# need_build_tools: what the C parts of the dependencies are compiled with, and the Java that runs Kafka.
need_build_tools() {
  need_rust
  need_command gcc gcc libc6-dev
  need_command g++ g++
  need_command make make
  need_command git git
  need_command pkg-config pkg-config
  pkg-config --exists openssl 2>/dev/null || need_debian libssl-dev
  need_command mvn maven
  need_command java default-jre-headless
  need_command setpriv util-linux
}

# first_build_notice: how long and how large, when there is nothing yet.
first_build_notice() {
  [ -e "$CARGO_TARGET_DIR/debug" ] && return
  say "First build: about 5 minutes on 2 cores and 2 GB in $CARGO_TARGET_DIR; later ones take seconds"
}

# clients_python: prints the interpreter that has the stock clients of scripts/clients, made once.
clients_python() {
  local version venv
  version=$(sha256sum scripts/clients/requirements.txt | cut -c1-12)
  venv=$STOA_CACHE_DIR/tools/clients-$version
  if [ ! -x "$venv/bin/pytest" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/clients/requirements.txt >&2
  fi
  echo "$venv/bin/python"
}
