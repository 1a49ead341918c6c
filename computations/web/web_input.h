/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_input.h — what a form or a body in JSON says, as the message that an action's method takes. For this folder only.
 */
#pragma once

#include "computations/hook/hook_event.h"
#include "computations/people/action.h"
#include "computations/web/web_action.h"
#include "computations/web/web_form.h"

enum {
	WEB_FIELD_MAX = 64,
	WEB_FORM_NAMES_MAX = 24,
	WEB_WORDS_MAX = 16, /* of a list */
};
_Static_assert((int)ACTIONS <= (int)WEB_WORDS_MAX && (int)HOOK_EVENTS <= (int)WEB_WORDS_MAX,
	       "each may be said");

/* The k-th word that such an input may have; NULL: there are no more. */
const char *web_input_word(const struct web_input *i, unsigned k);

/* One message, whose texts lie in the request, the form or the tree. */
struct web_message {
	struct web_form *form; /* borrowed, or NULL */
	struct json *json;     /* its own, or NULL */
	ProtobufCMessage *message;
	char *words[WEB_WORDS_MAX];
	void *people; /* of INPUT_PEOPLE: its own, or NULL */
	uint8_t digest[SHA3_256_LEN];
	char field[WEB_FIELD_MAX]; /* what an error is about: "body cvm" */
};
void web_message_done(struct web_message *m);
#define CLEANUP_WEB_MESSAGE __attribute__((cleanup(web_message_done)))

/* Of a path or query, in decimal digits; NULL or "" is 0; -1: it is none, or larger than INT64_MAX. */
int64_t web_input_number(const char *text);

/* The fields that an action's form has to have, or may have. */
const char *const *web_input_names(const struct web_action *action, bool is_needed,
				   const char *names[WEB_FORM_NAMES_MAX]);
int web_input_form(const struct http_request *r, const struct web_action *action,
		   struct web_form **form, struct err *e) MUST_CHECK;
/* `form` NULL: the body is JSON. */
int web_input_take(const struct http_request *r, const struct web_action *action,
		   struct web_form *form, struct web_message *m, struct err *e) MUST_CHECK;
