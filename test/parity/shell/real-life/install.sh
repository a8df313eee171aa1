#!/usr/bin/env bash
# An installer as one pipes it into a shell: checks, functions that report, files put in place, a way back.
set -Eeuo pipefail
shopt -s inherit_errexit 2>/dev/null || true

readonly PREFIX="${PREFIX:-$PWD/opt}"
readonly -a NEEDED=(cat sed sort tr)
declare -i step=0
declare -A done_steps=()

red() { printf '\033[31m%s\033[0m\n' "$*"; }
say() { printf '==> %s\n' "$*"; }
die() { red "error: $*" >&2; exit "${2:-1}"; }
on_error() { local code=$?; echo "line $1: '$2' failed with $code" >&2; }
trap 'on_error "$LINENO" "$BASH_COMMAND"' ERR
trap 'say "steps: ${!done_steps[*]}" | tr " " "\n" | sort | tr "\n" " "; echo' EXIT

need() { command -v "$1" >/dev/null 2>&1 || die "$1 is needed"; }
run_step() {
  local name=$1; shift
  step+=1
  say "[$step] $name"
  "$@"
  done_steps[$name]=$step
}
check() { local tool; for tool in "${NEEDED[@]}"; do need "$tool"; done; }
detect() {
  case "${1:-$(uname -m)}" in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    i[3-6]86) arch=386 ;;
    *) die "no build for $1" 3 ;;
  esac
}
render() {
  sed -e "s|@PREFIX@|${PREFIX#"$PWD"/}|g" -e "s/@ARCH@/$arch/g" <<-'TEMPLATE'
	[server]
	root = @PREFIX@/www
	arch = @ARCH@   # $not ${expanded} `here`
	TEMPLATE
}
place() {
  mkdir -p "$PREFIX"/{bin,etc/conf.d,www}
  render > "$PREFIX/etc/app.conf"
  cat > "$PREFIX/bin/app" <<APP
#!/bin/sh
echo "app from $arch, args: \$# \$*"
APP
  chmod +x "$PREFIX/bin/app"
  local i
  for i in {08..10}; do printf 'n=%d\n' "$((10#$i))" > "$PREFIX/etc/conf.d/$i.conf"; done
}
verify() {
  local out
  out=$("$PREFIX/bin/app" one 'two three')
  [[ $out == *"args: 2 one two three" ]] || die "unexpected: $out"
  echo "$out"
  cat "$PREFIX"/etc/conf.d/*.conf
  cat "$PREFIX/etc/app.conf"
}
run_step check check
run_step detect detect aarch64
run_step place place
run_step verify verify
if detect riscv 2>/dev/null; then echo never; fi || true
(detect sparc) || echo "sub said $?"
versions=(1.10.0 1.9.3 1.2 1.10.0-rc1)
printf '%s\n' "${versions[@]}" | sort -V | { mapfile -t sorted; echo "latest ${sorted[-1]} of ${#sorted[@]}"; }
backup() { local f; for f in "$@"; do [[ -e $f ]] && mv -- "$f"{,.bak} && echo "kept ${f##*/}.bak"; done; }
cd "$PREFIX/etc"; backup app.conf nope.conf || echo "backup said $?"; ls
cd - >/dev/null
grep -q nothing "$PREFIX/etc/conf.d/08.conf"
echo 'not reached'
