/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/field.h"

#include <string.h>
#include <strings.h>

enum { Q_ONE = 1000 }; /* qvalues, in thousandths */

struct text {
	const char *at;
	size_t len;
};

struct parameter {
	struct text name, value;
};

/* A media range, or a media type. */
struct media {
	struct text type, subtype;
	struct parameter parameters[HTTP_PARAMETERS_MAX];
	size_t count;
	unsigned q;
};

static int bad(const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s", what);
}

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(const char **at)
{
	*at += strspn(*at, " \t");
}

static struct text take_token(const char **at)
{
	struct text t = { *at, 0 };

	while (is_token(t.at[t.len]))
		t.len++;
	*at += t.len;
	return t;
}

/* What stands between quotes; a backslash is refused: no value that is looked for has one. */
static int take_quoted(const char **at, struct text *t, struct err *e)
{
	const char *end = *at + 1 + strcspn(*at + 1, "\"\\");

	if (*end != '"')
		return bad("a quoted string without its end, or with a backslash", e);
	*t = (struct text){ *at + 1, (size_t)(end - *at - 1) };
	*at = end + 1;
	return 0;
}

static bool text_is(const struct text *t, const char *word)
{
	return strlen(word) == t->len && strncasecmp(word, t->at, t->len) == 0;
}

static bool same(const struct text *a, const struct text *b)
{
	return a->len == b->len && strncasecmp(a->at, b->at, a->len) == 0;
}

/* "1", "0.25", "1.000" (RFC 9110, 12.4.2). */
static int parse_q(const struct text *t, unsigned *q, struct err *e)
{
	unsigned value = 0, unit = Q_ONE;

	if (t->len < 1 || t->len > 5 || (t->at[0] != '0' && t->at[0] != '1') ||
	    (t->len > 1 && t->at[1] != '.'))
		return bad("a q that is not a number from 0 to 1", e);
	for (size_t i = 0; i < t->len; i++) {
		if (i == 1)
			continue;
		if (t->at[i] < '0' || t->at[i] > '9')
			return bad("a q that is not a number from 0 to 1", e);
		value += (unsigned)(t->at[i] - '0') * unit;
		unit /= 10;
	}
	if (value > Q_ONE)
		return bad("a q above 1", e);
	*q = value;
	return 0;
}

static int parse_parameter(const char **at, struct media *m, struct err *e)
{
	struct parameter p = { .name = take_token(at) };

	if (p.name.len == 0 || **at != '=')
		return bad("a parameter that is not name=value", e);
	++*at;
	if (**at == '"') {
		if (take_quoted(at, &p.value, e) < 0)
			return err_code(e);
	} else {
		p.value = take_token(at);
		if (p.value.len == 0)
			return bad("a parameter without a value", e);
	}
	if (text_is(&p.name, "q"))
		return parse_q(&p.value, &m->q, e);
	if (m->count == HTTP_PARAMETERS_MAX)
		return err_set(e, ERR_INVALID, "more than %d parameters", HTTP_PARAMETERS_MAX);
	m->parameters[m->count++] = p;
	return 0;
}

static int parse_media(const char **at, struct media *m, struct err *e)
{
	m->q = Q_ONE;
	m->count = 0;
	m->type = take_token(at);
	if (m->type.len == 0 || **at != '/')
		return bad("no type/subtype", e);
	++*at;
	m->subtype = take_token(at);
	if (m->subtype.len == 0)
		return bad("no type/subtype", e);
	for (;;) {
		const char *next = *at;

		skip_space(&next);
		if (*next != ';')
			return 0;
		next++;
		skip_space(&next);
		*at = next;
		if (parse_parameter(at, m, e) < 0)
			return err_code(e);
	}
}

/* Behind a member of a list: 1 if another follows, 0 at the end. */
static int next_member(const char **at, unsigned *count, struct err *e)
{
	skip_space(at);
	if (!**at)
		return 0;
	if (**at != ',')
		return bad("list members without a comma between them", e);
	++*at;
	skip_space(at);
	if (++*count >= HTTP_MEMBERS_MAX)
		return err_set(e, ERR_INVALID, "more than %d members", HTTP_MEMBERS_MAX);
	return 1;
}

static int check_length(const char *value, struct err *e)
{
	return strlen(value) > HTTP_FIELD_MAX
		       ? err_set(e, ERR_INVALID, "more than %d bytes", HTTP_FIELD_MAX)
		       : 0;
}

static int parse_etag(const char **at, struct text *tag, struct err *e)
{
	const char *end;

	if (strncmp(*at, "W/", 2) == 0)
		*at += 2;
	if (**at != '"')
		return bad("an entity tag without its quotes", e);
	end = *at + 1;
	while (*end == '!' || (*end >= '#' && *end <= '~') || *end & 0x80)
		end++;
	if (*end != '"')
		return bad("an entity tag that does not end, or has a space", e);
	*tag = (struct text){ *at, (size_t)(end + 1 - *at) };
	*at = end + 1;
	return 0;
}

int http_field_matches(const char *value, const char *etag, bool *matches, struct err *e)
{
	const char *at = value;
	unsigned count = 0;
	bool found = false;
	int more = 1;

	if (check_length(value, e) < 0)
		return err_code(e);
	skip_space(&at);
	if (*at == '*') {
		at++;
		skip_space(&at);
		if (*at)
			return bad("something behind the *", e);
		*matches = true;
		return 0;
	}
	while (more > 0) {
		struct text tag;

		if (parse_etag(&at, &tag, e) < 0)
			return err_code(e);
		found = found || (strlen(etag) == tag.len && memcmp(etag, tag.at, tag.len) == 0);
		more = next_member(&at, &count, e);
	}
	if (more == 0)
		*matches = found;
	return more;
}

static const struct parameter *find(const struct media *m, const struct text *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (same(&m->parameters[i].name, name))
			return &m->parameters[i];
	return NULL;
}

/* How precisely a range means this type; 0: it does not (RFC 9110, 12.5.1). */
static unsigned precision(const struct media *range, const struct media *type)
{
	if (text_is(&range->type, "*"))
		return text_is(&range->subtype, "*") && range->count == 0 ? 1 : 0;
	if (!same(&range->type, &type->type))
		return 0;
	if (text_is(&range->subtype, "*"))
		return range->count == 0 ? 2 : 0;
	if (!same(&range->subtype, &type->subtype))
		return 0;
	for (size_t i = 0; i < range->count; i++) {
		const struct parameter *p = find(type, &range->parameters[i].name);

		/* How characters are written is not asked: it is UTF-8. */
		if (text_is(&range->parameters[i].name, "charset"))
			continue;
		if (!p || !same(&p->value, &range->parameters[i].value))
			return 0;
	}
	return 3 + (unsigned)range->count;
}

/* How much this type is liked: by the range that means it most precisely. */
static int liking(const char *value, const struct media *type, unsigned *q, struct err *e)
{
	const char *at = value;
	unsigned count = 0, most = 0;
	int more = 1;

	*q = 0;
	skip_space(&at);
	while (more > 0) {
		struct media range;
		unsigned how;

		if (parse_media(&at, &range, e) < 0)
			return err_code(e);
		how = precision(&range, type);
		if (how > most || (how && how == most && range.q > *q)) {
			most = how;
			*q = range.q;
		}
		more = next_member(&at, &count, e);
	}
	return more;
}

int http_field_accept(const char *value, const char *const types[], size_t count, size_t *chosen,
		      struct err *e)
{
	unsigned best = 0;

	if (check_length(value, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		const char *at = types[i];
		struct media type;
		unsigned q;

		if (parse_media(&at, &type, e) < 0 || liking(value, &type, &q, e) < 0)
			return err_code(e);
		if (q > best) {
			best = q;
			*chosen = i;
		}
	}
	return best ? 0 : err_set(e, ERR_NOT_FOUND, "nothing that is here is acceptable");
}

int http_field_is_type(const char *value, const char *type, bool *is, struct err *e)
{
	const char *at = value, *own = type;
	struct media given, wanted;

	if (check_length(value, e) < 0 || parse_media(&at, &given, e) < 0 ||
	    parse_media(&own, &wanted, e) < 0)
		return err_code(e);
	skip_space(&at);
	if (*at)
		return bad("something behind the type", e);
	*is = same(&given.type, &wanted.type) && same(&given.subtype, &wanted.subtype);
	return 0;
}

/* One pair up to `;`, or the end; false: what begins here is another's. */
static bool is_cookie(const char *at, const char *name, size_t *skip)
{
	size_t len = strlen(name);

	*skip = len + 1;
	return strncmp(at, name, len) == 0 && at[len] == '=';
}

int http_field_cookie(const char *value, const char *name, char *text, size_t size, struct err *e)
{
	bool found = false;
	const char *at = value;
	unsigned count = 0;

	if (check_length(value, e) < 0)
		return err_code(e);
	for (;; at++) {
		size_t len, skip;

		skip_space(&at);
		len = strcspn(at, ";");
		if (++count > HTTP_MEMBERS_MAX)
			return bad("too many cookies", e);
		if (is_cookie(at, name, &skip)) {
			if (found || len - skip >= size)
				return bad(found ? "a cookie is there twice"
						 : "a cookie is too long",
					   e);
			memcpy(text, at + skip, len - skip);
			text[len - skip] = 0;
			found = true;
		}
		at += len;
		if (!*at)
			break;
	}
	return found ? 0 : err_set(e, ERR_NOT_FOUND, "no such cookie");
}

int http_field_event_id(const char *value, int64_t *number, struct err *e)
{
	int64_t n = 0;

	if (!*value || value[strspn(value, "0123456789")])
		return bad("an event's number is decimal digits", e);
	for (; *value; value++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *value - '0', &n))
			return bad("no event has so large a number", e);
	*number = n;
	return 0;
}
