/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/wheel.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

enum { FIELDS_MIN = 5, FIELDS_MAX = 6, GLIBC_DIGITS_MAX = 4, TAG_MAX = 64 };

/* name-version[-build]-python-abi-platform */
struct field {
	const char *at;
	size_t len;
};

static bool split(const char *file, struct field fields[FIELDS_MAX], size_t *count)
{
	size_t len = strlen(file), n = 0;

	if (len < 5 || len > WHEEL_FILE_MAX || strcmp(file + len - 4, ".whl") != 0)
		return false;
	for (const char *at = file, *end = file + len - 4;;) {
		const char *dash = memchr(at, '-', (size_t)(end - at));

		if (n == FIELDS_MAX)
			return false;
		fields[n++] = (struct field){ at, (size_t)((dash ? dash : end) - at) };
		if (!dash)
			break;
		at = dash + 1;
	}
	*count = n;
	/* a build tag begins with a digit */
	return n == FIELDS_MIN || (n == FIELDS_MAX && fields[2].len > 0 && fields[2].at[0] >= '0' &&
				   fields[2].at[0] <= '9');
}

/* The next of the tags between dots; false after the last. */
static bool next_tag(struct field *tags, struct field *tag)
{
	const char *dot;

	if (!tags->at)
		return false;
	dot = memchr(tags->at, '.', tags->len);
	*tag = (struct field){ tags->at, dot ? (size_t)(dot - tags->at) : tags->len };
	if (dot)
		*tags = (struct field){ dot + 1, tags->len - tag->len - 1 };
	else
		tags->at = NULL;
	return true;
}

static bool has_tag(struct field tags, const char *wanted)
{
	struct field tag;

	while (next_tag(&tags, &tag))
		if (tag.len == strlen(wanted) && memcmp(tag.at, wanted, tag.len) == 0)
			return true;
	return false;
}

/* "manylinux_2_17" → 17; the names before PEP 600 stand for one, too. */
static bool read_glibc(const char *tag, unsigned int *glibc)
{
	static const struct {
		const char *name;
		unsigned int glibc;
	} older[] = { { "manylinux1", 5 }, { "manylinux2010", 12 }, { "manylinux2014", 17 } };
	static const char prefix[] = "manylinux_2_";
	size_t digits;

	for (size_t i = 0; i < ARRAY_LEN(older); i++)
		if (strcmp(tag, older[i].name) == 0) {
			*glibc = older[i].glibc;
			return true;
		}
	if (strncmp(tag, prefix, strlen(prefix)) != 0)
		return false;
	tag += strlen(prefix);
	digits = strspn(tag, "0123456789");
	if (digits == 0 || digits > GLIBC_DIGITS_MAX || tag[digits])
		return false;
	*glibc = 0;
	for (; *tag; tag++)
		*glibc = *glibc * 10 + (unsigned int)(*tag - '0');
	return true;
}

/* "any", "linux_MACHINE", or "manylinux_2_N_MACHINE" of a GNU libc that is no newer. */
static bool platform_fits(const struct field *tag, const struct python_target *target)
{
	size_t suffix = strlen(target->machine);
	unsigned int glibc;
	char name[TAG_MAX];

	if (tag->len == 3 && memcmp(tag->at, "any", 3) == 0)
		return true;
	if (tag->len <= suffix + 1 || tag->len >= sizeof(name) ||
	    memcmp(tag->at + tag->len - suffix, target->machine, suffix) != 0 ||
	    tag->at[tag->len - suffix - 1] != '_')
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(tag->len - suffix - 1), tag->at);
	return strcmp(name, "linux") == 0 || (read_glibc(name, &glibc) && glibc <= target->glibc);
}

static bool any_platform_fits(struct field tags, const struct python_target *target)
{
	struct field tag;

	while (next_tag(&tags, &tag))
		if (platform_fits(&tag, target))
			return true;
	return false;
}

static bool abi_fits(struct field python, struct field abi, const struct python_target *target)
{
	char own[16];

	snprintf(own, sizeof(own), "cp3%u", target->minor);
	if (has_tag(python, own))
		return has_tag(abi, own) || has_tag(abi, "abi3") || has_tag(abi, "none");
	/* the stable interface of an older version */
	for (unsigned int minor = 2; has_tag(abi, "abi3") && minor < target->minor; minor++) {
		snprintf(own, sizeof(own), "cp3%u", minor);
		if (has_tag(python, own))
			return true;
	}
	snprintf(own, sizeof(own), "py3%u", target->minor);
	return (has_tag(python, "py3") || has_tag(python, own)) && has_tag(abi, "none");
}

int wheel_name_parse(const char *file, const struct python_target *target, struct wheel_name *wheel,
		     struct err *e)
{
	struct field fields[FIELDS_MAX];
	struct wheel_name w = { 0 };
	struct err ignored;
	size_t count;

	if (!split(file, fields, &count) ||
	    !requirement_normalize(fields[0].at, fields[0].len, w.name) ||
	    python_version_parse(fields[1].at, fields[1].len, &w.version, &ignored) < 0)
		return err_set(e, ERR_INVALID, "%s is not named as a wheel", log_quote(file).text);
	if (target && (!abi_fits(fields[count - 3], fields[count - 2], target) ||
		       !any_platform_fits(fields[count - 1], target)))
		return err_set(
			e, ERR_INVALID,
			"%s is not for this image's Python 3.%u on Linux %s with GNU libc 2.%u",
			log_quote(file).text, target->minor, target->machine, target->glibc);
	snprintf(w.version_text, sizeof(w.version_text), "%.*s", (int)fields[1].len, fields[1].at);
	snprintf(w.stem, sizeof(w.stem), "%.*s", (int)(fields[0].len + 1 + fields[1].len), file);
	*wheel = w;
	return 0;
}
