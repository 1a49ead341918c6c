# SPDX-License-Identifier: Apache-2.0
# usage.sh — what a script says of itself: --help prints the comment at its top. Source it before
# any cd, since "$0" may be relative.
#
#   usage_print         the comment, on stdout
#   usage_refuse WORDS  says what is wrong, and where help is; exit status 2
#   usage_only_help ARGUMENT...   for scripts without options: answers --help, refuses other options

usage_print() {
	awk 'NR > 1 && !/^#/ { exit } NR > 1 && !/SPDX-License/ { sub(/^# ?/, ""); print }' "$0"
}

usage_refuse() {
	echo "$0: $*; see --help" >&2
	exit 2
}

usage_only_help() {
	for word; do
		case $word in
		-h | --help) usage_print && exit 0 ;;
		-*) usage_refuse "unknown option $word" ;;
		esac
	done
}
