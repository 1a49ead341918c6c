/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/marker.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/python/python_version.h"
#include "common/python/requirements.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Of no release so many patch levels were made; each is tried, since the image's is not known. */
enum { PATCH_LEVELS = 40 };

struct value {
	char text[MARKER_VALUE_MAX];
	bool is_version, is_extra, is_variable;
};

struct parse {
	const char *at, *end;
	const struct python_target *target;
	const char *extra;
	unsigned int patch; /* of python_full_version, this time */
	bool has_patch;     /* it was looked at */
	int depth;
	struct err *e;
};

static void skip_blanks(struct parse *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
		p->at++;
}

static int malformed(struct parse *p)
{
	return err_set(p->e, ERR_INVALID, "has a marker that is none at %s (PEP 508)",
		       log_quote_bytes(p->at, (size_t)(p->end - p->at)).text);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* A word as a whole: "or" does not begin "order". */
static bool take_word(struct parse *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0 ||
	    (p->at + len < p->end && is_word(p->at[len])))
		return false;
	p->at += len;
	return true;
}

static int take_quoted(struct parse *p, struct value *value)
{
	const char quote = *p->at++;
	const char *close = memchr(p->at, quote, (size_t)(p->end - p->at));

	if (!close || (size_t)(close - p->at) >= sizeof(value->text))
		return malformed(p);
	*value = (struct value){ 0 };
	memcpy(value->text, p->at, (size_t)(close - p->at));
	p->at = close + 1;
	return 0;
}

static void put_constant(const struct parse *p, const char *text, char *out)
{
	snprintf(out, MARKER_VALUE_MAX, "%s", text);
}

static void put_machine(const struct parse *p, const char *text, char *out)
{
	snprintf(out, MARKER_VALUE_MAX, "%s", p->target->machine);
}

static void put_version(const struct parse *p, const char *text, char *out)
{
	snprintf(out, MARKER_VALUE_MAX, "3.%u", p->target->minor);
}

static void put_full_version(const struct parse *p, const char *text, char *out)
{
	snprintf(out, MARKER_VALUE_MAX, "3.%u.%u", p->target->minor, p->patch);
}

static void put_extra(const struct parse *p, const char *text, char *out)
{
	snprintf(out, MARKER_VALUE_MAX, "%s", p->extra);
}

static const struct variable {
	const char *name;
	void (*put)(const struct parse *p, const char *text,
		    char *out); /* NULL: it can't be told */
	const char *text;
	bool is_version;
} variables[] = {
	{ "python_version", put_version, NULL, true },
	{ "python_full_version", put_full_version, NULL, true },
	{ "implementation_version", put_full_version, NULL, true },
	{ "implementation_name", put_constant, "cpython", false },
	{ "platform_python_implementation", put_constant, "CPython", false },
	{ "os_name", put_constant, "posix", false },
	{ "sys_platform", put_constant, "linux", false },
	{ "platform_system", put_constant, "Linux", false },
	{ "platform_machine", put_machine, NULL, false },
	{ "platform_release", NULL, NULL, false },
	{ "platform_version", NULL, NULL, false },
	{ "extra", put_extra, NULL, false },
};

static int take_variable(struct parse *p, struct value *value)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const struct variable *v = &variables[i];

		if (!take_word(p, v->name))
			continue;
		*value = (struct value){ .is_version = v->is_version,
					 .is_variable = true,
					 .is_extra = v->put == put_extra };
		if (!v->put || (value->is_extra && !p->extra))
			return err_set(p->e, ERR_INVALID,
				       "has a marker about %s, which can't be told here: leave the "
				       "line out, or the marker",
				       v->name);
		v->put(p, v->text, value->text);
		p->has_patch |= v->put == put_full_version;
		return 0;
	}
	return malformed(p);
}

static int take_value(struct parse *p, struct value *value)
{
	skip_blanks(p);
	if (p->at < p->end && (*p->at == '\'' || *p->at == '"'))
		return take_quoted(p, value);
	return take_variable(p, value);
}

enum operator{ EQUAL, NOT_EQUAL, LESS_EQUAL, MORE_EQUAL, COMPATIBLE, LESS, MORE, IN, NOT_IN };

/* Longer ones first. */
static const char *const operators[] = {
	[EQUAL] = "==",      [NOT_EQUAL] = "!=", [LESS_EQUAL] = "<=", [MORE_EQUAL] = ">=",
	[COMPATIBLE] = "~=", [LESS] = "<",       [MORE] = ">"
};

static int take_operator(struct parse *p, enum operator* operator)
{
	skip_blanks(p);
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		size_t len = strlen(operators[i]);

		if ((size_t)(p->end - p->at) >= len && memcmp(p->at, operators[i], len) == 0) {
			*operator=(enum operator) i;
			p->at += len;
			return 0;
		}
	}
	if (take_word(p, "in")) {
		*operator= IN;
		return 0;
	}
	if (take_word(p, "not") && take_word(p, "in")) {
		*operator= NOT_IN;
		return 0;
	}
	return malformed(p);
}

/* As versions, if the right side makes a specifier and the left one is a version. */
static bool compare_versions(const struct value *left, enum operator operator,
			     const struct value * right, bool *result)
{
	char text[MARKER_VALUE_MAX + 4];
	struct python_version version;
	struct python_spec spec;
	struct err ignored;

	snprintf(text, sizeof(text), "%s%s", operators[operator], right->text);
	if (python_version_parse(left->text, strlen(left->text), &version, &ignored) < 0 ||
	    python_spec_parse(text, strlen(text), &spec, &ignored) < 0)
		return false;
	*result = python_spec_met(&spec, &version);
	return true;
}

/* "if 3.10 <= python_version" says the same as "python_version >= 3.10". */
static enum operator mirrored(enum operator operator)
{
	switch (operator) {
	case LESS:
		return MORE;
	case MORE:
		return LESS;
	case LESS_EQUAL:
		return MORE_EQUAL;
	case MORE_EQUAL:
		return LESS_EQUAL;
	default:
		return operator;
	}
}

static int compare_texts(struct parse *p, const char *left, enum operator operator,
			 const char * right, bool *result)
{
	int c = strcmp(left, right);

	switch (operator) {
	case EQUAL:
		*result = c == 0;
		return 0;
	case NOT_EQUAL:
		*result = c != 0;
		return 0;
	case IN:
		*result = strstr(right, left) != NULL;
		return 0;
	case NOT_IN:
		*result = strstr(right, left) == NULL;
		return 0;
	default:
		return err_set(p->e, ERR_INVALID,
			       "has a marker that puts %s and %s in order, which are no versions",
			       log_quote(left).text, log_quote(right).text);
	}
}

static int compare(struct parse *p, struct value *left, enum operator operator,
		   struct value * right, bool *result)
{
	char normal[REQUIREMENT_NAME_MAX];

	if (left->is_variable == right->is_variable)
		return err_set(p->e, ERR_INVALID,
			       "has a marker that does not compare a variable with a text");
	if (left->is_extra || right->is_extra) {
		struct value *named = left->is_extra ? right : left;

		if (named->text[0] &&
		    !requirement_normalize(named->text, strlen(named->text), normal))
			return err_set(p->e, ERR_INVALID, "has a marker about an extra %s",
				       log_quote(named->text).text);
		if (named->text[0])
			snprintf(named->text, sizeof(named->text), "%.127s", normal);
	}
	if (operator!= IN && operator!= NOT_IN) {
		if (left->is_version && compare_versions(left, operator, right, result))
			return 0;
		if (right->is_version && compare_versions(right, mirrored(operator), left, result))
			return 0;
	}
	return compare_texts(p, left->text, operator, right->text, result);
}

static int take_or(struct parse *p, bool *result);

static int take_term(struct parse *p, bool *result)
{
	struct value left, right;
	enum operator operator= EQUAL;

	skip_blanks(p);
	if (p->at < p->end && *p->at == '(') {
		if (++p->depth > MARKER_DEPTH_MAX)
			return err_set(p->e, ERR_EXHAUSTED,
				       "has a marker with more than %d parentheses",
				       MARKER_DEPTH_MAX);
		p->at++;
		if (take_or(p, result) < 0)
			return err_code(p->e);
		skip_blanks(p);
		if (p->at == p->end || *p->at != ')')
			return malformed(p);
		p->at++;
		return 0;
	}
	if (take_value(p, &left) < 0 || take_operator(p, &operator) < 0 ||
	    take_value(p, &right) < 0)
		return err_code(p->e);
	return compare(p, &left, operator, & right, result);
}

/* Both sides are always read: what is malformed is refused wherever it stands. */
static int take_and(struct parse *p, bool *result)
{
	bool next;

	if (take_term(p, result) < 0)
		return err_code(p->e);
	while (take_word(p, "and")) {
		if (take_term(p, &next) < 0)
			return err_code(p->e);
		*result = *result && next;
	}
	return 0;
}

static int take_or(struct parse *p, bool *result)
{
	bool next;

	if (take_and(p, result) < 0)
		return err_code(p->e);
	while (take_word(p, "or")) {
		if (take_and(p, &next) < 0)
			return err_code(p->e);
		*result = *result || next;
	}
	return 0;
}

int marker_applies(const char *text, size_t len, const struct python_target *target,
		   const char *extra, bool *applies, struct err *e)
{
	bool first = false, more = true;

	for (unsigned int patch = 0; more && patch < PATCH_LEVELS; patch++) {
		struct parse p = { .at = text,
				   .end = text + len,
				   .target = target,
				   .extra = extra,
				   .patch = patch,
				   .e = e };
		bool result;

		if (take_or(&p, &result) < 0)
			return err_code(e);
		skip_blanks(&p);
		if (p.at != p.end)
			return malformed(&p);
		if (patch == 0)
			first = result;
		if (result != first)
			return err_set(e, ERR_INVALID,
				       "has a marker that depends on the patch level of Python "
				       "3.%u: compare python_version",
				       target->minor);
		more = p.has_patch;
	}
	*applies = first;
	return 0;
}
