/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_gone.c — the CVMs that are gone and remembered: a share of the places for each owner, so that who makes
 * and removes many pushes out his own, and nobody else's.
 */
#include "manager/fleet/fleet_state.h"

#include <string.h>

static struct gone_share *find_share(const struct fleet *f, const char *owner)
{
	for (size_t i = 0; i < f->share_count; i++)
		if (strcmp(f->shares[i].owner, owner) == 0)
			return (struct gone_share *)&f->shares[i];
	return NULL;
}

/* One that nobody has any more; what was forgotten of his stays known. */
static struct gone_share *empty_share(struct fleet *f)
{
	size_t i = 0;

	if (f->share_count < ARRAY_LEN(f->shares))
		return &f->shares[f->share_count++];
	while (f->shares[i].count >
	       0) /* there are not more entries than shares, and one was forgotten */
		i++;
	if (f->shares[i].forgotten > f->forgotten_rest)
		f->forgotten_rest = f->shares[i].forgotten;
	return &f->shares[i];
}

static void forget(struct fleet *f, struct gone_entry *entry)
{
	uint64_t revision = entry->gone.revision;

	TAILQ_REMOVE(&f->gone_order, entry, link);
	entry->share->count--;
	if (revision > entry->share->forgotten)
		entry->share->forgotten = revision;
	if (revision > f->forgotten)
		f->forgotten = revision;
}

/* The oldest of those who have most, the one that comes counted. */
static struct gone_entry *last_to_stay(struct fleet *f, const struct gone_share *comes)
{
	size_t most = comes ? comes->count + 1 : 1;
	struct gone_entry *entry;

	for (size_t i = 0; i < f->share_count; i++)
		if (f->shares[i].count > most)
			most = f->shares[i].count;
	TAILQ_FOREACH(entry, &f->gone_order, link)
		if (entry->share->count + (entry->share == comes) == most)
			return entry;
	return TAILQ_FIRST(&f->gone_order);
}

void fleet_gone_keep(struct fleet *f, const struct cvm_gone *gone)
{
	struct gone_share *share = find_share(f, gone->owner);
	struct gone_entry *entry;

	if (f->gone_count < ARRAY_LEN(f->gone)) {
		entry = &f->gone[f->gone_count++];
	} else {
		entry = last_to_stay(f, share);
		forget(f, entry);
	}
	if (!share) {
		share = empty_share(f);
		*share = (struct gone_share){ .forgotten = f->forgotten_rest };
		memcpy(share->owner, gone->owner, sizeof(share->owner));
	}
	share->count++;
	entry->gone = *gone;
	entry->share = share;
	TAILQ_INSERT_TAIL(&f->gone_order, entry, link);
}

const struct cvm_gone *fleet_gone_find(const struct fleet *f, const char *id)
{
	for (size_t i = 0; i < f->gone_count; i++)
		if (strcmp(f->gone[i].gone.id, id) == 0)
			return &f->gone[i].gone;
	return NULL;
}

uint64_t fleet_forgotten(const struct fleet *f, const struct access_caller *caller)
{
	const struct gone_share *share;

	if (!*caller->tenant)
		return f->forgotten;
	share = find_share(f, caller->tenant);
	return share ? share->forgotten : f->forgotten_rest;
}
