/* SPDX-License-Identifier: Apache-2.0 */
/* web_new_read.c — what a new computation's form says, as a manifest in JSON, and the roles that go with it. */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/http/form.h"
#include "common/manifest/manifest_names.h"
#include "computations/web/web_new.h"
#include "computations/web/web_security.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

/* A dataset's fields are those of its row; WEB_NEW_DATASETS of them, by hand, for they are constants. */
#define ROWS(field) "d1_" field, "d2_" field, "d3_" field, "d4_" field, "d5_" field
static_assert(WEB_NEW_DATASETS == 5, "ROWS()");

enum { PREFIX_MAX = 8 };

#define LAYOUT "folders"
#define LOGS   "consumers"

const char *const web_new_needed[] = {
	"csrf",     "id",         "workspace",  "name",       "description",
	"type",     "algorithm",  "provider",   "arguments",  "consumers",
	"security", ROWS("name"), ROWS("file"), ROWS("user"), NULL,
};
const char *const web_new_others[] = { "roles", "revision", "level", ROWS("unpack"), NULL };

const char *web_new_row(char name[WEB_NEW_FIELD_MAX], size_t row, const char *field)
{
	snprintf(name, WEB_NEW_FIELD_MAX, "d%c_%s", (char)('1' + row), field);
	return name;
}

const char *const web_new_levels[] = { "info", "debug", "warn", "error", NULL };

static const char *of_row(const struct web_new *n, size_t row, const char *field)
{
	char name[WEB_NEW_FIELD_MAX];

	return web_form_text(n->form, web_new_row(name, row, field));
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

/* With its prefix: a name; else as it is. However long: who looks names up says that there is none. */
static void put_named(struct writer *w, const char *key, const char *prefix, const char *name)
{
	CLEANUP_WRITER struct writer whole = writer_up_to(PREFIX_MAX + HTTP_FORM_MAX);

	writer_text(&whole, prefix);
	writer_text(&whole, name);
	writer_u8(&whole, 0);
	if (whole.bad)
		w->bad = true;
	else
		put_text(w, key, (const char *)whole.bytes);
}

static void put_hash(struct writer *w, const char *text)
{
	uint8_t digest[MANIFEST_HASH_LEN];
	struct err ignored;
	bool is_digest = hex_decode(text, digest, sizeof(digest), &ignored) == 0;

	put_named(w, "hash", is_digest ? "" : MANIFEST_ASSET_PREFIX, text);
}

/* Words between spaces or commas; returns how many, at most `max` and one more. */
static size_t split(char *text, const char *ends, char **words, size_t max)
{
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(text, ends, &rest); word && count <= max;
	     word = strtok_r(NULL, ends, &rest)) {
		if (count < max)
			words[count] = word;
		count++;
	}
	return count;
}

static int grant(struct web_new *n, const char *role, const char *user, struct err *e)
{
	if (strlen(user) > PEOPLE_NAME_MAX)
		return err_set(e, ERR_INVALID, "a user's name has %d characters at most",
			       PEOPLE_NAME_MAX);
	for (size_t i = 0; i < n->grant_count; i++)
		if (n->grants[i].role == role && strcmp(n->grants[i].user, user) == 0)
			return 0;
	n->grants[n->grant_count].role = role;
	snprintf(n->grants[n->grant_count++].user, PEOPLE_NAME_MAX + 1, "%s", user);
	return 0;
}

/* The next one, up to a space that is not in double quotes, where \" is a quote and \\ a backslash; NULL: no more. */
static char *next_argument(char **at, bool *is_open)
{
	char *from = *at + strspn(*at, " "), *word = from, *to = from;

	*is_open = false;
	if (!*from)
		return NULL;
	for (; *from && (*is_open || *from != ' '); from++) {
		if (*from == '"') {
			*is_open = !*is_open;
			continue;
		}
		if (*is_open && *from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = 0;
	return word;
}

static int take_arguments(char *text, char **words, size_t max, size_t *count, struct err *e)
{
	bool is_open = false;

	for (char *word; (word = next_argument(&text, &is_open)) && !is_open;
	     words[(*count)++] = word)
		if (*count == max)
			return err_set(e, ERR_INVALID, "arguments: %zu at most", max);
	return is_open ? err_set(e, ERR_INVALID,
				 "arguments: a quote is not closed; one in an argument is \\\"")
		       : 0;
}

static int put_algorithm(struct web_new *n, struct writer *w, struct err *e)
{
	enum { ARGUMENTS_MAX = 64 };
	CLEANUP(free) char *text = strdup(web_form_text(n->form, "arguments"));
	const char *provider = web_form_text(n->form, "provider");
	char *words[ARGUMENTS_MAX];
	size_t count = 0;

	if (!text)
		return err_nomem(e);
	if (take_arguments(text, words, ARGUMENTS_MAX, &count, e) < 0)
		return err_code(e);
	json_put_key(w, "algorithm");
	writer_text(w, "{");
	put_hash(w, web_form_text(n->form, "algorithm"));
	put_named(w, "user_key", MANIFEST_USER_PREFIX, provider);
	put_text(w, "algo_type", web_form_text(n->form, "type"));
	if (count) {
		json_put_key(w, "algo_args");
		writer_text(w, "[");
		for (size_t i = 0; i < count; i++) {
			writer_text(w, i ? "," : "");
			json_quote(w, words[i], strlen(words[i]));
		}
		writer_text(w, "]");
	}
	writer_text(w, "}");
	return grant(n, "algo_provider", provider, e);
}

static int put_datasets(struct web_new *n, struct writer *w, struct err *e)
{
	const char *between = "";
	char name[WEB_NEW_FIELD_MAX];

	json_put_key(w, "datasets");
	writer_text(w, "[");
	for (size_t i = 0; i < WEB_NEW_DATASETS; i++) {
		const char *file = of_row(n, i, "file"), *user = of_row(n, i, "user");
		bool unpack = web_form_has(n->form, web_new_row(name, i, "unpack"));

		if (!*file && !*user && !*of_row(n, i, "name") && !unpack)
			continue;
		if (!*user)
			return err_set(e, ERR_INVALID, "dataset %zu: name the user who provides it",
				       i + 1);
		writer_printf(w, "%s{", between);
		put_hash(w, file);
		put_named(w, "user_key", MANIFEST_USER_PREFIX, user);
		put_text(w, "filename", of_row(n, i, "name"));
		if (unpack) {
			json_put_key(w, "decompress");
			writer_text(w, "true");
		}
		writer_text(w, "}");
		between = ",";
		if (grant(n, "dataset_provider", user, e) < 0)
			return err_code(e);
	}
	writer_text(w, "]");
	return 0;
}

static int put_consumers(struct web_new *n, struct writer *w, struct err *e)
{
	CLEANUP(free) char *text = strdup(web_form_text(n->form, "consumers"));
	char *words[WEB_NEW_CONSUMERS];
	size_t count;

	if (!text)
		return err_nomem(e);
	count = split(text, " ,", words, WEB_NEW_CONSUMERS);
	if (!count || count > WEB_NEW_CONSUMERS)
		return err_set(e, ERR_INVALID, "consumers: 1 to %d names of users",
			       WEB_NEW_CONSUMERS);
	json_put_key(w, "result_consumers");
	writer_text(w, "[");
	for (size_t i = 0; i < count; i++) {
		writer_text(w, i ? ",{" : "{");
		put_named(w, "user_key", MANIFEST_USER_PREFIX, words[i]);
		writer_text(w, "}");
		if (grant(n, "result_consumer", words[i], e) < 0)
			return err_code(e);
	}
	writer_text(w, "]");
	return 0;
}

static int check_level(const struct web_new *n, struct err *e)
{
	const char *word = web_form_text(n->form, "level");

	if (!*word)
		return 0;
	for (const char *const *known = web_new_levels; *known; known++)
		if (strcmp(*known, word) == 0)
			return 0;
	return err_set(e, ERR_INVALID, "level: info, debug, warn or error");
}

static int check_id(const char *id, struct err *e)
{
	uuid_t ignored;

	if (strlen(id) != WEB_NEW_ID_LEN || uuid_parse(id, ignored) != 0)
		return err_set(e, ERR_INVALID, "the form's id is none: open the page again");
	return 0;
}

int web_new_read(struct web_new *n, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_MANIFEST_MAX);
	const char *id = n->id ? n->id : web_form_text(n->form, "id");

	n->workspace = web_form_text(n->form, "workspace");
	if (!n->id && check_id(id, e) < 0)
		return err_code(e);
	writer_text(&w, "{");
	put_text(&w, "id", id);
	put_text(&w, "name", web_form_text(n->form, "name"));
	put_text(&w, "description", web_form_text(n->form, "description"));
	if (put_algorithm(n, &w, e) < 0 || put_datasets(n, &w, e) < 0 ||
	    put_consumers(n, &w, e) < 0 || check_level(n, e) < 0 ||
	    web_security_read(n->form, &w, e) < 0)
		return err_code(e);
	/* As 'computation create' has it where nobody asks for anything else. */
	writer_text(&w, ",\"cocos\":{\"layout\":\"" LAYOUT "\",\"logs\":\"" LOGS "\"}}");
	if (writer_check(&w, "the form", e) < 0)
		return err_code(e);
	if (!web_form_has(n->form, "roles"))
		n->grant_count = 0;
	n->made = writer_take(&w, &n->len);
	n->text = n->made;
	return n->made ? 0 : err_nomem(e);
}

bool web_new_has_room(const Cvms__ComputationRunReq *m)
{
	const Cvms__Extension *x = m->cocos;
	const Cvms__Algorithm *a = m->algorithm;

	if (!x || strcmp(x->layout, LAYOUT) != 0 || strcmp(x->logs, LOGS) != 0 ||
	    x->requirements_hash.len || x->replace)
		return false;
	for (size_t i = 0; i < m->n_datasets; i++)
		if (m->datasets[i]->source || m->datasets[i]->kbs || m->datasets[i]->cache)
			return false;
	return a && !a->source && !a->kbs && (!m->agent_config || !*m->agent_config->port);
}
