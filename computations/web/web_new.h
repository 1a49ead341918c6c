/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_new.h — a new computation on its way: a manifest as a person writes it, in which users and assets may stand by name,
 * from a form or from JSON; then calls of the administrators' methods, which alone decide. For this folder only.
 *
 * What is sent twice is created once: a form has the id that it will have, and a call of the API has its key
 * (web_once.h).
 */
#pragma once

#include "computations/web/web_act.h"
#include "computations/web/web_form.h"
#include "computations/web/web_security.h"
#include "computations/web/web_work.h"

enum {
	WEB_MANIFEST_MAX = 256 << 10, /* bytes of JSON */
	WEB_NEW_DATASETS = 5,         /* of the form */
	WEB_NEW_CONSUMERS = 8,
	WEB_NEW_GRANTS = 1 + WEB_NEW_DATASETS + WEB_NEW_CONSUMERS,
	WEB_NEW_PLACES = 256,   /* workspaces to choose from */
	WEB_NEW_FIELD_MAX = 16, /* of a field's name */
	WEB_NEW_ID_LEN = 36,
};

/* Where the caller may create one. */
struct web_new_places {
	char *names[WEB_NEW_PLACES];
	size_t count;
};
int web_new_places(struct store *store, struct admin_caller *caller, struct web_new_places *places,
		   struct err *e) MUST_CHECK;
void web_new_places_done(struct web_new_places *places);

struct judge_place;
struct web_new_name;

/* Who is named in the form gets the role of what he does. */
struct web_new_grant {
	const char *role;
	char user[PEOPLE_NAME_MAX + 1];
};

struct web_new {
	struct http_request *r; /* a reference */
	struct web *web;
	struct admin_given given;
	struct admin_caller seen; /* him, once run() knows what he may: of pages' menus */
	struct web_form *form;    /* NULL: of the API */
	uint8_t *made;            /* of the form, as JSON */
	const uint8_t *text;
	size_t len;
	struct web_new_places places;
	struct web_new_grant grants[WEB_NEW_GRANTS];
	size_t grant_count, given_count;
	const char *workspace;
	char *place; /* the name of the one that is meant by it; NULL: none that the caller may use */
	const char *id; /* of the one that gets it in place of its own; NULL: it is of a new one */
	struct judge_place *line; /* where it is judged */
	size_t step;              /* there, the next one */
	struct web_new_name *names;
	size_t name_count;
	Cvms__ComputationRunReq *manifest;
	struct err why; /* it can't be created */
};

/* ---- web_new_read.c ---- */

extern const char *const web_new_needed[], *const web_new_others[];
const char *web_new_row(char name[WEB_NEW_FIELD_MAX], size_t row, const char *field);
/* What the agent logs at least; the last one is NULL. */
extern const char *const web_new_levels[];
/* What the form says, as JSON and roles to give. */
int web_new_read(struct web_new *n, struct err *e) MUST_CHECK;

/* Whether the form has room for all that a manifest says. */
bool web_new_has_room(const Cvms__ComputationRunReq *m);

/* ---- web_new_names.c ---- */

void web_new_names_done(struct web_new *n);
/* In the line, one after the other: which names it has; what it becomes; whether agents take its listener, and what
 * parties are going to be shown. */
int web_new_find_names(struct web_new *n, struct err *e) MUST_CHECK;
int web_new_make(struct web_new *n, struct err *e) MUST_CHECK;
int web_new_check(struct web_new *n, struct err *e) MUST_CHECK;

/* In a transaction. Where the computation is whose manifest it is going to be, or may be created: assets are found by name
 * there. */
int web_new_find_place(struct store *store, struct web_new *n, struct err *e) MUST_CHECK;
int web_new_take_place(struct store *store, struct web_new *n, struct admin_caller *caller,
		       struct err *e) MUST_CHECK;
/* What the names stand for, before web_new_make(). */
int web_new_look_up(struct store *store, struct web_new *n, struct admin_caller *caller,
		    struct err *e) MUST_CHECK;
/* As of struct admin_given; `seen` is the web_new. */
int web_new_still(struct store *store, struct admin_caller *caller, const void *seen,
		  struct err *e) MUST_CHECK;

/* ---- web_new_judge.c ---- */

/* Ends with web_new_judged(): `e`, if its caller may not; else `why` says whether there is a manifest. */
void web_new_start(struct web_new *n);
void web_new_judged(struct web_new *n, const struct err *e);

/* ---- web_new_clone.c ---- */

enum { WEB_NEW_FIELDS = 40 };

/* What stands in the fields at first. */
struct web_prefill {
	struct web_new_places places;
	struct {
		char name[WEB_NEW_FIELD_MAX];
		char *text;
	} fields[WEB_NEW_FIELDS];
	size_t count;
	bool is_clone,
		is_missing[WEB_FILES];   /* files that the other one has, and this form has not */
	size_t left_out;                 /* result consumers whose keys are no user's */
	char revision[REVISION_LEN + 1]; /* of the one that is edited */
};
void web_prefill_free(void *prefill);
/* What another computation has, which the caller may see. */
int web_prefill_from(struct store *store, struct web_work *work, const char *id,
		     struct web_prefill *p, struct err *e) MUST_CHECK;

/* ---- web_new_form.c ---- */

/* The form once more, with what was wrong. */
void web_new_again(struct web_new *n, const struct err *why);

void web_new(struct http_request *r, void *data);
void web_new_try(struct http_request *r, void *data);
void web_new_api(struct http_request *r, void *data);
/* The same of another manifest for one that was not run yet. */
void web_edit(struct http_request *r, void *data);
void web_edit_try(struct http_request *r, void *data);
void web_edit_api(struct http_request *r, void *data);
extern const struct web_action web_edit_action;
