/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/form.h"

#include "common/http/decode.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static int parse(const char *at, const char *const *lines, struct http_form *form, struct err *e)
{
	struct http_decoder d = { .to = form->text, .is_query = true, .lines = lines };
	struct http_pairs pairs = { .list = form->pairs, .max = HTTP_FORM_PAIRS_MAX };

	do {
		at = http_decode_pair(&d, at, &pairs, e);
	} while (at && *at++);
	form->count = pairs.count;
	return at ? 0 : err_code(e);
}

int http_form_parse(const uint8_t *body, size_t len, const char *const *lines,
		    struct http_form *form, struct err *e)
{
	char *copy;
	int failed = 0;

	*form = (struct http_form){ .count = 0 };
	if (len > HTTP_FORM_MAX)
		return err_set(e, ERR_OUT_OF_RANGE, "a form of more than %d bytes", HTTP_FORM_MAX);
	if (len && memchr(body, 0, len))
		return err_set(e, ERR_INVALID, "a zero byte");
	/* Each piece that is read has a byte less, its '=' or '&', and gets a zero byte instead; the last one has none. */
	form->size = len + 1;
	form->text = calloc(1, form->size);
	copy = strndup(len ? (const char *)body : "", len);
	if (!form->text || !copy)
		failed = err_nomem(e);
	else if (len)
		failed = parse(copy, lines, form, e);
	if (copy)
		OPENSSL_cleanse(copy, len);
	free(copy);
	if (failed)
		http_form_done(form);
	return failed;
}

const char *http_form_value(const struct http_form *form, const char *name)
{
	return http_pair_value(form->pairs, form->count, name);
}

void http_form_done(struct http_form *form)
{
	if (form->text)
		OPENSSL_cleanse(form->text, form->size);
	free(form->text);
	*form = (struct http_form){ .count = 0 };
}
