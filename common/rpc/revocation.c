/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/revocation.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/rpc/revocation_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct revocation {
	unsigned refs;
	struct revocation_config config;
	char *path;
	STACK_OF(X509) * authorities;
	struct crl_set set;
	uint64_t turn, counts[REVOCATION_EVENTS];
	uv_loop_t *loop;
	uv_timer_t timer;
	struct stat seen; /* the file that was read last, */
	struct err wrong; /* and why it was refused; code ERR_OK: it was not */
	int64_t retry_at, looked_at;
	bool is_reading, is_closed;
	bool is_older; /* a list of the file that was read last was not taken */
};

static int64_t now_s(void)
{
	return clock_ms(CLOCK_REALTIME) / 1000;
}

struct revocation *revocation_ref(struct revocation *r)
{
	if (r)
		r->refs++;
	return r;
}

void revocation_unref(struct revocation *r)
{
	if (!r || --r->refs > 0)
		return;
	crl_set_done(&r->set);
	revocation_certs_free(r->authorities);
	free(r->path);
	free(r);
}

/* ---- the file ---- */

/* Those that ended since the last look: from now on nobody comes in by them. */
static void tell_ended(const struct revocation *r, int64_t now)
{
	char when[TIMESTAMP_TEXT_MAX];

	for (size_t i = 0; i < r->set.count; i++) {
		int64_t end = crl_next_update(r->set.lists[i]);

		if (end >= now || end < r->looked_at)
			continue;
		timestamp_format(end, when);
		log_error("%s: the list of %s ended at %s: its certificates are refused "
			  "until there is a newer one",
			  r->config.setting, crl_issuer(r->set.lists[i]), when);
	}
}

/* The lists that were read take their places. */
static int renew(struct revocation *r, struct crl_set *fresh, struct err *e)
{
	const int64_t now = now_s();
	size_t older, count = fresh->count;

	if (crl_set_renew(&r->set, fresh, now, &older, e) < 0)
		return err_code(e);
	r->turn++;
	r->is_older = older > 0;
	r->looked_at = 0;
	tell_ended(r, now);
	r->looked_at = now;
	log_info("%s: %zu list%s read from '%s'", r->config.setting, count, count == 1 ? "" : "s",
		 r->path);
	if (older)
		log_warn("%s: %zu of them older (by number, or else by date) than what was read "
			 "before, which stays; if its authority counts anew, start this again",
			 r->config.setting, older);
	return 0;
}

static void refuse(struct revocation *r, const struct err *e)
{
	if (strcmp(r->wrong.text, e->text) != 0)
		log_error("%s: %s: what was read before stays in force until it ends",
			  r->config.setting, e->text);
	r->wrong = *e;
	r->retry_at = clock_ms(CLOCK_MONOTONIC) + REVOCATION_RETRY_MS;
}

static void on_read(struct revocation_file *file)
{
	struct revocation *r = file->data;
	struct err e = file->failed;

	r->is_reading = false;
	if (!r->is_closed) {
		r->seen = file->seen;
		if (e.code == ERR_OK && renew(r, &file->set, &e) == 0)
			r->wrong = (struct err){ .code = ERR_OK };
		else
			refuse(r, &e);
	}
	revocation_file_done(file);
	free(file);
	revocation_unref(r);
}

static void start_reading(struct revocation *r)
{
	struct revocation_file *file = calloc(1, sizeof(*file));
	struct err e;

	err_nomem(&e);
	if (file && revocation_file_init(file, r->path, r->authorities, &r->set, &e) == 0) {
		file->data = revocation_ref(r);
		if (revocation_file_start(r->loop, file, on_read, &e) == 0) {
			r->is_reading = true;
			return;
		}
		revocation_unref(r);
	}
	if (file)
		revocation_file_done(file);
	free(file);
	refuse(r, &e);
}

static bool is_due(const struct revocation *r)
{
	struct stat now = { 0 };

	if (r->wrong.code != ERR_OK && clock_ms(CLOCK_MONOTONIC) >= r->retry_at)
		return true;
	(void)!stat(r->path, &now); /* all zero where there is none */
	return !revocation_file_is_same(&now, &r->seen);
}

static void on_timer(uv_timer_t *timer)
{
	struct revocation *r = timer->data;
	int64_t now = now_s();

	tell_ended(r, now);
	r->looked_at = now;
	if (r->path && !r->is_reading && is_due(r))
		start_reading(r);
}

/* At the start: all at once, and nothing else goes on before. */
static int read_now(struct revocation *r, struct err *e)
{
	struct revocation_file file = { .path = NULL };
	int failed = revocation_file_init(&file, r->path, r->authorities, &r->set, e);

	if (!failed) {
		revocation_file_read(&file);
		*e = file.failed;
		failed = e->code == ERR_OK ? renew(r, &file.set, e) : err_code(e);
		r->seen = file.seen;
	}
	revocation_file_done(&file);
	return failed;
}

/* ---- its life ---- */

int revocation_new(uv_loop_t *loop, const struct revocation_config *config,
		   struct revocation **revocation, struct err *e)
{
	struct revocation *r = calloc(1, sizeof(*r));
	int failed = 0;

	if (!r)
		return err_nomem(e);
	r->refs = 1;
	r->config = *config;
	r->loop = loop;
	r->looked_at = now_s();
	if (config->path && !(r->path = strdup(config->path)))
		failed = err_nomem(e);
	if (!failed)
		failed = revocation_certs_read(config->ca, &r->authorities, e);
	if (!failed && r->path)
		failed = read_now(r, e);
	if (failed) {
		revocation_unref(r);
		return err_wrap(e, "%s", config->setting);
	}
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	uv_timer_start(&r->timer, on_timer, REVOCATION_LOOK_MS, REVOCATION_LOOK_MS);
	uv_unref((uv_handle_t *)&r
			 ->timer); /* a look now and then is no reason to keep a loop running */
	*revocation = r;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	revocation_unref(handle->data);
}

void revocation_close(struct revocation *r)
{
	if (!r || r->is_closed)
		return;
	r->is_closed = true;
	r->config.refused = NULL;
	uv_close((uv_handle_t *)&r->timer, on_closed);
}

int revocation_put(struct revocation *r, struct crl *list, struct err *e)
{
	int put = crl_set_put(&r->set, list, e);

	if (put < 0)
		return put;
	if (put == CRL_PUT_NEW)
		r->turn++;
	return 0;
}

/* ---- who comes in ---- */

struct crl_judged revocation_judge(struct revocation *r, STACK_OF(X509) * chain, struct err *why)
{
	struct crl_judged j = crl_set_judge(&r->set, chain, now_s(), r->path != NULL);

	if (j.outcome == CRL_REVOKED)
		(void)err_set(why, ERR_DENIED, "certificate %s of %s: %s (%s)", j.serial, j.subject,
			      j.why, r->config.setting);
	else if (j.outcome == CRL_UNKNOWN && r->path)
		(void)err_set(why, ERR_DENIED,
			      "certificate %s of %s: %s (%s): fetch that authority's list (a "
			      "service that is it has /ca.crl) and rename it to '%s'%s",
			      j.serial, j.subject, j.why, r->config.setting, r->path,
			      r->wrong.code != ERR_OK ? "; the one that is there was refused" : "");
	else if (j.outcome == CRL_UNKNOWN)
		(void)err_set(
			why, ERR_DENIED,
			"certificate %s of %s: %s (this service's own): see that its database "
			"answers",
			j.serial, j.subject, j.why);
	return j;
}

uint64_t revocation_turn(const struct revocation *r)
{
	return r->turn;
}

void revocation_tell(struct revocation *r, const struct revocation_refused *refused)
{
	r->counts[refused->event]++;
	if (r->config.refused)
		r->config.refused(r->config.data, refused);
}

const char *revocation_setting(const struct revocation *r)
{
	return r->config.setting;
}

uint64_t revocation_count(const struct revocation *r, enum revocation_event event)
{
	return r->counts[event];
}

bool revocation_is_stale(const struct revocation *r)
{
	return r->wrong.code != ERR_OK || r->is_older;
}

const struct crl_set *revocation_lists(const struct revocation *r)
{
	return &r->set;
}
