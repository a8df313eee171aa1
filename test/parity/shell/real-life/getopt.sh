#!/bin/bash
set -euo pipefail
usage() { cat <<USAGE
Usage: ${0##*/} [-v] [-n NAME] [--dry-run] [--] FILE...
USAGE
}
verbose=0 name=default dry=false
declare -a files=()
while (( $# )); do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    -v|--verbose) (( verbose++ )) || true ;;
    -n|--name) name="${2:?missing name}"; shift ;;
    --name=*) name="${1#*=}" ;;
    --dry-run) dry=true ;;
    --) shift; files+=("$@"); break ;;
    -*) echo "unknown option: $1" >&2; usage >&2; exit 2 ;;
    *) files+=("$1") ;;
  esac
  shift
done
printf 'verbose=%d name=%q dry=%s files=%d\n' "$verbose" "$name" "$dry" "${#files[@]}"
for f in "${files[@]+"${files[@]}"}"; do printf -- '- %s\n' "$f"; done
