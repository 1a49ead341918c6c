/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/cgroup_lines.h"

#include "common/base/cleanup.h"

#include <stdbool.h>
#include <string.h>

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
	[CGROUP_CPU] = "cpu",
};

/* `at` is NULL when nothing is left: what follows the last stop may be empty, and is a part. */
struct text {
	const char *at, *end;
};

/* The lines of a file, counted. */
struct lines {
	struct text rest;
	const char *file;
	size_t number;
};

struct mount {
	char root[CGROUP_PATH_MAX], point[CGROUP_PATH_MAX];
	uint32_t major, minor;
	struct text options; /* the file system's: its controllers are among them */
};

/* Own paths; empty: there is none. */
struct own {
	char paths[CGROUP_CONTROLLERS][CGROUP_PATH_MAX];
};

static bool take(struct text *rest, char stop, struct text *part)
{
	if (!rest->at)
		return false;
	const char *end = memchr(rest->at, stop, (size_t)(rest->end - rest->at));
	*part = (struct text){ rest->at, end ? end : rest->end };
	rest->at = end ? end + 1 : NULL;
	return true;
}

static bool is(struct text t, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(t.end - t.at) == len && memcmp(t.at, word, len) == 0;
}

/* As a whole word: "name=memory" and "cpuacct" are none of ours. */
static bool lists(struct text list, const char *word)
{
	struct text one;

	while (take(&list, ',', &one))
		if (is(one, word))
			return true;
	return false;
}

static bool number(struct text t, uint32_t *value)
{
	uint64_t sum = 0;

	if (t.at == t.end)
		return false;
	for (; t.at < t.end; t.at++) {
		if (*t.at < '0' || *t.at > '9')
			return false;
		sum = sum * 10 + (uint64_t)(*t.at - '0');
		if (sum > UINT32_MAX)
			return false;
	}
	*value = (uint32_t)sum;
	return true;
}

static int start(struct span text, const char *file, struct lines *lines, struct err *e)
{
	const char *at = (const char *)text.bytes;

	if (text.len > CGROUP_TEXT_MAX)
		return err_set(e, ERR_EXHAUSTED, "%s: more than %d bytes", file, CGROUP_TEXT_MAX);
	if (text.len && memchr(at, 0, text.len))
		return err_set(e, ERR_INVALID, "%s: a zero byte", file);
	/* The kernel ends each line; one that does not end was cut. */
	if (text.len && at[text.len - 1] != '\n')
		return err_set(e, ERR_INVALID, "%s: its last line is cut", file);
	*lines = (struct lines){ .file = file };
	if (text.len)
		lines->rest = (struct text){ at, at + text.len - 1 };
	return 0;
}

/* 1 at the end. */
static int next_line(struct lines *lines, struct text *line, struct err *e)
{
	if (!take(&lines->rest, '\n', line))
		return 1;
	if (++lines->number > CGROUP_LINES_MAX)
		return err_set(e, ERR_EXHAUSTED, "%s: more than %d lines", lines->file,
			       CGROUP_LINES_MAX);
	if (line->end - line->at > CGROUP_LINE_MAX)
		return err_set(e, ERR_EXHAUSTED, "%s: line %zu has more than %d bytes", lines->file,
			       lines->number, CGROUP_LINE_MAX);
	return 0;
}

static int malformed(const struct lines *lines, const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: line %zu: %s", lines->file, lines->number, what);
}

/* One byte of a path: blanks and backslashes are three octal digits in mountinfo. */
static bool unescape(struct text *t, char *byte)
{
	unsigned int value = 0;

	*byte = *t->at++;
	if (*byte != '\\')
		return true;
	if (t->end - t->at < 3)
		return false;
	for (int i = 0; i < 3; i++, t->at++) {
		if (*t->at < '0' || *t->at > '7')
			return false;
		value = value * 8 + (unsigned int)(*t->at - '0');
	}
	*byte = (char)value;
	return value > 0 && value <= 0xff;
}

static int read_path(const struct lines *lines, struct text t, bool escaped,
		     char path[CGROUP_PATH_MAX], struct err *e)
{
	size_t len = 0;

	if (t.at == t.end || *t.at != '/')
		return malformed(lines, "a path that does not begin at the root", e);
	while (t.at < t.end) {
		if (len + 1 == CGROUP_PATH_MAX)
			return err_set(e, ERR_EXHAUSTED, "%s: line %zu: a path of %d bytes or more",
				       lines->file, lines->number, CGROUP_PATH_MAX);
		if (!escaped)
			path[len++] = *t.at++;
		else if (!unescape(&t, &path[len++]))
			return malformed(lines, "a bad escape in a path", e);
	}
	path[len] = '\0';
	return 0;
}

/* "..": the group lies outside of our cgroup namespace, and no path leads there. */
static bool leads_out(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/..")); at += 3)
		if (at[3] == '/' || at[3] == '\0')
			return true;
	return false;
}

/* "4:memory:/path"; of version 2, which lists no controllers, "0::/path". A path may hold colons. */
static int read_group(const struct lines *lines, struct text line, struct text *list,
		      char path[CGROUP_PATH_MAX], struct err *e)
{
	struct text id;
	uint32_t n;

	if (!take(&line, ':', &id) || !number(id, &n) || !take(&line, ':', list) || !line.at)
		return malformed(lines, "not 'number:controllers:path'", e);
	if ((n == 0) != (list->at == list->end))
		return malformed(lines, "controllers of version 2, or none of version 1", e);
	if (read_path(lines, line, false, path, e) < 0)
		return err_code(e);
	if (leads_out(path))
		path[0] = '\0';
	return 0;
}

int cgroup_lines_unified(struct span groups, char path[CGROUP_PATH_MAX], struct err *e)
{
	char found[CGROUP_PATH_MAX];
	struct lines lines;
	struct text line, list;
	int end;

	if (start(groups, "cgroup", &lines, e) < 0)
		return err_code(e);
	while ((end = next_line(&lines, &line, e)) == 0) {
		if (read_group(&lines, line, &list, found, e) < 0)
			return err_code(e);
		if (list.at != list.end || !found[0])
			continue;
		memmove(path, found + 1, strlen(found));
		return 0;
	}
	return end;
}

static int read_own(struct span groups, struct own *own, struct err *e)
{
	char path[CGROUP_PATH_MAX];
	struct lines lines;
	struct text line, list;
	int end;

	if (start(groups, "cgroup", &lines, e) < 0)
		return err_code(e);
	while ((end = next_line(&lines, &line, e)) == 0) {
		if (read_group(&lines, line, &list, path, e) < 0)
			return err_code(e);
		for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
			if (lists(list, cgroup_controller_names[i]))
				memcpy(own->paths[i], path, strlen(path) + 1);
	}
	return end < 0 ? end : 0;
}

static bool device(struct text t, struct mount *m)
{
	struct text major;

	return take(&t, ':', &major) && t.at && number(major, &m->major) && number(t, &m->minor);
}

/* "36 35 0:29 /root /point rw,nosuid shared:4 - cgroup source rw,memory". `ours`: one of version 1 in
 * which groups can be made; of no other are the paths read. */
static int read_mount(const struct lines *lines, struct text line, struct mount *m, bool *ours,
		      struct err *e)
{
	enum { ID, PARENT, DEVICE, ROOT, POINT, OPTIONS, FIELDS };
	struct text f[FIELDS], word, source;
	uint32_t id, parent;

	for (size_t i = 0; i < FIELDS; i++)
		if (!take(&line, ' ', &f[i]))
			return malformed(lines, "not a mount", e);
	if (!number(f[ID], &id) || !number(f[PARENT], &parent) || !device(f[DEVICE], m))
		return malformed(lines, "not the numbers of a mount", e);
	do { /* optional fields, as many as there are */
		if (!take(&line, ' ', &word))
			return malformed(lines, "no file system", e);
	} while (!is(word, "-"));
	/* The source may be empty, but not missing. */
	if (!take(&line, ' ', &word) || !take(&line, ' ', &source) || !line.at)
		return malformed(lines, "no options of the file system", e);
	m->options = line;
	*ours = is(word, "cgroup") && !lists(f[OPTIONS], "ro") && !lists(line, "ro");
	if (*ours && (read_path(lines, f[ROOT], true, m->root, e) < 0 ||
		      read_path(lines, f[POINT], true, m->point, e) < 0))
		return err_code(e);
	return 0;
}

/* What of `own` lies below the root of a mount; NULL if it lies elsewhere. */
static const char *below(const char *own, const char *root)
{
	size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(own, root, len) != 0 || (own[len] != '/' && own[len] != '\0'))
		return NULL;
	return own + len;
}

static int put_place(const struct lines *lines, const struct mount *m, const char *own,
		     struct cgroup_place *place, struct err *e)
{
	const char *rest = own[0] ? below(own, m->root) : NULL;

	if (!rest)
		return 0;
	size_t len = strlen(m->point), more = strlen(rest);
	if (len + more >= CGROUP_PATH_MAX)
		return err_set(e, ERR_EXHAUSTED, "%s: line %zu: a group's path of %d bytes or more",
			       lines->file, lines->number, CGROUP_PATH_MAX);
	memcpy(place->path, m->point, len);
	memcpy(place->path + len, rest, more + 1);
	place->major = m->major;
	place->minor = m->minor;
	return 0;
}

/* Of two mounts the later one is taken: it lies on top if both are in one place. */
static int read_mounts(struct span mounts, const struct own *own, struct cgroup_places *places,
		       struct err *e)
{
	struct lines lines;
	struct text line;
	struct mount m;
	size_t count = 0;
	bool ours;
	int end;

	if (start(mounts, "mountinfo", &lines, e) < 0)
		return err_code(e);
	while ((end = next_line(&lines, &line, e)) == 0) {
		if (read_mount(&lines, line, &m, &ours, e) < 0)
			return err_code(e);
		if (ours && ++count > CGROUP_MOUNTS_MAX)
			return err_set(e, ERR_EXHAUSTED, "mountinfo: more than %d control groups",
				       CGROUP_MOUNTS_MAX);
		for (size_t i = 0; ours && i < CGROUP_CONTROLLERS; i++)
			if (lists(m.options, cgroup_controller_names[i]) &&
			    put_place(&lines, &m, own->paths[i], &places->of[i], e) < 0)
				return err_code(e);
	}
	return end < 0 ? end : 0;
}

int cgroup_lines_places(struct span groups, struct span mounts, struct cgroup_places *places,
			struct err *e)
{
	struct cgroup_places found = { 0 };
	struct own own = { 0 };

	if (read_own(groups, &own, e) < 0 || read_mounts(mounts, &own, &found, e) < 0)
		return err_code(e);
	*places = found;
	return 0;
}
