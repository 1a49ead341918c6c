/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/sign_in_rate.h"

#include "common/crypto/keyed_rate.h"

#include <stdlib.h>
#include <string.h>

struct sign_in_rate {
	struct keyed_rate *sources, *pairs;
};

int sign_in_rate_new(struct sign_in_rate **rate, struct err *e)
{
	static const struct keyed_rate_form of_source = { .each = { SIGN_IN_SOURCE_EVERY_MS,
								    SIGN_IN_SOURCE_BURST },
							  .sets = SIGN_IN_SETS,
							  .ways = SIGN_IN_WAYS },
					    of_pair = { .each = { SIGN_IN_NAME_EVERY_MS,
								  SIGN_IN_NAME_BURST },
							.sets = SIGN_IN_SETS,
							.ways = SIGN_IN_WAYS };
	struct sign_in_rate *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	if (keyed_rate_new(&of_source, &made->sources, e) < 0 ||
	    keyed_rate_new(&of_pair, &made->pairs, e) < 0) {
		sign_in_rate_free(made);
		return err_code(e);
	}
	*rate = made;
	return 0;
}

void sign_in_rate_free(struct sign_in_rate *rate)
{
	if (!rate)
		return;
	keyed_rate_free(rate->sources);
	keyed_rate_free(rate->pairs);
	free(rate);
}

/* An address with a name behind it. */
struct pair {
	uint8_t bytes[RPC_SOURCE_LEN + 64];
	size_t len;
};

static struct pair pair_of(const struct rpc_source *source, const char *name)
{
	struct pair pair = { .len = RPC_SOURCE_LEN };
	size_t len = strnlen(name, sizeof(pair.bytes) - RPC_SOURCE_LEN);

	memcpy(pair.bytes, source->bytes, RPC_SOURCE_LEN);
	memcpy(pair.bytes + RPC_SOURCE_LEN, name, len);
	pair.len += len;
	return pair;
}

int sign_in_rate_take(struct sign_in_rate *rate, const struct rpc_source *source, const char *name,
		      int64_t now, struct err *e)
{
	const struct pair pair = pair_of(source, name);
	int64_t wait, other;

	if (keyed_rate_wait(rate->sources, source->bytes, RPC_SOURCE_LEN, now, &wait, e) < 0 ||
	    keyed_rate_wait(rate->pairs, pair.bytes, pair.len, now, &other, e) < 0)
		return err_code(e);
	wait = wait > other ? wait : other;
	if (wait)
		return err_set(e, ERR_EXHAUSTED,
			       "too many tries from your address: the next is in %lld seconds",
			       (long long)(wait + 999) / 1000);
	if (keyed_rate_take(rate->sources, source->bytes, RPC_SOURCE_LEN, now, &wait, e) < 0 ||
	    keyed_rate_take(rate->pairs, pair.bytes, pair.len, now, &wait, e) < 0)
		return err_code(e);
	return 0;
}

void sign_in_rate_good(struct sign_in_rate *rate, const struct rpc_source *source, const char *name)
{
	const struct pair pair = pair_of(source, name);
	struct err ignored;

	(void)!keyed_rate_forget(rate->pairs, pair.bytes, pair.len, &ignored);
	(void)!keyed_rate_give_back(rate->sources, source->bytes, RPC_SOURCE_LEN, &ignored);
}
