/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_form.h"

#include "common/http/target.h"
#include "computations/web/web_page.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct web_form {
	struct http_target fields;
};

static int parse(const uint8_t *body, size_t len, struct http_target *fields, struct err *e)
{
	char text[WEB_FORM_MAX + 3] = "/?";
	int failed;

	if (len > WEB_FORM_MAX || (len && memchr(body, 0, len)))
		return err_set(e, ERR_INVALID, "the form has what none of ours sends");
	if (len)
		memcpy(text + 2, body, len);
	failed = http_target_parse(text, fields, e);
	OPENSSL_cleanse(text, sizeof(text));
	/* Which character it was is not said: it may be one of a password. */
	return failed ? err_set(e, ERR_INVALID, "the form can't be read: send it from the page")
		      : 0;
}

static int check_names(const struct http_target *fields, const char *const *names,
		       const char *const *others, struct err *e)
{
	size_t count = 0;

	for (; names[count]; count++)
		if (!http_target_query(fields, names[count]))
			return err_set(e, ERR_INVALID, "the form lacks %s: send it from the page",
				       names[count]);
	for (; others && *others; others++)
		count += http_target_query(fields, *others) != NULL;
	if (fields->query_count != count)
		return err_set(e, ERR_INVALID, "the form has a field too much");
	return 0;
}

int web_form_read(const struct http_request *r, const char *const *names, const char *const *others,
		  struct web_form **form, struct err *e)
{
	CLEANUP(web_form_free) struct web_form *made = calloc(1, sizeof(*made));
	size_t len;
	const uint8_t *body = http_request_body(r, &len);

	if (!made)
		return err_nomem(e);
	if (parse(body, len, &made->fields, e) < 0 ||
	    check_names(&made->fields, names, others, e) < 0)
		return err_code(e);
	*form = TAKE_PTR(made);
	return 0;
}

bool web_form_has(const struct web_form *form, const char *name)
{
	return http_target_query(&form->fields, name) != NULL;
}

const char *web_form_text(const struct web_form *form, const char *name)
{
	const char *text = http_target_query(&form->fields, name);

	return text ? text : "";
}

void web_form_free(struct web_form *form)
{
	if (!form)
		return;
	OPENSSL_cleanse(form, sizeof(*form));
	free(form);
}

void web_form_begin(struct writer *w, const char *action, const char *csrf)
{
	page_put(w, "<form class=\"stack\" method=\"post\" action=\"%a\">\n", action);
	if (csrf)
		page_put(w, "<input type=\"hidden\" name=\"csrf\" value=\"%a\">\n", csrf);
}

void web_form_field(struct writer *w, const char *name, const char *label, const char *type,
		    const char *kind, const char *value, const char *hint)
{
	page_put(w,
		 "<div><label for=\"f-%s\">%t</label><input id=\"f-%s\" name=\"%s\" type=\"%s\" "
		 "autocomplete=\"%s\" value=\"%a\" required",
		 name, label, name, name, type, kind, value);
	if (hint)
		page_put(
			w,
			" aria-describedby=\"h-%s\"><span class=\"hint\" id=\"h-%s\">%t</span></div>\n",
			name, name, hint);
	else
		page_put(w, "></div>\n");
}

void web_form_end(struct writer *w, const char *word)
{
	page_put(w, "<div><button class=\"btn\" type=\"submit\">%t</button></div>\n</form>\n",
		 word);
}

void web_form_wrong(struct writer *w, const struct err *e)
{
	if (e)
		page_put(w, "<p class=\"note wrong\" role=\"alert\"><bdi>%t</bdi></p>\n", e->text);
}
