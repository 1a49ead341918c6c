/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/python_judge.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <string.h>

static const char provides[] = "Provides-Extra: ", requires_[] = "Requires-Dist: ";

struct judge {
	const struct python_env *env;
	int dir;
	struct python_missing *missing;
	const atomic_bool *cancel;
	size_t judged, lines;
	int depth;
};

static int check_cancelled(const struct judge *j, struct err *e)
{
	return j->cancel && atomic_load(j->cancel) ? err_set(e, ERR_CANCELLED, "cancelled") : 0;
}

/* The sender wrote the metadata: what it costs to read is limited over all of it. */
static int count_line(struct judge *j, size_t len, struct err *e)
{
	j->lines += 1 + len / PYTHON_JUDGED_LINE_BYTES;
	if (j->lines > PYTHON_JUDGED_LINES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "more than %d lines of packages' metadata to read for its extras",
			       PYTHON_JUDGED_LINES_MAX);
	return check_cancelled(j, e);
}

static void add_missing(struct judge *j, const struct requirement *r, const char *reason)
{
	struct python_missing *m = j->missing;

	writer_printf(&m->text, "%s%s%s", m->count++ ? ", " : "", r->text, reason);
	writer_printf(&m->lines, "%s\n", r->line ? r->line : r->text);
	m->hashed = m->hashed && r->hash_count > 0;
}

static int judge_one(struct judge *j, const struct requirement *r, struct err *e);

/* What a package asks for with the extra, and not without. */
static int judge_dependency(struct judge *j, const char *text, const char *extra, struct err *e)
{
	struct requirement with = { 0 }, without = { 0 };
	bool applies, always;
	int failed = 0;

	if (requirement_parse_dependency(text, &j->env->target, extra, &with, &applies, e) < 0)
		return err_code(e);
	if (applies)
		failed = requirement_parse_dependency(text, &j->env->target, "", &without, &always,
						      e);
	requirement_done(&without);
	if (!failed && applies && !always)
		failed = judge_one(j, &with, e);
	requirement_done(&with);
	return failed;
}

/* The headers of METADATA end at the first empty line. */
static int judge_extra(struct judge *j, const struct requirement *r, char *metadata,
		       const char *extra, struct err *e)
{
	char normal[REQUIREMENT_NAME_MAX];
	bool provided = false;

	for (char *line = metadata, *next; line && *line && *line != '\n'; line = next) {
		size_t len = strcspn(line, "\r\n");

		if (count_line(j, len, e) < 0)
			return err_wrap(e, "%s", log_quote(r->name).text);
		CLEANUP(free) char *copy = strndup(line, len);
		if (!copy)
			return err_nomem(e);
		next = strchr(line, '\n');
		next = next ? next + 1 : NULL;
		if (len == 0)
			break;
		if (strncmp(copy, provides, strlen(provides)) == 0) {
			const char *name = copy + strlen(provides);

			provided |= requirement_normalize(name, strlen(name), normal) &&
				    strcmp(normal, extra) == 0;
		} else if (strncmp(copy, requires_, strlen(requires_)) == 0 &&
			   judge_dependency(j, copy + strlen(requires_), extra, e) < 0) {
			return err_wrap(e, "%s", log_quote(r->name).text);
		}
	}
	if (!provided)
		add_missing(j, r, " (what is there has no such extra)");
	return 0;
}

static int judge_extras(struct judge *j, const struct requirement *r,
			const struct python_package *package, struct err *e)
{
	CLEANUP(free) char *metadata = NULL, *extras = strdup(r->extras);
	char *rest = extras, *extra;
	int failed;

	if (!extras)
		return err_nomem(e);
	if (j->depth == PYTHON_JUDGE_DEPTH_MAX)
		return err_set(e, ERR_EXHAUSTED, "%s: extras of extras, more than %d deep",
			       log_quote(r->text).text, PYTHON_JUDGE_DEPTH_MAX);
	failed = python_package_metadata(j->env, j->dir, package, &metadata, e);
	if (err_is(failed, ERR_PRECONDITION)) {
		add_missing(j, r, " (an egg, which does not tell its extras)");
		return 0;
	}
	if (failed)
		return err_wrap(e, "%s", log_quote(r->text).text);
	j->depth++;
	while (!failed && (extra = strsep(&rest, ",")))
		failed = judge_extra(j, r, metadata, extra, e);
	j->depth--;
	return failed;
}

static int judge_one(struct judge *j, const struct requirement *r, struct err *e)
{
	struct python_package package;
	char reason[PYTHON_VERSION_MAX + 16] = "";
	bool has;

	if (++j->judged > PYTHON_JUDGED_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d packages to look for",
			       PYTHON_JUDGED_MAX);
	if (check_cancelled(j, e) < 0)
		return err_code(e);
	if (python_package_find(j->env, j->dir, r->name, &package, &has, e) < 0)
		return err_code(e);
	if (has && requirement_met(r, package.version))
		return r->extras[0] ? judge_extras(j, r, &package, e) : 0;
	if (has)
		snprintf(reason, sizeof(reason), " (there is %s)",
			 package.version[0] ? package.version : "another");
	add_missing(j, r, reason);
	return 0;
}

int python_judge(const struct python_env *env, int dir, const struct requirements *requirements,
		 const atomic_bool *cancel, struct python_missing *missing, struct err *e)
{
	struct judge j = { .env = env, .dir = dir, .missing = missing, .cancel = cancel };

	*missing = (struct python_missing){ .text = writer_up_to(PYTHON_MISSING_TEXT_MAX),
					    .lines = writer_up_to(2 * REQUIREMENTS_BYTES_MAX),
					    .hashed = true };
	for (size_t i = 0; i < requirements->count; i++)
		if (judge_one(&j, &requirements->items[i], e) < 0) {
			python_missing_done(missing);
			return err_wrap(e, "requirements");
		}
	return 0;
}

void python_missing_done(struct python_missing *missing)
{
	writer_done(&missing->text);
	writer_done(&missing->lines);
}
