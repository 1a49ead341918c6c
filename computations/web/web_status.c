/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_status.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "common/crypto/keyed_rate.h"
#include "computations/ca/ocsp.h"
#include "computations/ca/ocsp_request.h"
#include "computations/web/web_access.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asked {
	struct http_request *r; /* a reference */
	struct ocsp_responder *responder;
	uint8_t *request;
	size_t len;
	bool is_get;
	struct ocsp_answer answer;
};

static void asked_free(struct asked *asked)
{
	http_request_unref(asked->r);
	free(asked->request);
	ocsp_answer_done(&asked->answer);
	free(asked);
}

/* RFC 5019, section 6.2: a GET's answer may be kept on its way, for a while that a revocation can wait. */
static void give(struct asked *asked)
{
	char cache[96], text[2 * SHA256_LEN + 1], etag[sizeof(text) + 2];
	char from[HTTP_DATE_MAX], until[HTTP_DATE_MAX];
	const struct ocsp_answer *a = &asked->answer;
	struct http_answer answer = { .status = 200, .type = "application/ocsp-response" };
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	if (asked->is_get && a->is_cacheable &&
	    digest(DIGEST_SHA256, a->der, a->len, hash, &ignored) == 0) {
		snprintf(cache, sizeof(cache), "max-age=%d, public, no-transform, must-revalidate",
			 OCSP_CACHED_S);
		hex_encode(hash, sizeof(hash), text);
		snprintf(etag, sizeof(etag), "\"%s\"", text);
		http_date(a->from / 1000, from);
		http_date(a->until / 1000, until);
		answer.cache = cache;
		answer.etag = etag;
		answer.more[0] = (struct rpc_web_field){ "last-modified", from };
		answer.more[1] = (struct rpc_web_field){ "expires", until };
	}
	answer.body = asked->answer.der;
	answer.len = asked->answer.len;
	asked->answer.der = NULL;
	http_request_answer(asked->r, &answer);
}

static int run(struct store *store, void *data, struct err *e)
{
	struct asked *asked = data;

	ocsp_answer_done(&asked->answer); /* of a try that another transaction undid */
	return ocsp_answer_make(&store->db, asked->responder,
				(struct span){ asked->request, asked->len }, store_now(),
				&asked->answer, e);
}

static void done(void *data, const struct err *e)
{
	struct asked *asked = data;
	struct err failed;

	/* A program asks that knows nothing of our errors; the log has them. */
	if (e)
		ocsp_answer_done(&asked->answer);
	if (e && ocsp_answer_refuse(e->code == ERR_UNAVAILABLE || e->code == ERR_EXHAUSTED
					    ? OCSP_TRY_LATER
					    : OCSP_INTERNAL,
				    &asked->answer, &failed) < 0)
		http_request_fail(asked->r, &failed);
	else
		give(asked);
	asked_free(asked);
}

/* Takes over the bytes. */
static void ask(struct http_request *r, struct web *web, uint8_t *request, size_t len, bool is_get)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	const struct rpc_source source = http_request_source(r);
	int64_t wait;
	struct err e;

	if (!asked) {
		free(request);
		err_nomem(&e);
		http_request_fail(r, &e);
		return;
	}
	asked->r = http_request_ref(r);
	asked->responder = web->service->ocsp;
	asked->request = request;
	asked->len = len;
	asked->is_get = is_get;
	if (keyed_rate_take(web->status_rate, source.bytes, RPC_SOURCE_LEN,
			    clock_ms(CLOCK_BOOTTIME), &wait, &e) < 0 ||
	    wait) {
		(void)err_set(&e, ERR_UNAVAILABLE, "too many questions about certificates");
		done(asked, &e);
	} else if (web_access_queue(web, r, &(struct store_queue_op){ run, done, asked }, false,
				    &e) < 0) {
		done(asked, &e);
	}
}

static bool is_there(struct http_request *r, const struct web *web)
{
	struct err e;

	if (web->service->ocsp)
		return true;
	(void)err_set(&e, ERR_NOT_FOUND, "this service issues no certificates");
	http_request_fail(r, &e);
	return false;
}

void web_status_get(struct http_request *r, void *data)
{
	const char *text = http_request_param(r, "request");
	struct web *web = data;
	uint8_t *request = NULL;
	size_t len = 0;
	struct err e;

	if (!is_there(r, web))
		return;
	/* What can't be read is a request that can't be, too. */
	if (base64_decode(text, strlen(text), &request, &len, &e) < 0)
		request = NULL;
	ask(r, web, request, request ? len : 0, true);
}

void web_status_post(struct http_request *r, void *data)
{
	struct web *web = data;
	uint8_t *request;
	const uint8_t *body;
	struct err e;
	size_t len;

	if (!is_there(r, web))
		return;
	body = http_request_body(r, &len);
	request = malloc(len + 1);
	if (!request) {
		err_nomem(&e);
		http_request_fail(r, &e);
		return;
	}
	if (len)
		memcpy(request, body, len);
	ask(r, web, request, len, false);
}
