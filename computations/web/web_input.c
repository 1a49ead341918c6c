/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_input.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "computations.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void web_message_done(struct web_message *m)
{
	json_free(m->json);
	free(m->message);
	free(m->people);
	*m = (struct web_message){ .form = NULL };
}

/* ---- a form ---- */

const char *web_input_word(const struct web_input *i, unsigned k)
{
	if (i->word)
		return i->word(k);
	return k < ACTIONS ? action_name((enum people_action)k) : NULL;
}

const char *const *web_input_names(const struct web_action *action, bool is_needed,
				   const char *names[WEB_FORM_NAMES_MAX])
{
	size_t count = 0;

	if (is_needed)
		names[count++] = "csrf";
	if (is_needed && action->revises != REVISES_NOTHING)
		names[count++] = "revision";
	if (action->needs_password)
		names[count++] = is_needed ? "password" : WEB_FACTOR_FIELD;
	for (const struct web_input *i = action->inputs; i->name; i++) {
		if (i->place == INPUT_PATH)
			continue;
		if (i->kind == INPUT_ACTIONS)
			for (unsigned k = 0; !is_needed && web_input_word(i, k); k++)
				names[count++] = web_input_word(i, k);
		else if (is_needed == (i->kind != INPUT_FLAG && !i->may_lack))
			names[count++] = i->name;
	}
	names[count] = NULL;
	return names;
}

int web_input_form(const struct http_request *r, const struct web_action *action,
		   struct web_form **form, struct err *e)
{
	const char *needed[WEB_FORM_NAMES_MAX], *others[WEB_FORM_NAMES_MAX];

	return web_form_read(r, web_input_names(action, true, needed),
			     web_input_names(action, false, others), form, e);
}

/* ---- one input ---- */

struct source {
	const struct http_request *r;
	const struct web_form *form; /* NULL: JSON */
	const struct json *json;     /* NULL: there is no body */
	struct web_message *m;
};

/* NULL: it is not there. */
static const char *text_of(const struct source *s, const struct web_input *i)
{
	if (i->place == INPUT_PATH)
		return http_request_param(s->r, i->name);
	if (s->form)
		return web_form_has(s->form, i->name) ? web_form_text(s->form, i->name) : NULL;
	return http_request_query(s->r, i->name);
}

static const struct json *json_of(const struct source *s, const struct web_input *i)
{
	return s->form || i->place != INPUT_BODY ? NULL : json_get(s->json, i->name);
}

static int take_text(const struct source *s, const struct web_input *i, char **to, struct err *e)
{
	const struct json *json = json_of(s, i);
	const char *text = i->place == INPUT_BODY && !s->form ? NULL : text_of(s, i);

	if (json && json->type != JSON_STRING)
		return err_set(e, ERR_INVALID, "%s: it has to be a string", i->name);
	if (json)
		text = json->text;
	if (i->is_needed && (!text || !*text))
		return err_set(e, ERR_INVALID, "%s is missing: %s", i->name, i->meaning);
	if (text)
		*to = (char *)(uintptr_t)text;
	return 0;
}

/* A box that is not ticked is not sent. */
static int take_flag(const struct source *s, const struct web_input *i, protobuf_c_boolean *to,
		     struct err *e)
{
	const struct json *json = json_of(s, i);
	const char *text;

	if (i->place == INPUT_BODY && !s->form) {
		if (json && json->type != JSON_BOOL)
			return err_set(e, ERR_INVALID, "%s: it has to be true or false", i->name);
		*to = json && json->boolean;
		return 0;
	}
	text = text_of(s, i);
	*to = text && strcmp(text, "true") == 0;
	if (text && !*to && strcmp(text, "false") != 0)
		return err_set(e, ERR_INVALID, "%s: it has to be true or false", i->name);
	return 0;
}

int64_t web_input_number(const char *text)
{
	int64_t number = 0;

	for (; text && *text; text++) {
		if (*text < '0' || *text > '9' || number > (INT64_MAX - (*text - '0')) / 10)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

static int number_of(const char *text, uint64_t *number, struct err *e)
{
	const struct json json = { .type = JSON_NUMBER, .text = (char *)(uintptr_t)text };

	return json_u64(&json, number, e);
}

/* What is no number of a path names nothing that is there. */
static int take_number(const struct source *s, const struct web_input *i, uint64_t *to,
		       struct err *e)
{
	const struct json *json = json_of(s, i);
	const char *text = i->place == INPUT_BODY && !s->form ? NULL : text_of(s, i);
	uint64_t number = 0;
	struct err ignored;
	bool is_good;

	if (!json && (!text || !*text))
		return i->is_needed
			       ? err_set(e, ERR_INVALID, "%s is missing: %s", i->name, i->meaning)
			       : 0;
	is_good = json ? json->type == JSON_NUMBER && json_u64(json, &number, &ignored) == 0
		       : number_of(text, &number, &ignored) == 0;
	if (is_good && number >= 1 && number <= i->most) {
		*to = i->times ? number * i->times : number; /* below 2^64, by `most` */
		return 0;
	}
	if (i->place == INPUT_PATH)
		return err_set(e, ERR_NOT_FOUND, "there is no %s %s", i->name,
			       log_quote(text).text);
	return err_set(e, ERR_INVALID, "%s: it has to be a number from 1 to %llu", i->name,
		       (unsigned long long)i->most);
}

static int take_word(struct source *s, const struct web_input *i, const char *word, size_t *count,
		     struct err *e)
{
	for (size_t k = 0; k < *count; k++)
		if (strcmp(s->m->words[k], word) == 0)
			return err_set(e, ERR_INVALID, "%s: %s is there twice", i->name,
				       log_quote(word).text);
	if (*count == WEB_WORDS_MAX || !web_input_word(i, (unsigned)*count))
		return err_set(e, ERR_INVALID, "%s: there are only %zu", i->name, *count);
	s->m->words[(*count)++] = (char *)(uintptr_t)word;
	return 0;
}

static int take_actions(struct source *s, const struct web_input *i, size_t *count, struct err *e)
{
	const struct json *json = json_of(s, i);

	for (unsigned k = 0; s->form && web_input_word(i, k); k++) {
		const char *name = web_input_word(i, k);

		if (!web_form_has(s->form, name))
			continue;
		if (strcmp(web_form_text(s->form, name), "true") != 0)
			return err_set(e, ERR_INVALID, "%s: it has to be true", name);
		if (take_word(s, i, name, count, e) < 0)
			return err_code(e);
	}
	if (json && json->type != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "%s: it has to be a list of words", i->name);
	/* To the methods an empty list is all of them, which is not what it says. */
	if (json && !json->count)
		return err_set(e, ERR_INVALID, "%s: it names none%s", i->name,
			       i->is_needed ? "" : ": leave it out, if all are meant");
	for (size_t k = 0; json && k < json->count; k++) {
		if (json->items[k].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "%s: it has to be a list of words", i->name);
		if (take_word(s, i, json->items[k].text, count, e) < 0)
			return err_code(e);
	}
	if (i->is_needed && !*count)
		return err_set(e, ERR_INVALID, "%s is missing: %s", i->name, i->meaning);
	return 0;
}

/* As people give them to each other: in groups, in capitals, with the word for what it is in front. */
static int take_digest(struct source *s, const struct web_input *i, ProtobufCBinaryData *to,
		       struct err *e)
{
	static const char word[] = "sha3-256:";
	char hex[2 * SHA3_256_LEN + 1] = "", *text = NULL;
	const char *c;
	size_t len = 0;
	struct err ignored;

	if (take_text(s, i, &text, e) < 0)
		return err_code(e);
	c = text ? text : "";
	for (c += strspn(c, " "), c += strncasecmp(c, word, strlen(word)) ? 0 : strlen(word); *c;
	     c++)
		if (*c != ' ' && *c != ':' && len++ < sizeof(hex) - 1)
			hex[len - 1] = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
	if (len != sizeof(hex) - 1)
		return err_set(e, ERR_INVALID, "%s: %zu characters, a digest has %zu", i->name, len,
			       sizeof(hex) - 1);
	if (hex_decode(hex, s->m->digest, sizeof(s->m->digest), &ignored) < 0)
		return err_set(e, ERR_INVALID, "%s: it has to be of hexadecimal digits", i->name);
	*to = (ProtobufCBinaryData){ sizeof(s->m->digest), s->m->digest };
	return 0;
}

static int take_document(const struct source *s, const struct web_input *i, ProtobufCBinaryData *to,
			 struct err *e)
{
	char *text = NULL;

	if (take_text(s, i, &text, e) < 0)
		return err_code(e);
	*to = (ProtobufCBinaryData){ text ? strlen(text) : 0, (uint8_t *)text };
	return 0;
}

static int take_people(const struct source *s, const struct web_input *i,
		       Computations__ImportPerson ***to, size_t *count, struct err *e)
{
	const struct json *json = json_of(s, i);
	Computations__ImportPerson *rows;

	if (!json)
		return 0;
	if (json->type != JSON_OBJECT || json->count > i->most)
		return err_set(e, ERR_INVALID, "%s: it has to be an object of at most %llu users",
			       i->name, (unsigned long long)i->most);
	s->m->people = calloc(json->count + 1, sizeof(*rows) + sizeof(rows));
	if (!s->m->people)
		return err_nomem(e);
	rows = s->m->people;
	*to = (void *)(rows + json->count);
	for (size_t k = 0; k < json->count; k++) {
		const struct json *one = &json->items[k];

		if (one->type != JSON_STRING || !*one->text || !*one->key)
			return err_set(e, ERR_INVALID, "%s: %s is not the name of a user", i->name,
				       log_quote(one->key).text);
		computations__import_person__init(&rows[k]);
		rows[k].id = one->key;
		rows[k].user = one->text;
		(*to)[(*count)++] = &rows[k];
	}
	return 0;
}

static int take(struct source *s, const struct web_input *i, struct err *e)
{
	char *at = (char *)s->m->message + i->at;
	size_t count = 0;
	uint64_t number = 0;

	switch (i->kind) {
	case INPUT_TEXT:
		return take_text(s, i, (char **)(void *)at, e);
	case INPUT_FLAG:
		return take_flag(s, i, (protobuf_c_boolean *)(void *)at, e);
	case INPUT_U32:
	case INPUT_U64:
		if (take_number(s, i, &number, e) < 0)
			return err_code(e);
		if (i->kind == INPUT_U32)
			*(uint32_t *)(void *)at = (uint32_t)number;
		else
			*(uint64_t *)(void *)at = number;
		return 0;
	case INPUT_DIGEST:
		return take_digest(s, i, (ProtobufCBinaryData *)(void *)at, e);
	case INPUT_DOCUMENT:
		return take_document(s, i, (ProtobufCBinaryData *)(void *)at, e);
	case INPUT_PEOPLE:
		return take_people(s, i, (Computations__ImportPerson ***)(void *)at,
				   (size_t *)(void *)((char *)s->m->message + i->count), e);
	case INPUT_ACTIONS:
	default:
		if (take_actions(s, i, &count, e) < 0)
			return err_code(e);
		*(char ***)(void *)at = s->m->words;
		*(size_t *)(void *)((char *)s->m->message + i->count) = count;
		return 0;
	}
}

/* ---- all of them ---- */

static int read_json(const struct http_request *r, const struct web_action *action,
		     struct json **json, struct err *e)
{
	const char *known[WEB_FORM_NAMES_MAX];
	size_t count = 0, len;
	const uint8_t *body = http_request_body(r, &len);

	for (const struct web_input *i = action->inputs; i->name; i++)
		if (i->place == INPUT_BODY)
			known[count++] = i->name;
	known[count] = NULL;
	if (!count)
		return 0;
	if (json_parse(body ? (const char *)body : "", len, json, e) < 0)
		return err_code(e);
	if ((*json)->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "the body has to be an object");
	return json_only_keys(*json, known, e);
}

static void name_field(struct web_message *m, const struct web_input *i, bool is_form)
{
	static const char *const places[] = { "body", "path", "query" };

	snprintf(m->field, sizeof(m->field), "%s %s", is_form ? "form" : places[i->place], i->name);
}

int web_input_take(const struct http_request *r, const struct web_action *action,
		   struct web_form *form, struct web_message *m, struct err *e)
{
	struct source s = { .r = r, .form = form, .m = m };

	m->message = calloc(1, action->request->sizeof_message);
	if (!m->message)
		return err_nomem(e);
	protobuf_c_message_init(action->request, m->message);
	snprintf(m->field, sizeof(m->field), "body");
	if (!form && read_json(r, action, &m->json, e) < 0)
		return err_code(e);
	s.json = m->json;
	for (const struct web_input *i = action->inputs; i->name; i++)
		if (take(&s, i, e) < 0) {
			name_field(m, i, form != NULL);
			return err_code(e);
		}
	*m->field = 0;
	return 0;
}
