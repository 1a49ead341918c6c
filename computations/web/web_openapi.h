/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_openapi.h — what all operations of the API's document share: how a caller is known, and how it is told why not. For
 * this folder only.
 */
#pragma once

#include "computations/web/web_work.h"

#define WEB_OPENAPI_SCHEMAS "#/components/schemas/"
#define WEB_OPENAPI_PROBLEM WEB_OPENAPI_SCHEMAS "Problem"

void web_openapi_text(struct writer *w, const char *key, const char *text);
/* "For every user." */
void web_openapi_who(const struct web_route *about, char text[DECIDE_WHO_MAX]);
/* The member "responses" of an operation. */
void web_openapi_put_answers(struct writer *w, const struct web_route *about);
/* What it shares: the member "responses" of "components". */
void web_openapi_put_refusals(struct writer *w);
/* The members "components" and "security", as they hold where the document was asked for. */
void web_openapi_put_shared(const struct web_work *work, struct writer *w);
/* A manifest's schema, of the table of its reader. */
void web_openapi_put_manifest(struct writer *w);
/* Members of "schemas": all nouns (web_noun.h). */
void web_openapi_put_nouns(struct writer *w);
/* The member "schema" of what is answered, which is JSON. */
void web_openapi_put_told(struct writer *w, const struct web_route *about);
