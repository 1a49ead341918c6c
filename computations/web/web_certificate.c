/* SPDX-License-Identifier: Apache-2.0 */
/* web_certificate.c — the authority's certificate and its revocation list: for everybody, as programs ask for them. */
#include "computations/web/web_certificate.h"

#include "computations/ca/ca_record.h"
#include "computations/web/web_access.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

struct asked {
	struct http_request *r; /* a reference */
	const struct authority *authority;
	uint8_t *der;
	size_t len;
};

static int no_authority(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "this service issues no certificates, or not of that authority");
}

static int run(struct store *store, void *data, struct err *e)
{
	struct asked *asked = data;

	return ca_crl(&store->db, asked->authority, store_now(), &asked->der, &asked->len, e);
}

static void done(void *data, const struct err *e)
{
	struct asked *asked = data;

	if (e)
		http_request_fail(asked->r, e);
	else
		http_request_answer(asked->r, &(struct http_answer){ .status = 200,
								     .type = "application/pkix-crl",
								     .body = asked->der,
								     .len = asked->len });
	http_request_unref(asked->r);
	free(asked);
}

void web_certificate_list(struct http_request *r, void *data)
{
	struct web *web = data;
	const char *name = http_request_param(r, "name");
	const struct authority *a = web->service->authority;
	struct asked *asked;
	struct err e;

	if (name)
		a = authority_of_list(a, name);
	if (!a) {
		(void)no_authority(&e);
		http_request_fail(r, &e);
		return;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked) {
		err_nomem(&e);
		http_request_fail(r, &e);
		return;
	}
	asked->r = http_request_ref(r);
	asked->authority = a;
	if (web_access_queue(web, r, &(struct store_queue_op){ run, done, asked }, false, &e) < 0)
		done(asked, &e);
}

void web_certificate(struct http_request *r, void *data)
{
	const struct web *web = data;
	char *pem = web->service->authority ? strdup(web->service->authority->pem) : NULL;
	struct err e;

	if (!pem) {
		if (web->service->authority)
			err_nomem(&e);
		else
			(void)no_authority(&e);
		http_request_fail(r, &e);
		return;
	}
	http_request_answer(r, &(struct http_answer){ .status = 200,
						      .type = "application/x-pem-file",
						      .body = (uint8_t *)pem,
						      .len = strlen(pem) });
}
