/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/python_version.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <ctype.h>
#include <string.h>

enum { DIGITS_MAX = 18 };

/* The rest of the text; what can't be read makes it bad for good. */
struct cursor {
	const char *at, *end;
	bool bad;
};

static char peek(const struct cursor *c)
{
	return c->at < c->end ? *c->at : '\0';
}

static bool digit_next(const struct cursor *c)
{
	return peek(c) >= '0' && peek(c) <= '9';
}

static uint64_t take_number(struct cursor *c)
{
	uint64_t value = 0;
	int digits = 0;

	for (; digit_next(c); c->at++) {
		if (++digits > DIGITS_MAX)
			c->bad = true;
		else
			value = value * 10 + (uint64_t)(*c->at - '0');
	}
	c->bad = c->bad || digits == 0;
	return value;
}

static bool is_separator(char c)
{
	return c == '.' || c == '-' || c == '_';
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || strncasecmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* A word with a separator before or not; the cursor stays where it was if it is not there. */
static bool take_part(struct cursor *c, const char *word)
{
	struct cursor before = *c;

	if (is_separator(peek(c)))
		c->at++;
	if (take_word(c, word))
		return true;
	*c = before;
	return false;
}

/* "a", "a1", "a.1" and the like: no number is 0. */
static uint64_t take_optional_number(struct cursor *c)
{
	if (is_separator(peek(c)) && c->at + 1 < c->end && isdigit((unsigned char)c->at[1]))
		c->at++;
	return digit_next(c) ? take_number(c) : 0;
}

static void take_release(struct cursor *c, struct python_version *v)
{
	v->release[v->count++] = take_number(c);
	if (peek(c) == '!') {
		c->at++;
		v->epoch = v->release[0];
		v->release[0] = take_number(c);
	}
	while (peek(c) == '.' && c->at + 1 < c->end && isdigit((unsigned char)c->at[1])) {
		c->at++;
		if (v->count == PYTHON_RELEASE_MAX) {
			c->bad = true;
			return;
		}
		v->release[v->count++] = take_number(c);
	}
}

/* Longer spellings first: "alpha" begins with "a". */
static void take_pre(struct cursor *c, struct python_version *v)
{
	static const struct {
		const char *word;
		enum python_stage stage;
	} words[] = { { "alpha", PYTHON_ALPHA },
		      { "beta", PYTHON_BETA },
		      { "preview", PYTHON_CANDIDATE },
		      { "pre", PYTHON_CANDIDATE },
		      { "rc", PYTHON_CANDIDATE },
		      { "a", PYTHON_ALPHA },
		      { "b", PYTHON_BETA },
		      { "c", PYTHON_CANDIDATE } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (take_part(c, words[i].word)) {
			v->pre = words[i].stage;
			v->pre_number = take_optional_number(c);
			return;
		}
}

static void take_post(struct cursor *c, struct python_version *v)
{
	if (peek(c) == '-' && c->at + 1 < c->end && isdigit((unsigned char)c->at[1])) {
		c->at++; /* "1.0-1" */
		v->has_post = true;
		v->post_number = take_number(c);
	} else if (take_part(c, "post") || take_part(c, "rev") || take_part(c, "r")) {
		v->has_post = true;
		v->post_number = take_optional_number(c);
	}
}

static void take_local(struct cursor *c, struct python_version *v)
{
	size_t len = 0;

	if (peek(c) != '+')
		return;
	for (c->at++; c->at < c->end; c->at++) {
		bool separator = is_separator(*c->at);

		if (!separator && !isalnum((unsigned char)*c->at))
			break;
		if (len + 1 == sizeof(v->local) || (separator && len == 0)) {
			c->bad = true;
			return;
		}
		v->local[len++] = separator ? '.' : (char)tolower((unsigned char)*c->at);
	}
	c->bad = c->bad || len == 0 || v->local[len - 1] == '.';
}

int python_version_parse(const char *text, size_t len, struct python_version *version,
			 struct err *e)
{
	struct python_version v = { 0 };
	struct cursor c = { text, text + len, len == 0 || len >= PYTHON_VERSION_MAX };

	if (!c.bad) {
		if (peek(&c) == 'v' || peek(&c) == 'V')
			c.at++;
		take_release(&c, &v);
		take_pre(&c, &v);
		take_post(&c, &v);
		if (take_part(&c, "dev")) {
			v.has_dev = true;
			v.dev_number = take_optional_number(&c);
		}
		take_local(&c, &v);
	}
	if (c.bad || c.at != c.end)
		return err_set(e, ERR_INVALID, "%s is no version (PEP 440)",
			       log_quote_bytes(text, len).text);
	*version = v;
	return 0;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static uint64_t release_at(const struct python_version *v, size_t i)
{
	return i < v->count ? v->release[i] : 0;
}

static int compare_release(const struct python_version *a, const struct python_version *b)
{
	for (size_t i = 0; i < PYTHON_RELEASE_MAX; i++) {
		int c = order(release_at(a, i), release_at(b, i));

		if (c)
			return c;
	}
	return 0;
}

/* A development release comes before the first alpha, the release itself after all of them. */
static int pre_rank(const struct python_version *v)
{
	if (v->pre)
		return (int)v->pre;
	return v->has_dev && !v->has_post ? 0 : PYTHON_CANDIDATE + 1;
}

/* Of a part that is a number, but for its last digit. */
static void skip_zeros(const char **part, size_t *len)
{
	if (strspn(*part, "0123456789") < *len)
		return;
	for (; *len > 1 && **part == '0'; ++*part)
		--*len;
}

/* Part by part; numbers count as such, whatever zeros they begin with. */
static bool same_local(const char *a, const char *b)
{
	while (*a && *b) {
		size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");

		skip_zeros(&a, &a_len);
		skip_zeros(&b, &b_len);
		if (a_len != b_len || memcmp(a, b, a_len) != 0)
			return false;
		a += a_len + (a[a_len] == '.');
		b += b_len + (b[b_len] == '.');
	}
	return !*a && !*b;
}

static int compare_public(const struct python_version *a, const struct python_version *b)
{
	const int steps[] = {
		order(a->epoch, b->epoch),           compare_release(a, b),
		pre_rank(a) - pre_rank(b),           order(a->pre_number, b->pre_number),
		(int)a->has_post - (int)b->has_post, order(a->post_number, b->post_number),
		(int)b->has_dev - (int)a->has_dev, /* without comes after */
		order(a->dev_number, b->dev_number),
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i])
			return steps[i];
	return 0;
}

static int read_operator(struct cursor *c, enum python_operator *operator)
{
	static const struct {
		const char *word;
		enum python_operator operator;
	} words[] = { { "==", PYTHON_EQUAL },      { "!=", PYTHON_NOT_EQUAL },
		      { "<=", PYTHON_LESS_EQUAL }, { ">=", PYTHON_MORE_EQUAL },
		      { "~=", PYTHON_COMPATIBLE }, { "<", PYTHON_LESS },
		      { ">", PYTHON_MORE } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (take_word(c, words[i].word)) {
			*operator= words[i].operator;
			return 0;
		}
	return -1;
}

int python_spec_parse(const char *text, size_t len, struct python_spec *spec, struct err *e)
{
	struct python_spec s = { 0 };
	struct cursor c = { text, text + len, false };

	while (c.at < c.end && (*c.at == ' ' || *c.at == '\t'))
		c.at++;
	while (c.end > c.at && (c.end[-1] == ' ' || c.end[-1] == '\t'))
		c.end--;
	if (read_operator(&c, &s.operator) < 0 || peek(&c) == '=')
		return err_set(e, ERR_INVALID, "%s is no version specifier that is understood",
			       log_quote_bytes(text, len).text);
	while (c.at < c.end && (*c.at == ' ' || *c.at == '\t'))
		c.at++;
	if (c.end - c.at > 2 && memcmp(c.end - 2, ".*", 2) == 0) {
		s.prefix = true;
		c.end -= 2;
	}
	if (python_version_parse(c.at, (size_t)(c.end - c.at), &s.version, e) < 0)
		return err_code(e);
	bool plain = !s.version.has_dev && !s.version.local[0];
	if ((s.prefix && (s.operator> PYTHON_NOT_EQUAL || !plain)) ||
	    (s.operator== PYTHON_COMPATIBLE &&(s.version.count < 2 || s.version.local[0])) ||
	    (s.operator> PYTHON_NOT_EQUAL && s.version.local[0]))
		return err_set(e, ERR_INVALID, "%s means nothing (PEP 440)",
			       log_quote_bytes(text, len).text);
	*spec = s;
	return 0;
}

/* The first `count` numbers of the release are the same. */
static bool same_release(const struct python_version *a, const struct python_version *b,
			 size_t count)
{
	if (a->epoch != b->epoch)
		return false;
	for (size_t i = 0; i < count; i++)
		if (release_at(a, i) != release_at(b, i))
			return false;
	return true;
}

/* "Version matching": == 1.1.* holds for 1.1a1 and 1.1.post1 too. */
static bool has_prefix(const struct python_version *prefix, const struct python_version *v)
{
	if (!prefix->pre && !prefix->has_post)
		return same_release(prefix, v, prefix->count);
	if (compare_release(prefix, v) != 0 || prefix->epoch != v->epoch || prefix->pre != v->pre ||
	    prefix->pre_number != v->pre_number)
		return false;
	return !prefix->has_post || (v->has_post && prefix->post_number == v->post_number);
}

static bool equals(const struct python_spec *spec, const struct python_version *v)
{
	if (spec->prefix)
		return has_prefix(&spec->version, v);
	/* a local part counts only if one was asked for */
	return compare_public(&spec->version, v) == 0 &&
	       (!spec->version.local[0] || same_local(spec->version.local, v->local));
}

/* "Exclusive ordered comparison": < 1.0 is not met by 1.0rc1, > 1.0 not by 1.0.post1. */
static bool is_less(const struct python_version *limit, const struct python_version *v)
{
	bool v_is_pre = v->pre || v->has_dev, limit_is_pre = limit->pre || limit->has_dev;

	if (compare_public(v, limit) >= 0)
		return false;
	return !(v_is_pre && !limit_is_pre && limit->epoch == v->epoch &&
		 compare_release(v, limit) == 0);
}

static bool is_more(const struct python_version *limit, const struct python_version *v)
{
	if (compare_public(v, limit) <= 0)
		return false;
	return !(v->has_post && !limit->has_post && limit->epoch == v->epoch &&
		 compare_release(v, limit) == 0);
}

bool python_spec_met(const struct python_spec *spec, const struct python_version *v)
{
	const struct python_version *asked = &spec->version;

	switch (spec->operator) {
	case PYTHON_EQUAL:
		return equals(spec, v);
	case PYTHON_NOT_EQUAL:
		return !equals(spec, v);
	case PYTHON_LESS:
		return is_less(asked, v);
	case PYTHON_LESS_EQUAL:
		return compare_public(v, asked) <= 0;
	case PYTHON_MORE:
		return is_more(asked, v);
	case PYTHON_MORE_EQUAL:
		return compare_public(v, asked) >= 0;
	case PYTHON_COMPATIBLE:
		return compare_public(v, asked) >= 0 && same_release(asked, v, asked->count - 1);
	}
	return false;
}
