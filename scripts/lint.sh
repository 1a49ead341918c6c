#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rules of the house that a machine can check: arrows between folders, licence lines, calls
# that do not belong here, format. Prints every breach.
#
#   scripts/lint.sh [--no-format]     checks everything, or all but the format
#   scripts/lint.sh --graph           prints the rooms, their levels and arrows, and the circles
#
# Exit status: 0 if all of them are kept; 1 if one is not; 2 called wrongly.
set -u
. "$(dirname "$0")/lib/usage.sh" || exit 2
[ "${1-}" = --no-format ] && shift && format=no
[ "${1-}" = --graph ] && shift && graph=yes
usage_only_help "$@"
[ $# = 0 ] || usage_refuse "unknown argument '$1'"
cd "$(dirname "$0")/.." || exit 2
[ "${graph-}" = yes ] && exec scripts/lib/house.py graph
breaches=$(mktemp) || exit 2
trap 'rm -f "$breaches"' EXIT

# What can't be asked is not kept.
rule() {
	found=$("$@") || [ -n "$found" ] || found="could not be asked: $*"
	[ -z "$found" ] || printf '%s\n' "$found" >>"$breaches"
}

# Arrows between floors and rooms, what a program may not reach, circles of modules, names, and that
# whoever has evidence judged asks verdict_ok(): the tables are in house.py.
rule scripts/lib/house.py check
rule scripts/lib/lint/rules.py

grep -rnE --include='*.[ch]' \
	-e '(^|[^a-z_>.])(strcpy|strcat|sprintf|vsprintf|gets|alloca|system|popen|atoi|strtok)\(' \
	common attestation agent manager computations cli | sed 's/^/unwanted call: /' >>"$breaches"

# Failure has one channel: the callee's own code, err_code() or what stands on it (common/base/err.h).
# A negative code made by hand can be 0 by mistake.
grep -rnE --include='*.[ch]' -e '-\(int\) *[A-Za-z_>.-]*(ERR_[A-Z]+|code)\b' \
	-e '(return|[=?:(,]) *-(ERR_[A-Z]+|[a-z_]+((->|\.)[a-z_]+)*(->|\.)code)\b' \
	common attestation agent manager computations cli guest |
	grep -vE '^common/base/err\.|^[^:]*:[0-9]+:\s*(\*|/\*)' |
	sed 's/^/code made by hand: /' >>"$breaches"

. scripts/lib/lint/format.sh
# shellcheck disable=SC2046
[ "${format-}" = no ] || format_breaches $(format_files) >>"$breaches"

if [ -s "$breaches" ]; then
	cat "$breaches"
	exit 1
fi
echo "lint: ok"
