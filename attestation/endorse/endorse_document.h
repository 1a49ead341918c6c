/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_document.h — one document, from the cache or from its service, believed only when its
 * check says so; and the object that fetches (endorsements.h).
 */
#pragma once

#include "attestation/endorse/endorse_cache.h"
#include "attestation/endorse/endorse_config.h"
#include "attestation/endorse/endorse_failures.h"
#include "attestation/endorse/endorse_http.h"

#include <stdatomic.h>

enum {
	ENDORSE_KEPT_MAX = 32, /* pieces handed out by one call */
	/* Lists of what is revoked or out of date are asked for again after a day, though they hold
	 * for weeks: what was kept serves while the service can't be reached. */
	ENDORSE_FRESH_SECONDS = 86400,
	ENDORSE_STALE_MAX = 4, /* documents that age, of one call */
};

/* One that was used though it is no longer fresh, since its service could not be asked. */
struct endorse_stale {
	const char *name;      /* of the document */
	int64_t asked, issued; /* when the service handed it out, 0: unknown; when it was made */
	struct err why;
};

struct endorsements {
	struct endorsements_config config;
	char *cache;               /* NULL until it is needed */
	struct endorse_http *http; /* the same */
	int64_t deadline;          /* of the call under way, on CLOCK_MONOTONIC, in ms */
	const char *hold;          /* why nothing is fetched; NULL: it is */
	bool wanted;               /* a service would have been asked, but for offline */
	bool must_keep; /* of the call under way: a document that can't be kept is refused */
	struct endorse_failures failures;
	atomic_bool stopped;
	void *kept[ENDORSE_KEPT_MAX];
	size_t kept_count;
	struct endorse_stale stale[ENDORSE_STALE_MAX];
	size_t stale_count;
	struct signatures *signatures; /* of the call under way; NULL: none are remembered */
	uint64_t crl_max_age; /* seconds, of the policy of the call under way; 0: not said */
};

/* A document's bytes, the chain of its issuer where the service sends one along, and when the service
 * handed it out (seconds since 1970; 0: the cache does not know). */
struct endorse_parts {
	struct span body, chain;
	int64_t asked;
};

struct endorse_document {
	const char *name;                  /* for people: "TCB info" */
	const char *file, *chain_file;     /* in the group; the second NULL: no chain */
	const char *header, *other_header; /* that hold the chain; NULL with chain_file NULL */
	size_t max;
	bool ages;   /* ENDORSE_FRESH_SECONDS */
	bool is_crl; /* and no longer than the policy lets a revocation list be old */

	/* 0 if it is what it should be, genuine and valid; `*dated` says when it was issued, 0
	 * where that doesn't matter: an older one never replaces a newer. */
	int (*check)(const void *data, const struct endorse_parts *parts, int64_t *dated,
		     struct err *e);
	const void *data;

	/* From what a service sends to what the check wants, in place; may be NULL. */
	void (*tidy)(uint8_t *body, size_t *len);
};

/* The group of a name, in the cache of the configuration. */
int endorse_group_of(struct endorsements *n, const char *name, struct endorse_group *group,
		     struct err *e) MUST_CHECK;

/* `url` is the document's address; `at` the moment to judge at. The parts belong to `n`. */
int endorse_document_get(struct endorsements *n, struct endorse_group *group,
			 const struct endorse_document *document, const char *url, int64_t at,
			 struct endorse_parts *parts, struct err *e) MUST_CHECK;

/* A call begins: what the last one handed out goes, and the time runs. */
void endorse_begin(struct endorsements *n);
/* What was handed out goes. */
void endorse_forget(struct endorsements *n);

/* A copy that belongs to `n`. */
int endorse_keep(struct endorsements *n, struct span bytes, struct span *copy,
		 struct err *e) MUST_CHECK;
