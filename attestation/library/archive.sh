#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# archive.sh OUT NM LD OBJCOPY AR FACADE ARCHIVE...: the verifier as an archive of one object, in which
# cocos_* alone can be seen, so that no name of ours meets one of the program's. FACADE defines these;
# of the other archives only what they call goes in. Debugging data stay behind with all other names:
# tools know no way to take out only the names of what was left out.
set -eu
[ $# -ge 6 ] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
out=$1 nm=$2 ld=$3 objcopy=$4 ar=$5 facade=$6
shift 6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
object=$folder/cocos-attestation.o
names=$("$nm" --defined-only --extern-only "$facade" | sed -n 's/^[0-9a-f]* T \(cocos_.*\)/-u \1/p')
# shellcheck disable=SC2086 # one word for each name
"$ld" -r --gc-sections $names --start-group "$facade" "$@" --end-group -o "$object"
"$objcopy" --wildcard --keep-global-symbol='cocos_*' "$object"
"$objcopy" --strip-unneeded "$object"
rm -f "$out"
"$ar" rcsD "$out" "$object"
