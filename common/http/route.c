/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/route.h"

#include "common/base/cleanup.h"
#include "common/http/target.h"

#include <stdio.h>
#include <string.h>

static const char *const words[HTTP_METHODS] = {
	[HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_TRACE] = "TRACE",
};

int http_anybody(struct http_request *r, void *data, struct err *e)
{
	return 0;
}

enum http_method http_method_of(const char *word)
{
	enum http_method m = 0;

	while (m < HTTP_METHODS && strcmp(words[m], word) != 0)
		m++;
	return m;
}

/* The next segment of a pattern, from behind its slash; false at the end. */
static bool next_part(const char **at, const char **part, size_t *len)
{
	if (**at != '/' || !(*at)[1])
		return false;
	*part = *at + 1;
	*len = strcspn(*part, "/");
	*at = *part + *len;
	return true;
}

static bool is_name(const char *part, size_t len)
{
	return len > 2 && part[0] == '{' && part[len - 1] == '}';
}

static bool matches(const char *pattern, const struct http_target *t)
{
	const char *part;
	size_t i = 0, len;

	for (; next_part(&pattern, &part, &len); i++) {
		if (i == t->segment_count)
			return false;
		if (!is_name(part, len) &&
		    (strlen(t->segments[i]) != len || memcmp(t->segments[i], part, len) != 0))
			return false;
	}
	return i == t->segment_count;
}

static void list(bool has[HTTP_METHODS], char allow[HTTP_ALLOW_MAX])
{
	size_t len = 0;

	allow[0] = 0;
	if (has[HTTP_GET])
		has[HTTP_HEAD] = true;
	for (enum http_method m = 0; m < HTTP_METHODS; m++) {
		if (!has[m])
			continue;
		len += (size_t)snprintf(allow + len, HTTP_ALLOW_MAX - len, "%s%s", len ? ", " : "",
					words[m]);
	}
}

const struct http_route *http_route_find(const struct http_routes *routes, enum http_method method,
					 const struct http_target *target,
					 char allow[HTTP_ALLOW_MAX])
{
	enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
	const struct http_route *found = NULL;
	bool has[HTTP_METHODS] = { false };

	for (size_t i = 0; i < routes->count; i++) {
		const struct http_route *route = &routes->first[i];

		if (!matches(route->pattern, target))
			continue;
		has[route->method] = has[HTTP_OPTIONS] = true;
		if (route->method == wanted && !found)
			found = route;
	}
	list(has, allow);
	return found;
}

const char *http_route_param(const struct http_route *route, const struct http_target *target,
			     const char *name)
{
	const char *at = route->pattern, *part;
	size_t len;

	for (size_t i = 0; next_part(&at, &part, &len); i++)
		if (is_name(part, len) && strlen(name) == len - 2 &&
		    memcmp(part + 1, name, len - 2) == 0)
			return target->segments[i];
	return NULL;
}

/* Some path has both patterns. */
static bool overlap(const char *a, const char *b)
{
	for (;;) {
		const char *part_a, *part_b;
		size_t len_a, len_b;
		bool more_a = next_part(&a, &part_a, &len_a);
		bool more_b = next_part(&b, &part_b, &len_b);

		if (!more_a || !more_b)
			return !more_a && !more_b;
		if (!is_name(part_a, len_a) && !is_name(part_b, len_b) &&
		    (len_a != len_b || memcmp(part_a, part_b, len_a) != 0))
			return false;
	}
}

static bool is_pattern(const char *pattern)
{
	size_t count = 0, len;
	const char *part;

	if (strcmp(pattern, "/") == 0)
		return true;
	while (next_part(&pattern, &part, &len)) {
		bool has_brace = memchr(part, '{', len) || memchr(part, '}', len);

		if (len == 0 || ++count > HTTP_SEGMENTS_MAX || (has_brace && !is_name(part, len)))
			return false;
	}
	return count && !*pattern;
}

int http_routes_check(const struct http_routes *routes, struct err *e)
{
	for (size_t i = 0; i < routes->count; i++) {
		const struct http_route *r = &routes->first[i];

		if (!is_pattern(r->pattern))
			return err_set(e, ERR_INVALID, "route %s: no path has that pattern",
				       r->pattern);
		if (!r->may || !r->serve || r->method >= HTTP_METHODS || r->method == HTTP_HEAD ||
		    r->method == HTTP_OPTIONS || r->method == HTTP_TRACE)
			return err_set(e, ERR_INVALID, "route %s is not complete", r->pattern);
		for (size_t k = 0; k < i; k++)
			if (routes->first[k].method == r->method &&
			    overlap(routes->first[k].pattern, r->pattern))
				return err_set(e, ERR_INVALID, "routes %s and %s share a path",
					       routes->first[k].pattern, r->pattern);
	}
	return 0;
}
