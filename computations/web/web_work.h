/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_work.h — a request for the page on its way through the database. For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "common/http/events.h"
#include "common/http/http_server.h"
#include "computations/core/admin_access.h"
#include "computations/core/service.h"
#include "computations/core/sign_in_rate.h"
#include "computations/oidc/oidc.h"
#include "computations/people/factor.h"
#include "computations/people/trip.h"
#include "computations/store/store_confirm.h"
#include "computations/store/store_key.h"
#include "computations/web/web_door.h"
#include "computations/web/web_noun.h"

enum {
	WEB_ROWS = 50,          /* of a list's page */
	WEB_PAGE_MAX = 4 << 20, /* bytes of a page, or of an answer in JSON */
	WEB_RECORDS = 60,       /* events on a page */
	WEB_ROUTES_MAX = 256,
	WEB_CSRF_LEN = 2 * SHA256_LEN,
	WEB_ETAG_LEN = 2 * REVISION_LEN + 3, /* "REVISION.DIGEST", quoted */
};

struct keyed_rate;

struct web {
	struct service *service;
	struct http_server *http;
	struct http_event_hub *hub;
	struct http_routes routes;
	struct http_route rows[WEB_ROUTES_MAX]; /* of web_routes[] */
	struct web_door door;
	struct sign_in_rate *rate;
	struct keyed_rate *status_rate; /* of who asks about certificates */
	struct oidc *oidc;              /* NULL: no COMPUTATIONS_OIDC */
	/* What passkeys are for: "https://cocos.example.org:9466", "cocos.example.org"; "": there are none. */
	struct {
		char origin[WEB_URL_MAX], name[WEB_URL_MAX];
	} passkeys;
	uint8_t secret[SHA256_LEN]; /* of forms without a session */
	char *socket; /* where links are given; NULL: no TCP port of loopback needs them */
	TAILQ_HEAD(, web_follower) followers;
	TAILQ_HEAD(, usage_page) statements; /* that are sent in pieces */
};

struct web_work {
	struct http_request *r; /* a reference; what was asked for lives as long */
	struct web *web;
	struct admin_caller caller;
	int (*run)(struct store *store, struct web_work *work, struct err *e);
	void (*reply)(struct web_work *work);

	const char
		*id; /* a computation's or CVM's, or a workspace's name; NULL: the path has none */
	const char *after; /* of the query; "": from the beginning */
	void *more;        /* what else a page needs, of free_more() */
	void (*free_more)(void *more);
	struct store_search search;
	struct computation c, *rows;
	char csrf[WEB_CSRF_LEN + 1];     /* of forms; "": this caller can't send any */
	char revision[REVISION_LEN + 1]; /* of what is shown, where it can be changed */
	bool is_held;                    /* a CVM holds the computation (web_run_held) */
	bool may_make;                   /* the caller may have one made for it */
	bool is_kept;                    /* it is not over when reply() returns */
	size_t count;
	bool has_more;
	char *next; /* of a list in an order: the page behind; NULL: none */
	Cvms__ComputationRunReq *manifest;
	struct store_key_owners *owners; /* of its keys */
	struct store_confirmations *confirmations;
	struct login logins[LOGINS_MAX];
	struct token tokens[TOKENS_MAX];
	size_t login_count, token_count;
	struct factor_state factor; /* of web_run_factor() */
	struct identity identities[IDENTITIES_MAX];
	size_t identity_count;
	struct record *records; /* the newest WEB_RECORDS or fewer, oldest first */
	size_t record_count;
};

/* Whether its caller may do what the row of the request's route says, in the pool. */
int web_work_check(struct store *store, struct admin_caller *caller, const char *id,
		   struct err *e) MUST_CHECK;
/* Once the caller may: runs run() (may be NULL) in the pool, answers with reply() or the error. */
void web_work_start(struct web *web, struct http_request *r,
		    int (*run)(struct store *store, struct web_work *work, struct err *e),
		    void (*reply)(struct web_work *work));
/* From within reply(): who asks others first answers later, and ends it then. */
void web_work_keep(struct web_work *work);
void web_work_end(struct web_work *work);
/* 200 with what `w` has; 500 if it is bad. */
void web_reply_html(struct http_request *r, struct writer *w, unsigned status);
void web_reply_json(struct http_request *r, struct writer *w);
/* The same with 201: it was made. */
void web_reply_made(struct http_request *r, struct writer *w);
/* As web_reply_json() with an ETag, by which If-Match knows what was seen (revision.h). */
void web_reply_revision(struct http_request *r, struct writer *w, const char *revision);
bool web_is_connected(const struct web *web, const char *cvm_id);

/* What a computation's pages have in common: the way from one to the other, the manifest and its check, whose
 * key is where, events. */
int web_run_manifest(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
int web_run_held(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
void web_put_head(const struct web_work *work, const char *here, struct writer *w);
void web_put_manifest(const struct web_work *work, struct writer *w);
/* Who has compared it. */
void web_put_confirmations(const struct web_work *work, struct writer *w);
void web_put_people(const struct web_work *work, struct writer *w);
void web_put_record(const struct record *r, struct writer *w);

/* The rows' handlers. */
void web_list(struct http_request *r, void *data);
void web_list_json(struct http_request *r, void *data);
void web_one(struct http_request *r, void *data);
void web_one_json(struct http_request *r, void *data);
void web_manifest(struct http_request *r, void *data);
void web_manifest_page(struct http_request *r, void *data);
void web_roles(struct http_request *r, void *data);
void web_ask_run(struct http_request *r, void *data);
void web_ask_run_new(struct http_request *r, void *data);
void web_ask_stop(struct http_request *r, void *data);
void web_ask_remove(struct http_request *r, void *data);
/* web_identity.c */
void web_identities(struct http_request *r, void *data);
void web_identities_json(struct http_request *r, void *data);
/* web_rename.c */
void web_ask_rename(struct http_request *r, void *data);
void web_ask_release(struct http_request *r, void *data);
void web_confirmations_json(struct http_request *r, void *data);
void web_evidence(struct http_request *r, void *data);
void web_evidence_json(struct http_request *r, void *data);
void web_evidence_file(struct http_request *r, void *data);
void web_roles_json(struct http_request *r, void *data);
void web_users(struct http_request *r, void *data);
void web_users_json(struct http_request *r, void *data);
void web_cvms(struct http_request *r, void *data);
void web_cvms_json(struct http_request *r, void *data);
void web_cvm(struct http_request *r, void *data);
void web_cvm_json(struct http_request *r, void *data);
void web_audit(struct http_request *r, void *data);
void web_audit_json(struct http_request *r, void *data);
void web_audit_file(struct http_request *r, void *data);
void web_events(struct http_request *r, void *data);
void web_openapi(struct http_request *r, void *data);
void web_reference(struct http_request *r, void *data);
bool web_show_problem(const struct http_request *r, const struct http_problem *problem, void *data,
		      struct http_answer *answer);

struct web_action;

/* What can be asked for, what asking is, and what the document of the API says of it. */
struct web_route {
	struct http_route http;
	enum deed deed;                  /* unless http_anybody may */
	const struct web_action *action; /* NULL: it changes nothing, or by itself */
	const char *takes;               /* what its body is, if it makes something of a document */
	const char *summary;
	const char *type;         /* of what is answered; NULL: it is no part of the API */
	enum web_noun_name tells; /* of what reads, and answers in JSON; of others their action's */
	const struct list_kind *list; /* NULL: it has no orders */
};
extern const struct web_route web_routes[];
/* Whose calls count (call_rate.h): who is asked for on that row, but for what ends something, which nobody who has got hold of one's
 * token may keep one from. */
bool web_route_is_counted(const struct web_route *row);
extern const size_t web_routes_count;
/* What is asked for is found in them, and who may is asked, and counted: web.c, and whoever tries all that without a listener. */
void web_set_rows(struct web *web);
const struct web_route *web_row_of(const struct web *web, const struct http_request *r);
enum deed web_deed_of(const struct web *web, const struct http_request *r);
