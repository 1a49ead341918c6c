# SPDX-License-Identifier: Apache-2.0
# usage.sh — what a script says of itself: --help prints the comment at its top. Source it before
# any cd, since "$0" may be relative.
#
#   usage_print         the comment, on stdout
#   usage_refuse WORDS  says what is wrong, and where help is; exit status 2
#   usage_value OPTION [VALUE]...   refuses an option that has no value, or an empty one
#   usage_only_help ARGUMENT...   for scripts without options: answers --help, refuses other options

usage_print() {
	awk 'NR > 1 && !/^#/ { exit } NR > 1 && !/SPDX-License/ { sub(/^# ?/, ""); print }' "$0"
}

usage_refuse() {
	echo "$0: $*; see --help" >&2
	exit 2
}

# An empty one is a variable that nobody set: to run as if the option were not there would be another run.
usage_value() {
	[ -n "${2-}" ] || usage_refuse "$1 wants a value"
}

usage_only_help() {
	for word; do
		case $word in
		-h | --help) usage_print && exit 0 ;;
		-*) usage_refuse "unknown option $word" ;;
		esac
	done
}
