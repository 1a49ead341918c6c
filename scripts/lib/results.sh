# SPDX-License-Identifier: Apache-2.0
# results.sh — runs tests of a build folder by meson, and takes what its log says. For scripts/test, which has
# `logs`, `slack`, `together`, `results` (logs that count) and `broken` (how much went wrong beside them).
#
#   run_tests DIR LOG OPTION...   runs those tests
#   take_results DIR LOG          the log of that run is one of `results`, if it is of a whole run

run_tests() {
	local dir=$1 log=$2
	shift 2
	rm -f "$dir/meson-logs/$log.json" "$logs/test-$log.status" # of another run: they would count as this one's
	meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier "$slack" --num-processes "$together" \
		--logbase "$log" "$@" \
		>"$logs/test-$log.log" 2>&1
	echo $? >"$logs/test-$log.status"
}

take_results() {
	local json=$1/meson-logs/$2.json status
	status=$(cat "$logs/test-$2.status" 2>/dev/null) # none: it was killed itself
	if [ ! -s "$json" ]; then
		tail -n 20 "$logs/test-$2.log"
		echo "failed: no test of $2 ran in $1"
		broken=$((broken + 1))
	# One that was killed, or fell over its own feet, has written down what ran until then: all of it good.
	elif [ "$status" != 0 ] && ! python3 scripts/lib/count.py "$json" | grep -qE ', [1-9][0-9]* failed,'; then
		tail -n 20 "$logs/test-$2.log"
		echo "failed: the tests of $2 in $1 broke off: meson ended with ${status:-nothing}, and no test failed"
		broken=$((broken + 1))
	else
		cp "$json" "$logs/$2.json" && results+=("$logs/$2.json")
	fi
}
