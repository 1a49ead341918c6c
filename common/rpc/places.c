/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/places.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One address, while it has a place in any class. */
struct places_source {
	struct places_key key; /* first: the tree compares it */
	struct {
		TAILQ_HEAD(, place) oldest_first;
		unsigned count;
		unsigned at; /* in the order, while count > 0 */
	} in[PLACES_CLASSES];
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct places_key));
}

/* ---- the order of a class ---- */

static bool goes_before(const struct places_source *a, const struct places_source *b,
			unsigned class)
{
	if (a->in[class].count != b->in[class].count)
		return a->in[class].count > b->in[class].count;
	return TAILQ_FIRST(&a->in[class].oldest_first)->number <
	       TAILQ_FIRST(&b->in[class].oldest_first)->number;
}

static void put(struct places_order *order, struct places_source *source, unsigned class,
		unsigned at)
{
	order->sources[at] = source;
	source->in[class].at = at;
}

/* The source has changed: it moves up or down until it stands right. */
static void settle(struct places_order *order, struct places_source *source, unsigned class)
{
	unsigned at = source->in[class].at;

	while (at > 0 && goes_before(source, order->sources[(at - 1) / 2], class)) {
		put(order, order->sources[(at - 1) / 2], class, at);
		at = (at - 1) / 2;
	}
	for (;;) {
		unsigned child = 2 * at + 1;

		if (child + 1 < order->sources_count &&
		    goes_before(order->sources[child + 1], order->sources[child], class))
			child++;
		if (child >= order->sources_count ||
		    !goes_before(order->sources[child], source, class))
			break;
		put(order, order->sources[child], class, at);
		at = child;
	}
	put(order, source, class, at);
}

static void add(struct places *places, struct place *place, unsigned class)
{
	struct places_source *source = place->source;
	struct places_order *order = &places->orders[class];

	place->class = class;
	place->number = ++places->last_number;
	TAILQ_INSERT_TAIL(&source->in[class].oldest_first, place, younger);
	order->count++;
	if (source->in[class].count++ == 0)
		put(order, source, class, order->sources_count++);
	settle(order, source, class);
}

static void take_out(struct places *places, struct place *place)
{
	struct places_source *source = place->source, *last;
	unsigned class = place->class;
	struct places_order *order = &places->orders[class];

	TAILQ_REMOVE(&source->in[class].oldest_first, place, younger);
	order->count--;
	if (--source->in[class].count > 0) {
		settle(order, source, class);
		return;
	}
	last = order->sources[--order->sources_count];
	if (last == source)
		return;
	put(order, last, class, source->in[class].at);
	settle(order, last, class);
}

/* ---- sources ---- */

static int make_room(struct places *places, struct err *e)
{
	unsigned room = places->room ? 2 * places->room : 16;

	if (places->sources_count < places->room)
		return 0;
	for (unsigned i = 0; i < PLACES_CLASSES; i++) {
		struct places_source **grown =
			realloc(places->orders[i].sources, room * sizeof(struct places_source *));

		if (!grown)
			return err_nomem(e);
		places->orders[i].sources = grown;
	}
	places->room = room;
	return 0;
}

static struct places_source *find_or_make(struct places *places, const struct places_key *key,
					  struct err *e)
{
	struct places_source **known = tfind(key, &places->sources, compare);
	CLEANUP(free) struct places_source *made = NULL;

	if (known)
		return *known;
	made = calloc(1, sizeof(*made));
	if (!made || make_room(places, e) < 0) {
		err_nomem(e);
		return NULL;
	}
	made->key = *key;
	for (unsigned i = 0; i < PLACES_CLASSES; i++)
		TAILQ_INIT(&made->in[i].oldest_first);
	if (!tsearch(made, &places->sources, compare)) {
		err_nomem(e);
		return NULL;
	}
	places->sources_count++;
	return TAKE_PTR(made);
}

static bool is_empty(const struct places_source *source)
{
	for (unsigned i = 0; i < PLACES_CLASSES; i++)
		if (source->in[i].count)
			return false;
	return true;
}

/* ---- places ---- */

void places_done(struct places *places)
{
	assert(places->sources_count == 0);
	for (unsigned i = 0; i < PLACES_CLASSES; i++)
		free(places->orders[i].sources);
	*places = (struct places){ .room = 0 };
}

int places_enter(struct places *places, struct place *place, const struct places_key *key,
		 unsigned class, struct err *e)
{
	assert(!place->source);
	place->source = find_or_make(places, key, e);
	if (!place->source)
		return err_code(e);
	add(places, place, class);
	return 0;
}

void places_move(struct places *places, struct place *place, unsigned class)
{
	take_out(places, place);
	add(places, place, class);
}

void places_leave(struct places *places, struct place *place)
{
	struct places_source *source = place->source;

	if (!source)
		return;
	take_out(places, place);
	place->source = NULL;
	if (!is_empty(source))
		return;
	tdelete(source, &places->sources, compare);
	places->sources_count--;
	free(source);
}

unsigned places_count(const struct places *places, unsigned class)
{
	return places->orders[class].count;
}

unsigned places_count_beside(const struct place *place)
{
	return place->source->in[place->class].count;
}

struct place *places_beside(const struct place *place, unsigned class)
{
	return TAILQ_FIRST(&place->source->in[class].oldest_first);
}

struct place *places_victim(const struct places *places, unsigned class)
{
	const struct places_order *order = &places->orders[class];

	return order->sources_count ? TAILQ_FIRST(&order->sources[0]->in[class].oldest_first)
				    : NULL;
}
