/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_form.h"

#include "common/http/form.h"
#include "computations/people/action.h"
#include "computations/web/web_page.h"

#include <stdlib.h>
#include <string.h>

struct web_form {
	struct http_form fields;
};

static int check_names(const struct http_form *fields, const struct web_form_names *names,
		       struct err *e)
{
	const char *const *const lists[] = { names->others, names->texts };
	size_t count = 0;

	for (; names->needed[count]; count++)
		if (!http_form_value(fields, names->needed[count]))
			return err_set(e, ERR_INVALID, "the form lacks %s: send it from the page",
				       names->needed[count]);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const char *const *name = lists[i]; name && *name; name++)
			count += http_form_value(fields, *name) != NULL;
	if (fields->count != count)
		return err_set(e, ERR_INVALID, "the form has a field too much");
	return 0;
}

int web_form_read_names(const struct http_request *r, const struct web_form_names *names,
			struct web_form **form, struct err *e)
{
	CLEANUP(web_form_free) struct web_form *made = calloc(1, sizeof(*made));
	size_t len;
	const uint8_t *body = http_request_body(r, &len);
	int failed;

	if (!made)
		return err_nomem(e);
	if (!names->texts && len > WEB_FORM_MAX)
		return err_set(e, ERR_INVALID, "the form has what none of ours sends");
	failed = http_form_parse(body, len, names->texts, &made->fields, e);
	if (err_is(failed, ERR_EXHAUSTED))
		return failed;
	/* Which character it was is not said: it may be one of a password. */
	if (failed)
		return err_set(e, ERR_INVALID, "the form can't be read: send it from the page");
	if (check_names(&made->fields, names, e) < 0)
		return err_code(e);
	*form = TAKE_PTR(made);
	return 0;
}

int web_form_read(const struct http_request *r, const char *const *names, const char *const *others,
		  struct web_form **form, struct err *e)
{
	return web_form_read_names(r, &(struct web_form_names){ names, others, NULL }, form, e);
}

bool web_form_has(const struct web_form *form, const char *name)
{
	return http_form_value(&form->fields, name) != NULL;
}

const char *web_form_text(const struct web_form *form, const char *name)
{
	const char *text = http_form_value(&form->fields, name);

	return text ? text : "";
}

void web_form_free(struct web_form *form)
{
	if (!form)
		return;
	http_form_done(&form->fields);
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

void web_form_actions(struct writer *w, const char *label, unsigned offered, unsigned ticked,
		      const char *hint)
{
	page_put(w,
		 "<div role=\"group\" aria-labelledby=\"l-for\" aria-describedby=\"h-for\"><p "
		 "class=\"label\" id=\"l-for\">%t</p>\n<ul class=\"boxes\">",
		 label);
	for (int i = 0; i < ACTIONS; i++) {
		const char *name = action_name((enum people_action)i);

		if (offered & ACTION_BIT(i))
			page_put(w,
				 "<li><input id=\"f-%s\" name=\"%s\" type=\"checkbox\" "
				 "value=\"true\"%s><label for=\"f-%s\">%s</label></li>\n",
				 name, name, ticked & ACTION_BIT(i) ? " checked" : "", name, name);
	}
	page_put(w, "</ul><span class=\"hint\" id=\"h-for\">%t</span></div>\n", hint);
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
