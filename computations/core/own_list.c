/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/own_list.h"

#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "computations/ca/ca_record.h"

#include <stdlib.h>
#include <string.h>

struct own_list {
	struct service *service;
	const struct authority *authority;
	struct own_list *old; /* of the authority of before; NULL: there is none */
	struct revocation *listeners[OWN_LIST_LISTENERS];
	struct crl *first[OWN_LIST_LISTENERS]; /* for them, until they are there */
	uint8_t last[SHA256_LEN];              /* of the list that they have */
	struct err failed;                     /* the last time; code ERR_OK: it did not */
	uv_timer_t timer;
	bool is_asked, is_asked_again, is_stopped;
};

/* One reading. */
struct reading {
	struct own_list *own;
	const struct authority *authority;
	uint8_t last[SHA256_LEN];
	struct crl *lists[OWN_LIST_LISTENERS]; /* of each listener; NULL: it is as it was */
};

static void done_reading(struct reading *r)
{
	for (size_t i = 0; i < OWN_LIST_LISTENERS; i++)
		crl_free(r->lists[i]);
}

/* Whom the service has revoked it knows also while the authority's key is away. */
static int read_list(struct store *store, const struct authority *a, uint8_t **der, size_t *len,
		     bool *is_signed, struct err *e)
{
	const int64_t now = store_now();

	*is_signed = ca_crl(&store->db, a, now, der, len, e) == 0;
	if (*is_signed)
		return 0;
	return ca_signer_may_wait(e) ? ca_own_crl(&store->db, a, now, der, len, e) : err_code(e);
}

static int run(struct store *store, void *data, struct err *e)
{
	struct reading *r = data;
	CLEANUP(free) uint8_t *der = NULL;
	uint8_t now[SHA256_LEN];
	bool is_signed;
	size_t len;

	if (read_list(store, r->authority, &der, &len, &is_signed, e) < 0 ||
	    digest(DIGEST_SHA256, der, len, now, e) < 0)
		return err_code(e);
	if (memcmp(now, r->last, SHA256_LEN) == 0)
		return 0;
	for (size_t i = 0; i < OWN_LIST_LISTENERS; i++)
		if (crl_read(der, len, &r->lists[i], e) < 0 ||
		    (is_signed ? crl_verify(r->lists[i], r->authority->cert, e)
			       : crl_vouch(r->lists[i], r->authority->cert, e)) < 0)
			return err_code(e);
	memcpy(r->last, now, SHA256_LEN);
	return 0;
}

static int put(struct own_list *own, struct reading *r, struct err *e)
{
	for (size_t i = 0; i < OWN_LIST_LISTENERS; i++)
		if (r->lists[i] && own->listeners[i] &&
		    revocation_put(own->listeners[i], TAKE_PTR(r->lists[i]), e) < 0)
			return err_code(e);
	memcpy(own->last, r->last, SHA256_LEN);
	return 0;
}

static struct reading reading_of(struct own_list *own)
{
	struct reading r = { .own = own, .authority = own->authority };

	memcpy(r.last, own->last, SHA256_LEN);
	return r;
}

static void done(void *data, const struct err *failed)
{
	struct reading *r = data;
	struct own_list *own = r->own;
	struct err e = { .code = ERR_OK };

	own->is_asked = false;
	if (failed)
		e = *failed;
	else if (!own->is_stopped && put(own, r, &e) == 0)
		e = (struct err){ .code = ERR_OK };
	if (e.code != ERR_OK && strcmp(e.text, own->failed.text) != 0)
		log_error("this service's own revocation list: %s", e.text);
	own->failed = e;
	done_reading(r);
	free(r);
	if (TAKE(own->is_asked_again, false))
		own_list_renew(own);
}

void own_list_renew(struct own_list *own)
{
	struct reading *r;
	struct err e;

	if (!own || own->is_stopped)
		return;
	own_list_renew(own->old);
	/* One that began before may have read what was there before. */
	if (own->is_asked) {
		own->is_asked_again = true;
		return;
	}
	err_nomem(&e);
	r = malloc(sizeof(*r));
	if (r)
		*r = reading_of(own);
	if (!r || store_queue_add(own->service->queue, &(struct store_queue_op){ run, done, r },
				  &e) < 0) {
		log_error("this service's own revocation list: %s", e.text);
		free(r);
		return;
	}
	own->is_asked = true;
}

static void on_timer(uv_timer_t *timer)
{
	own_list_renew(timer->data);
}

/* While nothing else uses the database. */
static int read_now(struct own_list *own, struct store *store, struct err *e)
{
	struct reading r = reading_of(own);
	int failed = db_begin(&store->db, e);

	if (failed)
		return failed;
	failed = run(store, &r, e);
	if (failed)
		db_rollback(&store->db);
	else
		failed = db_commit(&store->db, e);
	if (failed) {
		done_reading(&r);
		return failed;
	}
	memcpy(own->first, r.lists, sizeof(own->first));
	memcpy(own->last, r.last, SHA256_LEN);
	return 0;
}

int own_list_new(struct service *service, const struct authority *authority, struct store *store,
		 struct own_list **own, struct err *e)
{
	struct own_list *o;

	if (!authority)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return err_nomem(e);
	o->service = service;
	o->authority = authority;
	o->is_stopped = true;
	if (own_list_new(service, authority->old, store, &o->old, e) < 0 ||
	    read_now(o, store, e) < 0) {
		own_list_free(o);
		return err_wrap(e, "this service's own revocation list");
	}
	*own = o;
	return 0;
}

int own_list_listen(struct own_list *own, struct revocation *const listeners[OWN_LIST_LISTENERS],
		    struct err *e)
{
	if (!own)
		return 0;
	if (own_list_listen(own->old, listeners, e) < 0)
		return err_code(e);
	memcpy(own->listeners, listeners, sizeof(own->listeners));
	for (size_t i = 0; i < OWN_LIST_LISTENERS; i++)
		if (listeners[i] && revocation_put(listeners[i], TAKE_PTR(own->first[i]), e) < 0)
			return err_code(e);
	own->is_stopped = false;
	uv_timer_init(own->service->loop, &own->timer);
	own->timer.data = own;
	uv_timer_start(&own->timer, on_timer, OWN_LIST_MS, OWN_LIST_MS);
	return 0;
}

void own_list_stop(struct own_list *own)
{
	if (!own || own->is_stopped)
		return;
	own_list_stop(own->old);
	own->is_stopped = true;
	uv_close((uv_handle_t *)&own->timer, NULL);
}

void own_list_free(struct own_list *own)
{
	for (size_t i = 0; own && i < OWN_LIST_LISTENERS; i++)
		crl_free(own->first[i]);
	if (own)
		own_list_free(own->old);
	free(own);
}
