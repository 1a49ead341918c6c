/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/keyed_rate.h"

#include "common/crypto/keyed_hash.h"

#include <stdlib.h>

struct way {
	uint64_t who; /* 0: nobody */
	int64_t spent_until;
};

struct keyed_rate {
	struct keyed_rate_form form;
	struct keyed_hash *hash;
	int64_t spent_until; /* by all */
	struct way ways[];   /* set by set */
};

int keyed_rate_new(const struct keyed_rate_form *form, struct keyed_rate **rate, struct err *e)
{
	struct keyed_rate *made =
		calloc(1, sizeof(*made) + form->sets * form->ways * sizeof(made->ways[0]));

	if (!made)
		return err_nomem(e);
	made->hash = keyed_hash_new(NULL, e);
	if (!made->hash) {
		free(made);
		return err_code(e);
	}
	made->form = *form;
	*rate = made;
	return 0;
}

void keyed_rate_free(struct keyed_rate *rate)
{
	if (!rate)
		return;
	keyed_hash_free(rate->hash);
	free(rate);
}

/* His own, or the one that he would get. */
static struct way *way_of(struct keyed_rate *rate, uint64_t who)
{
	/* Not by the lowest bit, which all have. */
	struct way *set = &rate->ways[(who >> 1) % rate->form.sets * rate->form.ways], *least = set;

	for (size_t i = 0; i < rate->form.ways; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].spent_until < least->spent_until)
			least = &set[i];
	}
	return least;
}

static int find(struct keyed_rate *rate, const void *name, size_t len, uint64_t *who,
		struct way **way, struct err *e)
{
	if (keyed_hash_of(rate->hash, name, len, who, e) < 0)
		return err_code(e);
	*who |= 1; /* somebody */
	*way = way_of(rate, *who);
	return 0;
}

static int64_t spent_of(const struct keyed_rate *rate, const struct way *way, uint64_t who)
{
	return way->who == who || rate->form.inherits ? way->spent_until : 0;
}

/* That one's, settled. */
static int64_t wait_of(struct keyed_rate *rate, struct way *way, uint64_t who, int64_t now)
{
	int64_t own, all;

	rate_settle(&rate->form.each, now, &way->spent_until);
	rate_settle(&rate->form.all, now, &rate->spent_until);
	own = rate_wait(&rate->form.each, now, spent_of(rate, way, who));
	all = rate_wait(&rate->form.all, now, rate->spent_until);
	return own > all ? own : all;
}

int keyed_rate_wait(struct keyed_rate *rate, const void *name, size_t len, int64_t now,
		    int64_t *wait, struct err *e)
{
	struct way *way;
	uint64_t who;

	if (find(rate, name, len, &who, &way, e) < 0)
		return err_code(e);
	*wait = wait_of(rate, way, who, now);
	return 0;
}

int keyed_rate_take(struct keyed_rate *rate, const void *name, size_t len, int64_t now,
		    int64_t *wait, struct err *e)
{
	struct way *way;
	int64_t spent;
	uint64_t who;

	if (find(rate, name, len, &who, &way, e) < 0)
		return err_code(e);
	*wait = wait_of(rate, way, who, now);
	if (*wait)
		return 0;
	spent = spent_of(rate, way, who);
	(void)rate_take(&rate->form.each, now, &spent);
	(void)rate_take(&rate->form.all, now, &rate->spent_until);
	*way = (struct way){ who, spent };
	return 0;
}

int keyed_rate_give_back(struct keyed_rate *rate, const void *name, size_t len, struct err *e)
{
	struct way *way;
	uint64_t who;

	if (find(rate, name, len, &who, &way, e) < 0)
		return err_code(e);
	if (way->who == who)
		way->spent_until -= rate->form.each.every;
	return 0;
}

int keyed_rate_forget(struct keyed_rate *rate, const void *name, size_t len, struct err *e)
{
	struct way *way;
	uint64_t who;

	if (find(rate, name, len, &who, &way, e) < 0)
		return err_code(e);
	if (way->who == who)
		*way = (struct way){ .who = 0 };
	return 0;
}
