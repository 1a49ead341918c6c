/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight.h"

#include "common/base/json.h"
#include "common/base/writer.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

enum { LIST_MAX = PREFLIGHT_CHECKS_MAX * 16 * PREFLIGHT_TEXT_MAX };

enum { OK, NOT_ASKED, FAILED };
static const char *const words[] = { [OK] = "ok", [NOT_ASKED] = "not asked", [FAILED] = "failed" };

/* A line of a terminal holds what it says, whoever wrote the file that it tells of. */
static void make_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

int preflight_found(char found[PREFLIGHT_TEXT_MAX], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(found, PREFLIGHT_TEXT_MAX, fmt, args);
	va_end(args);
	return PREFLIGHT_OK;
}

int preflight_not_asked(char found[PREFLIGHT_TEXT_MAX], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(found, PREFLIGHT_TEXT_MAX, fmt, args);
	va_end(args);
	return PREFLIGHT_NOT_ASKED;
}

static int look(const struct preflight_check *check, void *subject, char text[PREFLIGHT_TEXT_MAX])
{
	struct err e;
	int outcome;

	text[0] = '\0';
	outcome = check->look(subject, text, &e);
	if (outcome < 0)
		snprintf(text, PREFLIGHT_TEXT_MAX, "%s", e.text);
	make_line(text);
	return outcome < 0 ? FAILED : outcome == PREFLIGHT_OK ? OK : NOT_ASKED;
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote_shown(w, text, strlen(text));
}

static void put_json(struct writer *w, const struct preflight_check *check, int outcome,
		     const char *text, const char *remedy, bool first)
{
	writer_text(w, first ? "{" : ",{");
	put_text(w, "check", check->name);
	put_text(w, "outcome", words[outcome]);
	put_text(w, "found", text);
	if (outcome == FAILED)
		put_text(w, "remedy", remedy);
	writer_text(w, "}");
}

/* The column that every name fits. */
static int width_of(const struct preflight_check *checks, size_t count)
{
	size_t width = 15;

	for (size_t i = 0; i < count; i++)
		if (strlen(checks[i].name) > width)
			width = strlen(checks[i].name);
	return (int)width;
}

static void put_line(struct writer *w, const struct preflight_check *check, int width, int outcome,
		     const char *text, const char *remedy)
{
	writer_printf(w, "%-*s %-10s %s\n", width, check->name, words[outcome], text);
	if (outcome == FAILED)
		writer_printf(w, "%-*s to do: %s\n", width + 11, "", remedy);
}

int preflight_run_better(const char *program, const struct preflight_check *checks, size_t count,
			 void *subject, const char *(*better)(const void *subject),
			 enum preflight_form form, FILE *out)
{
	struct writer list CLEANUP_WRITER = writer_up_to(LIST_MAX);
	const int width = width_of(checks, count);
	char text[PREFLIGHT_TEXT_MAX];
	size_t failed = 0;

	assert(count <= PREFLIGHT_CHECKS_MAX);
	for (size_t i = 0; i < count; i++) {
		int outcome = look(&checks[i], subject, text);
		const char *remedy = outcome == FAILED ? better(subject) : NULL;

		if (!remedy)
			remedy = checks[i].remedy;
		failed += outcome == FAILED;
		if (form == PREFLIGHT_JSON)
			put_json(&list, &checks[i], outcome, text, remedy, i == 0);
		else
			put_line(&list, &checks[i], width, outcome, text, remedy);
	}
	if (list.bad) {
		fputs("out of memory\n", stderr);
		return 1;
	}
	if (form == PREFLIGHT_JSON)
		fprintf(out,
			"{\"program\":\"%s\",\"version\":\"%s\",\"ok\":%s,\"checks\":[%.*s]}\n",
			program, COCOS_VERSION, failed ? "false" : "true", (int)list.len,
			(const char *)list.bytes);
	else
		fprintf(out, "%.*s%s: %zu of %zu checks failed\n", (int)list.len,
			(const char *)list.bytes, program, failed, count);
	return failed || fflush(out) != 0 || ferror(out) ? 1 : 0;
}

static const char *nothing_better(const void *subject)
{
	(void)subject;
	return NULL;
}

int preflight_run(const char *program, const struct preflight_check *checks, size_t count,
		  void *subject, enum preflight_form form, FILE *out)
{
	return preflight_run_better(program, checks, count, subject, nothing_better, form, out);
}
