/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_form.h — what a page's form sends (WHATWG URL, 5.1), read as a query is (target.h). For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "common/http/request.h"

#define WEB_JSON_TYPE "application/json"
#define WEB_FORM_TYPE "application/x-www-form-urlencoded"
/* The name of the field for a code of a second factor. */
#define WEB_FACTOR_FIELD "factor"
enum { WEB_FORM_MAX = 4000 }; /* bytes of a body, of one that has no texts */

struct web_form;

/* These names, and perhaps others (NULL: none), each once, and no more. The form is wiped when it is freed. */
int web_form_read(const struct http_request *r, const char *const *names, const char *const *others,
		  struct web_form **form, struct err *e) MUST_CHECK;
/* The same of one with fields that have several lines, `texts`, each of which may be absent. It has HTTP_FORM_MAX bytes at
 * most. */
struct web_form_names {
	const char *const *needed, *const *others, *const *texts; /* NULL: none, but of `needed` */
};
int web_form_read_names(const struct http_request *r, const struct web_form_names *names,
			struct web_form **form, struct err *e) MUST_CHECK;
bool web_form_has(const struct web_form *form, const char *name);
const char *web_form_text(const struct web_form *form, const char *name);
void web_form_free(struct web_form *form);
DEFINE_CLEANUP(struct web_form *, web_form_free)

/* A form's begin, with what shows that a page of this session sent it; `csrf` NULL: there is no session yet. */
void web_form_begin(struct writer *w, const char *action, const char *csrf);
/* A labelled field. `kind`: what it is for, as browsers' stores of passwords know it. */
void web_form_field(struct writer *w, const char *name, const char *label, const char *type,
		    const char *kind, const char *value, const char *hint);
/* A box for each of the actions `offered` (action.h), with those `ticked` that are. */
void web_form_actions(struct writer *w, const char *label, unsigned offered, unsigned ticked,
		      const char *hint);
void web_form_end(struct writer *w, const char *word);
/* What was wrong with it, said at once. */
void web_form_wrong(struct writer *w, const struct err *e);
