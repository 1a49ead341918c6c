/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_document.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <string.h>

/* Bytes of one document while nobody has decided about them. */
struct candidate {
	uint8_t *body;
	size_t body_len;
	char *chain;
	size_t chain_len;
	int64_t written, dated; /* `written` 0: a time that can't be, so that nobody knows */
	bool good;
};

static void candidate_done(struct candidate *c)
{
	free(c->body);
	free(c->chain);
	memset(c, 0, sizeof(*c));
}
#define CLEANUP_CANDIDATE __attribute__((cleanup(candidate_done)))

static int64_t now_seconds(void)
{
	return clock_ms(CLOCK_REALTIME) / 1000;
}

static struct endorse_parts parts_of(const struct candidate *c)
{
	return (struct endorse_parts){ .body = { c->body, c->body_len },
				       .chain = { (const uint8_t *)c->chain, c->chain_len },
				       .asked = c->written };
}

void endorse_forget(struct endorsements *n)
{
	for (size_t i = 0; i < n->kept_count; i++)
		free(n->kept[i]);
	n->kept_count = 0;
}

void endorse_begin(struct endorsements *n)
{
	endorse_forget(n);
	n->hold = NULL;
	n->wanted = false;
	n->stale_count = 0;
	n->crl_max_age = 0;
	n->must_keep = false;
	n->signatures = NULL;
	n->deadline = clock_ms(CLOCK_MONOTONIC) + (int64_t)n->config.deadline * 1000;
}

int endorse_group_of(struct endorsements *n, const char *name, struct endorse_group *group,
		     struct err *e)
{
	if (!n->cache && endorse_cache_folder(n->config.cache, &n->cache, e) < 0)
		return err_code(e);
	return endorse_group_open(group, n->cache, name, e);
}

static int check(const struct endorse_document *d, struct candidate *c, struct err *e)
{
	struct endorse_parts parts = parts_of(c);

	if (d->check(d->data, &parts, &c->dated, e) < 0)
		return err_code(e);
	c->good = true;
	return 0;
}

/* Good, or not there: a cached document that the check refuses counts as missing. */
static void read_cached(const struct endorse_group *group, const struct endorse_document *d,
			struct candidate *c)
{
	struct err ignored;
	int64_t chain_written;
	uint8_t *chain;

	candidate_done(c);
	if (endorse_group_read(group, d->file, d->max, &c->body, &c->body_len, &c->written,
			       &ignored) < 0)
		return;
	if (d->chain_file) {
		if (endorse_group_read(group, d->chain_file, ENDORSE_HEADER_MAX, &chain,
				       &c->chain_len, &chain_written, &ignored) < 0)
			return;
		c->chain = (char *)chain;
	}
	/* A file of the future, by the clock that stamps files, would stay fresh until then. */
	if (c->written > now_seconds())
		c->written = 0;
	if (check(d, c, &ignored) < 0)
		c->good = false;
}

static bool is_fresh(const struct endorsements *n, const struct endorse_document *d,
		     const struct candidate *c, int64_t at)
{
	int64_t age = at - c->written;

	if (!c->good || !d->ages)
		return c->good;
	return c->written && age < ENDORSE_FRESH_SECONDS &&
	       (!d->is_crl || !n->crl_max_age || age <= (int64_t)n->crl_max_age);
}

static int fetch(struct endorsements *n, const struct endorse_document *d, const char *url,
		 struct candidate *c, struct err *e)
{
	const struct endorse_request request = {
		.url = url, .max = d->max, .header = d->header, .other_header = d->other_header
	};
	struct endorse_answer answer;

	if (!n->http && endorse_http_new(n->config.ca, &n->stopped, &n->http, e) < 0)
		return err_code(e);
	if (endorse_http_get(n->http, &request, n->deadline, &answer, e) < 0)
		return err_code(e);
	c->body = answer.body;
	c->body_len = answer.len;
	c->chain = answer.header;
	c->chain_len = answer.header_len;
	c->written = now_seconds();
	if (d->tidy)
		d->tidy(c->body, &c->body_len);
	return 0;
}

/* The chain first: a document without its own is refused by the next reader, and fetched again. */
static int keep(const struct endorse_group *group, const struct endorse_document *d,
		const struct candidate *c, struct err *e)
{
	if (d->chain_file &&
	    endorse_group_write(group, d->chain_file, c->chain, c->chain_len, e) < 0)
		return err_code(e);
	return endorse_group_write(group, d->file, c->body, c->body_len, e);
}

/* A cache that can't be written, on a full disk say, is no reason to judge otherwise: the document is as
 * good. Only who wants the files needs them kept. */
static int without_cache(const struct endorsements *n, const struct endorse_document *d,
			 struct err *e)
{
	if (n->must_keep || e->code == ERR_DEADLINE)
		return err_code(e);
	log_warn("%s is not kept, and is fetched again next time: %s", d->name, e->text);
	return 0;
}

int endorse_keep(struct endorsements *n, struct span bytes, struct span *copy, struct err *e)
{
	uint8_t *made;

	if (n->kept_count == ENDORSE_KEPT_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d documents", ENDORSE_KEPT_MAX);
	made = malloc(bytes.len + 1);
	if (!made)
		return err_nomem(e);
	memcpy(made, bytes.bytes, bytes.len);
	n->kept[n->kept_count++] = made;
	*copy = (struct span){ made, bytes.len };
	return 0;
}

static int hand_out(struct endorsements *n, struct candidate *c, struct endorse_parts *parts,
		    struct err *e)
{
	if (n->kept_count + 2 > ENDORSE_KEPT_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d documents", ENDORSE_KEPT_MAX);
	*parts = parts_of(c);
	n->kept[n->kept_count++] = TAKE_PTR(c->body);
	n->kept[n->kept_count++] = TAKE_PTR(c->chain);
	return 0;
}

/* Whoever failed a moment ago is not asked again at once: not for another's sake, either. What was served
 * and is not accepted is no failure of the service's: the evidence that it was compared with may be at
 * fault, in bytes that are not in the address, and the next piece, a genuine one, has the same address. */
static int fetch_or_remember(struct endorsements *n, const struct endorse_document *d,
			     const char *url, struct candidate *c, struct err *e)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	int failed;

	if (endorse_failures_find(&n->failures, url, now, e))
		return err_code(e);
	failed = fetch(n, d, url, c, e);
	if (failed && !atomic_load(&n->stopped))
		endorse_failures_add(&n->failures, url, clock_ms(CLOCK_MONOTONIC), e);
	if (failed)
		return failed;
	if (check(d, c, e) < 0)
		return err_wrap(e, "what %s serves is not accepted", url);
	return 0;
}

/* From the service, under the group's lock: another process may have been faster. */
static int renew(struct endorsements *n, struct endorse_group *group,
		 const struct endorse_document *d, const char *url, int64_t at,
		 struct candidate *cached, struct err *e)
{
	CLEANUP_CANDIDATE struct candidate fetched = { 0 };

	bool locked = endorse_group_lock(group, n->deadline, e) == 0;

	if (!locked && without_cache(n, d, e) < 0)
		return err_code(e);
	read_cached(group, d, cached);
	if (is_fresh(n, d, cached, at))
		return 0;
	if (fetch_or_remember(n, d, url, &fetched, e) < 0)
		return err_code(e);
	if (cached->good && fetched.dated < cached->dated)
		return err_set(e, ERR_DENIED, "%s serves an older one than is in the cache", url);
	if (locked && keep(group, d, &fetched, e) < 0 && without_cache(n, d, e) < 0)
		return err_code(e);
	candidate_done(cached);
	*cached = fetched;
	fetched = (struct candidate){ 0 };
	return 0;
}

/* What a reader of the verdict has to know. */
static void note_stale(struct endorsements *n, const struct endorse_document *d,
		       const struct candidate *c, const struct err *why)
{
	if (n->stale_count < ENDORSE_STALE_MAX)
		n->stale[n->stale_count++] =
			(struct endorse_stale){ d->name, c->written, c->dated, *why };
}

/* A good document that is no longer fresh is used where no newer one can be had. */
int endorse_document_get(struct endorsements *n, struct endorse_group *group,
			 const struct endorse_document *d, const char *url, int64_t at,
			 struct endorse_parts *parts, struct err *e)
{
	CLEANUP_CANDIDATE struct candidate c = { 0 };

	read_cached(group, d, &c);
	bool fresh = is_fresh(n, d, &c, at);
	if (!c.good && n->hold)
		return err_set(e, ERR_NOT_FOUND, "%s: not in the cache, and %s (cache: %s)",
			       d->name, n->hold, log_quote(group->folder).text);
	n->wanted = n->wanted || !fresh;
	if (!c.good && n->config.offline)
		return err_set(e, ERR_NOT_FOUND,
			       "%s: not in the cache, and nothing is fetched offline (cache: %s)",
			       d->name, log_quote(group->folder).text);
	if (fresh || n->hold)
		return hand_out(n, &c, parts, e);
	if (n->config.offline)
		err_record(e, ERR_NOT_FOUND, "nothing is fetched offline");
	else if (renew(n, group, d, url, at, &c, e) == 0)
		return hand_out(n, &c, parts, e);
	if (!c.good)
		return err_wrap(e, "%s", d->name);
	note_stale(n, d, &c, e);
	return hand_out(n, &c, parts, e);
}
