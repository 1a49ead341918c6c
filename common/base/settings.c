/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/settings.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/near.h"
#include "common/base/settings_idle.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SLIPS_MAX =
		2, /* letters in which a misspelt name differs; two that changed places are two */
	NAMES_SHOWN = 8, /* in one line, which has a limit */
};

/* Reads digits from `*text` on, and moves it past them. */
static int take_number(const char **text, uint64_t *value, struct err *e)
{
	const char *at = *text;
	uint64_t v = 0;

	if (*at < '0' || *at > '9')
		return err_set(e, ERR_INVALID, "%s is not a number", log_quote(*text).text);
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (unsigned)(*at - '0'), &v))
			return err_set(e, ERR_INVALID, "%s is too large", log_quote(*text).text);
	*text = at;
	*value = v;
	return 0;
}

int size_parse(const char *text, uint64_t *bytes, struct err *e)
{
	static const char units[] = "KMGT";
	const char *at = text, *unit;
	uint64_t v;

	if (take_number(&at, &v, e) < 0)
		return err_code(e);
	if (*at && (unit = strchr(units, *at)) && !at[1]) {
		if (__builtin_mul_overflow(v, (uint64_t)1 << (10 * (unit - units + 1)), &v))
			return err_set(e, ERR_INVALID, "%s is too large", log_quote(text).text);
	} else if (*at) {
		return err_set(e, ERR_INVALID, "%s is not a size; write 512M or 2G",
			       log_quote(text).text);
	}
	*bytes = v;
	return 0;
}

static const struct {
	const char *unit;
	uint64_t nanoseconds;
} duration_units[] = {
	{ "ns", 1 },         { "us", 1000 },       { "µs", 1000 },         { "ms", 1000000 },
	{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
};

/* The unit here, the longest first: "ms" must not be read as "m". */
static uint64_t take_unit(const char **text)
{
	size_t best = 0, best_len = 0;

	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		size_t len = strlen(duration_units[i].unit);

		if (len > best_len && strncmp(*text, duration_units[i].unit, len) == 0) {
			best = i;
			best_len = len;
		}
	}
	*text += best_len;
	return best_len ? duration_units[best].nanoseconds : 0;
}

/* One "1.5h" of a duration, in nanoseconds. `is_over`: that is more than a number holds. */
static bool take_part(const char **at, uint64_t *nanoseconds, bool *is_over)
{
	struct err ignored;
	uint64_t whole, fraction = 0, scale = 1;

	if (take_number(at, &whole, &ignored) < 0)
		return false;
	if (**at == '.') {
		++*at;
		if (**at < '0' || **at > '9')
			return false;
		for (; **at >= '0' && **at <= '9'; ++*at)
			if (scale < 1000000000) {
				fraction = fraction * 10 + (uint64_t)(**at - '0');
				scale *= 10;
			}
	}
	uint64_t unit = take_unit(at);
	*is_over = unit && __builtin_mul_overflow(whole, unit, &whole);
	if (!unit || *is_over)
		return false;
	/* In long double's 64 bits of mantissa the product is exact enough for milliseconds. */
	uint64_t part = (uint64_t)((long double)fraction * (long double)unit / (long double)scale);
	return !__builtin_add_overflow(whole, part, nanoseconds);
}

int duration_parse(const char *text, uint64_t *milliseconds, struct err *e)
{
	const char *at = text;
	uint64_t sum = 0;

	if (strcmp(text, "0") == 0) {
		*milliseconds = 0;
		return 0;
	}
	if (!*text)
		return err_set(e, ERR_INVALID, "an empty duration; write 30s or 1h30m");
	while (*at) {
		uint64_t part;
		bool is_over = false;

		if (take_part(&at, &part, &is_over) && !__builtin_add_overflow(sum, part, &sum))
			continue;
		if (is_over)
			return err_set(e, ERR_INVALID, "%s is longer than any duration here",
				       log_quote(text).text);
		return err_set(e, ERR_INVALID, "%s is not a duration; write 30s or 1h30m",
			       log_quote(text).text);
	}
	*milliseconds = sum / 1000000;
	return 0;
}

void duration_text(uint64_t milliseconds, char text[DURATION_TEXT_MAX])
{
	static const struct {
		uint64_t length;
		const char *unit;
	} units[] = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	while (milliseconds % units[i].length != 0)
		i++;
	snprintf(text, DURATION_TEXT_MAX, "%llu%s",
		 (unsigned long long)(milliseconds / units[i].length), units[i].unit);
}

static int read_text(const char *text, void *slot, struct err *e)
{
	char *copy = strdup(text);

	if (!copy)
		return err_nomem(e);
	free(*(char **)slot);
	*(char **)slot = copy;
	return 0;
}

static int read_number(const char *text, void *slot, struct err *e)
{
	const char *at = text;
	uint64_t v;

	if (take_number(&at, &v, e) < 0)
		return err_code(e);
	if (*at)
		return err_set(e, ERR_INVALID, "%s is not a number", log_quote(text).text);
	*(uint64_t *)slot = v;
	return 0;
}

static int read_port(const char *text, void *slot, struct err *e)
{
	struct err ignored;
	uint64_t v;

	if (read_number(text, &v, &ignored) < 0 || v > UINT16_MAX)
		return err_set(e, ERR_INVALID, "%s is not a port; use 0 to 65535",
			       log_quote(text).text);
	*(uint16_t *)slot = (uint16_t)v;
	return 0;
}

static int read_size(const char *text, void *slot, struct err *e)
{
	return size_parse(text, slot, e);
}

static int read_duration(const char *text, void *slot, struct err *e)
{
	return duration_parse(text, slot, e);
}

static int read_flag(const char *text, void *slot, struct err *e)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return err_set(e, ERR_INVALID, "%s is neither true nor false",
			       log_quote(text).text);
	*(bool *)slot = yes;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(const char *text, void *slot, struct err *e);
	bool ranged;
} types[] = {
	[SETTING_TEXT] = { "text", read_text, false },
	[SETTING_PORT] = { "port", read_port, false },
	[SETTING_NUMBER] = { "number", read_number, true },
	[SETTING_SIZE] = { "size", read_size, true },
	[SETTING_DURATION] = { "duration", read_duration, true },
	[SETTING_FLAG] = { "true or false", read_flag, false },
};

/* As one writes it. */
static void limit_text(enum setting_type type, uint64_t v, char text[DURATION_TEXT_MAX])
{
	if (type == SETTING_DURATION)
		duration_text(v, text);
	else
		snprintf(text, DURATION_TEXT_MAX, "%" PRIu64, v);
}

static int load_one(const struct setting *s, const char *text, void *config, struct err *e)
{
	void *slot = (char *)config + s->offset;

	if (types[s->type].read(text, slot, e) < 0)
		return err_wrap(e, "%s", s->name);
	if (!types[s->type].ranged)
		return 0;
	uint64_t v = *(uint64_t *)slot;
	if (v >= s->min && (!s->max || v <= s->max))
		return 0;
	char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];
	limit_text(s->type, s->min, min);
	limit_text(s->type, s->max, max);
	return err_set(e, ERR_INVALID, "%s: %s is out of range (%s%s%s)", s->name,
		       log_quote(text).text, min, s->max ? " to " : " or more", s->max ? max : "");
}

static bool is_known(const struct setting *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return true;
	return false;
}

static const struct setting *nearest_to(const struct setting *table, size_t count, const char *name)
{
	const struct setting *nearest = table;

	for (size_t i = 1; i < count; i++)
		if (near_slips(table[i].name, name) < near_slips(nearest->name, name))
			nearest = &table[i];
	return nearest;
}

static int refuse_stranger(const struct setting *table, size_t count, const char *name,
			   const char *shown, struct err *e)
{
	return err_set(e, ERR_INVALID, "unknown setting %s; the nearest there is: %s", shown,
		       nearest_to(table, count, name)->name);
}

static bool is_of_others(const struct settings_environment *environment, const char *name)
{
	for (const char *const *other = environment->others; other && *other; other++) {
		size_t len = strlen(*other);

		if ((*other)[len - 1] == '_' ? strncmp(name, *other, len) == 0
					     : strcmp(name, *other) == 0)
			return true;
	}
	return false;
}

/* Docker and Kubernetes tell of a service that has the program's name: NAME_PORT=tcp://…, and more, which is
 * farther from all settings. That one is near MANAGER_PORTS. */
static bool is_link(const char *prefix, const char *name, const char *value)
{
	static const char *const forms[] = { "tcp://", "udp://", "sctp://" };

	if (strcmp(name + strlen(prefix), "PORT") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strncmp(value, forms[i], strlen(forms[i])) == 0)
			return true;
	return false;
}

/* Variables that nobody here reads, for a line of the log. */
struct strangers {
	struct writer names;
	size_t count;
};

static int check_variable(const struct setting *table, size_t count,
			  const struct settings_environment *environment, const char *name,
			  const char *value, struct strangers *strangers, struct err *e)
{
	if (strncmp(name, environment->prefix, strlen(environment->prefix)) != 0 || !*value ||
	    is_known(table, count, name) || is_of_others(environment, name))
		return 0;
	if (near_slips(nearest_to(table, count, name)->name, name) <= SLIPS_MAX &&
	    !is_link(environment->prefix, name, value)) {
		refuse_stranger(table, count, name, log_quote(name).text, e);
		return err_wrap(e, "environment");
	}
	if (strangers->count++ < NAMES_SHOWN)
		writer_printf(&strangers->names, "%s%s", strangers->count > 1 ? ", " : "",
			      log_quote(name).text);
	return 0;
}

static int tell_ignored(struct strangers *strangers, char ignored[SETTINGS_IGNORED_MAX],
			struct err *e)
{
	char more[40] = "";

	ignored[0] = '\0';
	if (!strangers->count)
		return 0;
	writer_u8(&strangers->names, '\0');
	if (writer_check(&strangers->names, "names of variables", e) < 0)
		return err_code(e);
	if (strangers->count > NAMES_SHOWN)
		snprintf(more, sizeof(more), " and %zu more", strangers->count - NAMES_SHOWN);
	snprintf(ignored, SETTINGS_IGNORED_MAX, "%s%s", (const char *)strangers->names.bytes, more);
	return 0;
}

/* An empty value is an absent one, here too. What is only like ours in its beginning comes from elsewhere,
 * as what a container is told of other services; a slip would have been meant for us. */
int settings_check_environment(const struct setting *table, size_t count,
			       const struct settings_environment *environment,
			       char ignored[SETTINGS_IGNORED_MAX], struct err *e)
{
	struct strangers strangers = { .names = writer_up_to(NAMES_SHOWN * (LOG_QUOTE_MAX + 2)) };
	int failed = 0;

	for (char **variable = environ; variable && *variable && !failed; variable++) {
		size_t len = strcspn(*variable, "=");
		CLEANUP(free) char *name = strndup(*variable, len);

		if (!name)
			failed = err_nomem(e);
		else if ((*variable)[len])
			failed = check_variable(table, count, environment, name,
						*variable + len + 1, &strangers, e);
	}
	if (!failed)
		failed = tell_ignored(&strangers, ignored, e);
	writer_done(&strangers.names);
	return failed;
}

static int check_variables(const struct setting *table, size_t count,
			   const struct settings_environment *environment, struct err *e)
{
	char ignored[SETTINGS_IGNORED_MAX];

	if (settings_check_environment(table, count, environment, ignored, e) < 0)
		return err_code(e);
	if (*ignored)
		log_warn("environment: no settings of this program, ignored: %s", ignored);
	return 0;
}

static int in_file(const struct keyfile *file, struct err *e)
{
	return file->path ? err_wrap(e, "'%s'", file->path) : err_code(e);
}

static int refuse_strangers(const struct setting *table, size_t count, const struct keyfile *file,
			    const struct settings_environment *environment, struct err *e)
{
	for (size_t i = 0; file && i < file->count; i++)
		if (!is_known(table, count, file->entries[i].key)) {
			refuse_stranger(table, count, file->entries[i].key, file->entries[i].key,
					e);
			return in_file(file, e);
		}
	return environment ? check_variables(table, count, environment, e) : 0;
}

/* By the first of environment, file and default that is not empty. */
static int load_first(const struct setting *s, const struct keyfile *file,
		      const struct settings_environment *environment, void *config, struct err *e)
{
	const char *variable = environment ? secure_getenv(s->name) : NULL;
	const char *key = keyfile_get(file, s->name);

	if (variable && !*variable)
		variable = NULL;
	if ((variable || key) && s->given)
		*(bool *)((char *)config + s->given) = true;
	if (variable)
		return load_one(s, variable, config, e) < 0 ? err_wrap(e, "environment") : 0;
	if (key)
		return load_one(s, key, config, e) < 0 ? in_file(file, e) : 0;
	return s->fallback ? load_one(s, s->fallback, config, e) : 0;
}

static bool is_given(const char *name, const struct keyfile *file,
		     const struct settings_environment *environment)
{
	const char *variable = environment ? secure_getenv(name) : NULL;

	return (variable && *variable) || keyfile_get(file, name);
}

static bool is_named(const struct setting_idle *row, const char *name)
{
	size_t len = strlen(row->name);

	return row->name[len - 1] == '_' ? strncmp(name, row->name, len) == 0
					 : strcmp(name, row->name) == 0;
}

void settings_warn_idle(const struct setting *table, size_t count, const struct setting_idle *rows,
			size_t row_count, const struct keyfile *file,
			const struct settings_environment *environment)
{
	struct writer line CLEANUP_WRITER = writer_up_to(SETTINGS_IGNORED_MAX);

	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < row_count; row++)
			if (rows[row].is_idle && is_named(&rows[row], table[i].name) &&
			    is_given(table[i].name, file, environment))
				writer_printf(&line, "%s%s %s", line.len ? ", " : "", table[i].name,
					      rows[row].why);
	writer_u8(&line, 0);
	if (line.len > 1 && !line.bad)
		log_warn("settings that do nothing: %s", (const char *)line.bytes);
}

int settings_load(const struct setting *table, size_t count, const struct keyfile *file,
		  const struct settings_environment *environment, void *config, struct err *e)
{
	if (refuse_strangers(table, count, file, environment, e) < 0)
		return err_code(e);
	for (const struct setting *s = table; s < table + count; s++)
		if (load_first(s, file, environment, config, e) < 0) {
			settings_done(table, count, config);
			return err_code(e);
		}
	return 0;
}

void settings_done(const struct setting *table, size_t count, void *config)
{
	for (const struct setting *s = table; s < table + count; s++) {
		char **slot = (char **)((char *)config + s->offset);

		if (s->type != SETTING_TEXT || !*slot)
			continue;
		explicit_bzero(*slot, strlen(*slot));
		free(*slot);
		*slot = NULL;
	}
}

void settings_help(const struct setting *table, size_t count, FILE *out)
{
	for (const struct setting *s = table; s < table + count; s++) {
		fprintf(out, "  %-32s %s", s->name, s->help);
		if (s->fallback && *s->fallback)
			fprintf(out, " (%s)", s->fallback);
		fprintf(out, "\n");
	}
}

void settings_markdown(const struct setting *table, size_t count, FILE *out)
{
	fprintf(out, "| setting | kind | default | meaning |\n|---|---|---|---|\n");
	for (const struct setting *s = table; s < table + count; s++)
		fprintf(out, "| `%s` | %s | %s%s%s | %s |\n", s->name, types[s->type].name,
			s->fallback && *s->fallback ? "`" : "", s->fallback ? s->fallback : "",
			s->fallback && *s->fallback ? "`" : "", s->help);
}
