#!/bin/sh
# Installs the Debian packages that building and testing dm needs; does nothing
# when they are there. --peers adds the programs that benchmarks compare with,
# --full the second compiler and the checkers of `tests/run.sh --full`.
set -eu

packages="gcc libc6-dev make meson ninja-build pkg-config
 libsqlite3-dev libgsl-dev libopenblas-dev libcmocka-dev libyaml-dev nettle-dev
 libutf8proc-dev libuchardet-dev libpcre2-dev libxxhash-dev sqlite3 python3-jsonschema"
for option in "$@"; do
  case $option in
    --peers) packages="$packages python3-sklearn python3-pandas" ;;
    --full) packages="$packages clang libclang-rt-14-dev libomp-14-dev valgrind strace" ;;
    *) echo "install-deps.sh: unknown option '$option' (--peers, --full)" >&2; exit 2 ;;
  esac
done

missing=""
for package in $packages; do
  case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true) in
    *"install ok installed"*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null 2>&1; then
    exec sudo -n sh "$0" "$@"
  fi
  echo "install-deps.sh: these packages are missing, install them as root:$missing" >&2
  exit 4
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
install_missing() {
  # shellcheck disable=SC2086
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null >/dev/null
}
install_missing 2>/dev/null || { apt-get update </dev/null >/dev/null && install_missing; }
