/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/requirements.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/python/marker.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_ = 32768 };

static const char hash_option[] = "--hash=";

static const struct {
	const char *name;
	size_t digits;
} hashes[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool requirement_normalize(const char *name, size_t len, char *out)
{
	size_t at = 0;

	if (len == 0 || len >= REQUIREMENT_NAME_MAX || !is_alnum(name[0]) ||
	    !is_alnum(name[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool divider = name[i] == '-' || name[i] == '_' || name[i] == '.';

		if (!divider && !is_alnum(name[i]))
			return false;
		if (divider && out[at - 1] == '-')
			continue; /* several count as one */
		out[at++] = divider ? '-' : (char)tolower((unsigned char)name[i]);
	}
	out[at] = '\0';
	return true;
}

bool requirement_met(const struct requirement *requirement, const char *version)
{
	struct python_version v;
	struct err ignored;

	if (requirement->spec_count == 0)
		return true;
	if (python_version_parse(version, strlen(version), &v, &ignored) < 0)
		return false;
	for (size_t i = 0; i < requirement->spec_count; i++)
		if (!python_spec_met(&requirement->specs[i], &v))
			return false;
	return true;
}

void requirement_done(struct requirement *r)
{
	free(r->text);
	free(r->line);
}

void requirements_done(struct requirements *requirements)
{
	for (size_t i = 0; i < requirements->count; i++)
		requirement_done(&requirements->items[i]);
	free(requirements->items);
	*requirements = (struct requirements){ 0 };
}

static char *trim(char *line)
{
	line += strspn(line, " \t");
	for (size_t len = strlen(line); len > 0 && is_blank(line[len - 1]); len--)
		line[len - 1] = '\0';
	return line;
}

/* The parts of a line, where they lie in it. */
struct parts {
	size_t head; /* name, extras, specifiers */
	const char *marker;
	size_t marker_len;
	const char *hashes;
};

/* The words of an error are about a whole line: "has …". */
static int parse_name(struct requirement *r, const char *line, size_t len, size_t *used,
		      struct err *e)
{
	static const struct {
		char c;
		const char *what;
	} strangers[] = {
		{ '@', "an address" },
		{ '/', "a path or address" },
		{ '(', "parentheses" },
	};
	size_t at = 0;

	if (line[0] == '-')
		return err_set(e, ERR_INVALID, "is an option: only packages can be named");
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		if (memchr(line, strangers[i].c, len))
			return err_set(e, ERR_INVALID, "has %s", strangers[i].what);
	while (at < len && !is_blank(line[at]) && !strchr("<>=!~,[", line[at]))
		at++;
	if (!requirement_normalize(line, at, r->name))
		return err_set(e, ERR_INVALID, "does not begin with a package's name");
	*used = at;
	return 0;
}

static bool has_extra(const char *extras, const char *extra)
{
	size_t len = strlen(extra);

	for (const char *at = extras; *at; at += *at == ',') {
		size_t part = strcspn(at, ",");

		if (part == len && memcmp(at, extra, len) == 0)
			return true;
		at += part;
	}
	return false;
}

static int parse_extra(struct requirement *r, const char *text, size_t len, struct err *e)
{
	char extra[REQUIREMENT_NAME_MAX];
	size_t at = strlen(r->extras);

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (; len > 0 && is_blank(*text); text++)
		len--;
	if (!requirement_normalize(text, len, extra))
		return err_set(e, ERR_INVALID, "has an extra %s, which is no name",
			       log_quote_bytes(text, len).text);
	if (has_extra(r->extras, extra))
		return 0;
	if (at + (at > 0) + strlen(extra) >= sizeof(r->extras))
		return err_set(e, ERR_EXHAUSTED, "has more than %zu bytes of extras",
			       sizeof(r->extras) - 1);
	snprintf(r->extras + at, sizeof(r->extras) - at, "%s%s", at ? "," : "", extra);
	return 0;
}

/* "[a, b]", or nothing; empty brackets are fine, as they are for pip. */
static int parse_extras(struct requirement *r, const char *line, size_t len, size_t *used,
			struct err *e)
{
	size_t at = *used;

	while (at < len && is_blank(line[at]))
		at++;
	if (at == len || line[at] != '[') {
		*used = at;
		return 0;
	}
	const char *text = line + at + 1, *close = memchr(text, ']', len - at - 1);
	if (!close)
		return err_set(e, ERR_INVALID, "has brackets that do not close");
	*used = (size_t)(close + 1 - line);
	if (strspn(text, " \t") >= (size_t)(close - text))
		return 0;
	for (;;) {
		const char *comma = memchr(text, ',', (size_t)(close - text));

		if (parse_extra(r, text, (size_t)((comma ? comma : close) - text), e) < 0)
			return err_code(e);
		if (!comma)
			return 0;
		text = comma + 1;
	}
}

static int parse_specs(struct requirement *r, const char *text, size_t len, struct err *e)
{
	for (; len > 0 && is_blank(*text); text++)
		len--;
	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		size_t part = comma ? (size_t)(comma - text) : len;

		if (r->spec_count == PYTHON_SPECS_MAX)
			return err_set(e, ERR_EXHAUSTED, "has more than %d version specifiers",
				       PYTHON_SPECS_MAX);
		if (python_spec_parse(text, part, &r->specs[r->spec_count++], e) < 0)
			return err_code(e);
		if (!comma)
			return 0;
		text += part + 1;
		len -= part + 1;
		if (len == 0)
			return err_set(e, ERR_INVALID, "ends with a comma");
	}
	return 0;
}

static bool is_hash(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		size_t name = strlen(hashes[i].name);

		if (len != name + hashes[i].digits || strncmp(text, hashes[i].name, name) != 0)
			continue;
		for (size_t j = name; j < len; j++)
			if (!isxdigit((unsigned char)text[j]))
				return false;
		return true;
	}
	return false;
}

static int parse_hashes(struct requirement *r, const char *text, struct writer *line, struct err *e)
{
	for (;;) {
		text += strspn(text, " \t");
		size_t len = strcspn(text, " \t");

		if (len == 0)
			return 0;
		size_t option = sizeof(hash_option) - 1;
		if (len < option || strncmp(text, hash_option, option) != 0 ||
		    !is_hash(text + option, len - option))
			return err_set(e, ERR_INVALID,
				       "has %s: only --hash=sha256:… (sha384, sha512) may follow",
				       log_quote_bytes(text, len).text);
		if (++r->hash_count > REQUIREMENT_HASHES_MAX)
			return err_set(e, ERR_EXHAUSTED, "has more than %d hashes",
				       REQUIREMENT_HASHES_MAX);
		writer_u8(line, ' ');
		writer_bytes(line, text, len);
		text += len;
	}
}

const char *requirement_next_hash(const char **at, size_t *len)
{
	const char *option = strstr(*at, hash_option), *hash;

	if (!option)
		return NULL;
	hash = option + strlen(hash_option);
	*len = strcspn(hash, " \t");
	*at = hash + *len;
	return hash;
}

static struct parts part(const char *line)
{
	const char *options = strstr(line, " --"), *tabbed = strstr(line, "\t--");
	struct parts p = { 0 };

	if (tabbed && (!options || tabbed < options))
		options = tabbed;
	p.hashes = options ? options : line + strlen(line);
	p.head = (size_t)(p.hashes - line);
	const char *semicolon = memchr(line, ';', p.head);
	if (semicolon) {
		p.marker = semicolon + 1;
		p.marker_len = (size_t)(p.hashes - p.marker);
		p.head = (size_t)(semicolon - line);
	}
	while (p.head > 0 && is_blank(line[p.head - 1]))
		p.head--;
	return p;
}

static int parse_head(struct requirement *r, const char *line, size_t head, struct err *e)
{
	size_t used = 0;

	if (parse_name(r, line, head, &used, e) < 0 || parse_extras(r, line, head, &used, e) < 0 ||
	    parse_specs(r, line + used, head - used, e) < 0)
		return err_code(e);
	return text_format(&r->text, e, "%.*s", (int)head, line);
}

static int parse_line(struct requirement *r, const char *line, const struct python_target *target,
		      bool *applies, struct err *e)
{
	CLEANUP_WRITER struct writer whole = writer_up_to(2 * LINE_MAX_);
	const struct parts p = part(line);
	size_t len = 0;

	*applies = true;
	if (parse_head(r, line, p.head, e) < 0 ||
	    (p.marker && marker_applies(p.marker, p.marker_len, target, NULL, applies, e) < 0))
		return err_code(e);
	writer_bytes(&whole, line, p.head);
	if (parse_hashes(r, p.hashes, &whole, e) < 0 || writer_check(&whole, "it", e) < 0)
		return err_code(e);
	r->line = (char *)writer_take(&whole, &len);
	return r->line ? 0 : err_nomem(e);
}

static int parse_dependency(struct requirement *r, char *line, const struct python_target *target,
			    const char *extra, bool *applies, struct err *e)
{
	char *semicolon = strchr(line, ';'), *open;

	*applies = true;
	if (semicolon) {
		*semicolon = '\0';
		if (marker_applies(semicolon + 1, strlen(semicolon + 1), target, extra, applies,
				   e) < 0)
			return err_code(e);
	}
	line = trim(line);
	open = strchr(line, '(');
	if (open && line[strlen(line) - 1] == ')') {
		*open = ' ';
		line[strlen(line) - 1] = '\0';
		trim(line);
	}
	return parse_head(r, line, strlen(line), e);
}

int requirement_parse_dependency(const char *text, const struct python_target *target,
				 const char *extra, struct requirement *out, bool *applies,
				 struct err *e)
{
	CLEANUP(free) char *line = strdup(text);
	struct requirement r = { 0 };

	if (!line)
		return err_nomem(e);
	if (parse_dependency(&r, line, target, extra, applies, e) < 0) {
		requirement_done(&r);
		return err_wrap(e, "dependency %s", log_quote(text).text);
	}
	*out = r;
	return 0;
}

static int check_new(const struct requirements *all, const struct requirement *r, struct err *e)
{
	if (all->count == REQUIREMENTS_MAX)
		return err_set(e, ERR_EXHAUSTED, "is one too many: the limit is %d packages",
			       REQUIREMENTS_MAX);
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].name, r->name) == 0)
			return err_set(e, ERR_INVALID, "names %s a second time", r->name);
	return 0;
}

/* pip's comments: # at the start, or after a blank. */
static void cut_comment(char *line)
{
	for (char *c = line; *c; c++)
		if (*c == '#' && (c == line || is_blank(c[-1]))) {
			*c = '\0';
			return;
		}
}

static int add_line(struct requirements *all, char *line, size_t number,
		    const struct python_target *target, struct err *e)
{
	struct requirement r = { 0 };
	bool applies;

	cut_comment(line);
	line = trim(line);
	if (!*line)
		return 0;
	if (parse_line(&r, line, target, &applies, e) < 0 ||
	    (applies && check_new(all, &r, e) < 0)) {
		requirement_done(&r);
		return err_wrap(e, "requirements: line %zu (%s)", number, log_quote(line).text);
	}
	if (applies)
		all->items[all->count++] = r;
	else
		requirement_done(&r);
	return 0;
}

/* Physical lines joined at a final backslash, as pip does. `rest` moves past them. */
static int next_line(const char **rest, const char *end, size_t *number, struct writer *line,
		     struct err *e)
{
	line->len = 0;
	for (;;) {
		const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
		const char *stop = newline ? newline : end, *last = stop;
		bool more;

		if (last > *rest && last[-1] == '\r')
			last--;
		more = last > *rest && last[-1] == '\\';
		writer_bytes(line, *rest, (size_t)(last - *rest) - more);
		*rest = newline ? newline + 1 : end;
		++*number;
		if (!more || *rest == end)
			break;
		writer_u8(line, ' ');
	}
	writer_u8(line, 0);
	return writer_check(line, "requirements: a line", e);
}

int requirements_parse(const void *bytes, size_t len, const struct python_target *target,
		       struct requirements *out, struct err *e)
{
	__attribute__((cleanup(requirements_done))) struct requirements all = { 0 };
	CLEANUP_WRITER struct writer line = writer_up_to(LINE_MAX_);
	const char *rest = len ? bytes : "", *end = rest + len; /* nothing may be NULL */

	if (len > REQUIREMENTS_BYTES_MAX)
		return err_set(e, ERR_EXHAUSTED, "requirements: more than %d bytes",
			       REQUIREMENTS_BYTES_MAX);
	if (len > 0 && (memchr(bytes, 0, len) || !utf8_valid(bytes, len)))
		return err_set(e, ERR_INVALID, "requirements: not a text in UTF-8");
	all.items = calloc(REQUIREMENTS_MAX, sizeof(*all.items));
	if (!all.items)
		return err_nomem(e);
	for (size_t number = 0; rest < end;) {
		size_t first = number + 1;

		if (next_line(&rest, end, &number, &line, e) < 0 ||
		    add_line(&all, (char *)line.bytes, first, target, e) < 0)
			return err_code(e);
	}
	*out = all;
	all = (struct requirements){ 0 };
	return 0;
}

int requirements_check(const void *bytes, size_t len, struct err *e)
{
	static const struct python_target any = { .minor = 13, .glibc = 36, .machine = "x86_64" };
	__attribute__((cleanup(requirements_done))) struct requirements list = { 0 };

	return requirements_parse(bytes, len, &any, &list, e);
}
