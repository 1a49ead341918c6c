# SPDX-License-Identifier: Apache-2.0
# format.sh — C files are as .clang-format says. Source it.
#
#   format_breaches FILE...   prints a line for each file that is not, or says why nobody can tell
#   format_files              the C files of this tree: those that git knows, without git all

FORMAT=clang-format-19 # another version has another opinion

format_breaches() {
	[ $# -gt 0 ] || return 0
	command -v "$FORMAT" >/dev/null || {
		echo "format: $FORMAT is missing: apt-get install $FORMAT"
		return 0
	}
	local said found
	said=$(printf '%s\0' "$@" | xargs -0 -n 24 -P "$(nproc)" "$FORMAT" --dry-run -Werror 2>&1)
	[ $? != 0 ] || return 0
	# Once for each file, at its first place.
	found=$(printf '%s\n' "$said" |
		sed -nE 's/^([^:]+:[0-9]+):[0-9]+: error: code should be clang-formatted.*/format: \1/p' |
		sort -t: -k2,2 -k3,3n | sort -t: -k2,2 -u)
	printf '%s\n' "${found:-format: $FORMAT failed: $(printf '%s' "$said" | tail -n 1)}"
}

format_files() {
	git -c safe.directory='*' ls-files -- '*.[ch]' 2>/dev/null | grep . ||
		find common attestation agent manager computations cli guest tests examples -name '*.[ch]'
}
