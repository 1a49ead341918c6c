/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/call_rate.h"

#include "common/base/log.h"
#include "common/crypto/keyed_rate.h"

#include <stdlib.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

struct call_rate {
	struct keyed_rate *each, *lines; /* of calls; of the log, about those refused */
	uint64_t each_second, untold;
};

int64_t call_rate_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int call_rate_new(uint64_t each_second, struct call_rate **rate, struct err *e)
{
	const struct keyed_rate_form form = {
		.each = { SECOND_NS / (int64_t)each_second,
			  CALL_RATE_SECONDS * (int64_t)each_second },
		.sets = CALL_RATE_SETS,
		.ways = CALL_RATE_WAYS,
		.inherits = true,
	};
	const struct keyed_rate_form lines = {
		.each = { CALL_RATE_LINE_SECONDS * SECOND_NS, CALL_RATE_LINES },
		.all = { SECOND_NS, CALL_RATE_ALL_LINES },
		.sets = CALL_RATE_SETS / 16,
		.ways = CALL_RATE_WAYS,
	};
	struct call_rate *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	if (keyed_rate_new(&form, &made->each, e) < 0 ||
	    keyed_rate_new(&lines, &made->lines, e) < 0) {
		call_rate_free(made);
		return err_code(e);
	}
	made->each_second = each_second;
	*rate = made;
	return 0;
}

void call_rate_free(struct call_rate *rate)
{
	if (!rate)
		return;
	keyed_rate_free(rate->each);
	keyed_rate_free(rate->lines);
	free(rate);
}

/* Whose account it is, other logs say of that address. */
static void tell(struct call_rate *rate, uint64_t account, const char *peer, int64_t now)
{
	struct err ignored;
	int64_t wait;

	if (keyed_rate_take(rate->lines, &account, sizeof(account), now, &wait, &ignored) < 0 ||
	    wait) {
		rate->untold++;
		return;
	}
	if (rate->untold)
		log_warn("%llu other calls were refused: more than COMPUTATIONS_MAX_CALLS",
			 (unsigned long long)rate->untold);
	rate->untold = 0;
	log_warn("a call of %s is refused: more than %llu a second of its user "
		 "(COMPUTATIONS_MAX_CALLS)",
		 log_quote(peer).text, (unsigned long long)rate->each_second);
}

int call_rate_take(struct call_rate *rate, uint64_t account, const char *peer, int64_t now,
		   int64_t *seconds, struct err *e)
{
	int64_t wait;

	if (keyed_rate_take(rate->each, &account, sizeof(account), now, &wait, e) < 0)
		return err_code(e);
	if (!wait)
		return 0;
	tell(rate, account, peer, now);
	*seconds = (wait + SECOND_NS - 1) / SECOND_NS;
	return err_set(e, ERR_EXHAUSTED,
		       "too many calls from your account: the next is in %lld second%s. Make fewer "
		       "than %llu a second, or have the service's COMPUTATIONS_MAX_CALLS raised",
		       (long long)*seconds, *seconds == 1 ? "" : "s",
		       (unsigned long long)rate->each_second);
}
