/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_spec.h"

#include "agent/container/unpack.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"

#include <string.h>
#include <sys/sysinfo.h>

struct jail_spec_box {
	struct jail_spec spec;
	const char *argv[JAIL_STRINGS_MAX + 1], *env[JAIL_STRINGS_MAX + 1];
	struct jail_mount mounts[JAIL_MOUNTS_MAX];
	char bytes[]; /* the packet, strings with their final zeros in it */
};

static void put_string(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text) + 1);
}

static void put_strings(struct writer *w, const char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	writer_be32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_string(w, strings[i]);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A name below / that the jail itself does not put there. */
static bool is_of_image(const char *target)
{
	static const char *const ours[] = { "/dev", "/proc", "/sys", "/task", "/tmp", "/" };

	if (strcmp(target, "/" UNPACK_DATASETS) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(target, ours[i]) == 0)
			return false;
	return target[0] == '/' && !strchr(target + 1, '/') && strcmp(target, "/.") != 0;
}

/* Nothing may hide what the jail itself puts there: /usr, /dev, /proc, /etc, results/. */
static int check_mount(const struct jail_mount *mount, bool image, struct err *e)
{
	bool below = starts_with(mount->target, "/task/") || starts_with(mount->target, "/home/") ||
		     (image ? is_of_image(mount->target)
			    : starts_with(mount->target, "/venv") ||
				      starts_with(mount->target, "/wasm/"));

	if (mount->source[0] != '/' || !below || strstr(mount->target, "..") ||
	    starts_with(mount->target, "/task/results") || mount->access > JAIL_LAYER)
		return err_set(e, ERR_INVALID, "jail: cannot mount %s at %s",
			       log_quote(mount->source).text, log_quote(mount->target).text);
	return 0;
}

int jail_spec_write(const struct jail_spec *spec, struct writer *w, struct err *e)
{
	const struct jail_limits *limits = &spec->limits;

	if (!spec->argv || !spec->argv[0] || !spec->argv[0][0] ||
	    (!spec->image && spec->argv[0][0] != '/'))
		return err_set(e, ERR_INVALID, "jail: the program needs an absolute path");
	if (spec->mount_count > JAIL_MOUNTS_MAX)
		return err_set(e, ERR_EXHAUSTED, "jail: more than %d mounts", JAIL_MOUNTS_MAX);
	put_strings(w, spec->argv);
	put_strings(w, spec->env);
	writer_u8(w, (uint8_t)spec->mount_count);
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct jail_mount *mount = &spec->mounts[i];

		if (check_mount(mount, spec->image, e) < 0)
			return err_code(e);
		put_string(w, mount->source);
		put_string(w, mount->target);
		writer_u8(w, (uint8_t)mount->access);
		writer_u8(w, mount->executable);
	}
	writer_u8(w, spec->network);
	writer_u8(w, spec->strict);
	writer_u8(w, spec->image);
	writer_be64(w, spec->unpack);
	put_string(w, spec->folder ? spec->folder : "/task");
	writer_be64(w, limits->memory);
	writer_be64(w, limits->reserve);
	writer_be64(w, limits->pids);
	writer_be64(w, limits->files);
	writer_be64(w, limits->results);
	writer_be64(w, limits->result_files);
	writer_be64(w, limits->scratch);
	writer_be64(w, limits->processor);
	return writer_check(w, "jail: arguments and environment", e);
}

/* A string where it lies; "" when there is none, and then the reader is bad. */
static const char *take_string(struct reader *r)
{
	const void *zero = memchr(r->pos, 0, reader_left(r));

	if (!zero) {
		r->bad = true;
		return "";
	}
	size_t len = (size_t)((const uint8_t *)zero - r->pos) + 1;
	return (const char *)reader_take(r, len);
}

static void take_strings(struct reader *r, const char **strings)
{
	uint32_t count = reader_be32(r);

	if (count > JAIL_STRINGS_MAX) {
		r->bad = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		strings[i] = take_string(r);
	strings[count] = NULL;
}

static void take_mounts(struct reader *r, struct jail_spec_box *box)
{
	uint8_t count = reader_u8(r);

	if (count > JAIL_MOUNTS_MAX) {
		r->bad = true;
		return;
	}
	for (uint8_t i = 0; i < count; i++) {
		struct jail_mount *mount = &box->mounts[i];

		mount->source = take_string(r);
		mount->target = take_string(r);
		mount->access = reader_u8(r);
		r->bad |= mount->access > JAIL_LAYER;
		mount->executable = reader_u8(r) != 0;
	}
	box->spec.mounts = box->mounts;
	box->spec.mount_count = count;
}

int jail_spec_read(const void *bytes, size_t len, struct jail_spec_box **out, struct err *e)
{
	CLEANUP(jail_spec_free) struct jail_spec_box *box = calloc(1, sizeof(*box) + len + 1);

	if (!box)
		return err_nomem(e);
	memcpy(box->bytes, bytes, len);
	struct reader r = reader_over(box->bytes, len);
	struct jail_spec *spec = &box->spec;

	take_strings(&r, box->argv);
	take_strings(&r, box->env);
	spec->argv = box->argv;
	spec->env = box->env;
	take_mounts(&r, box);
	spec->network = reader_u8(&r) != 0;
	spec->strict = reader_u8(&r) != 0;
	spec->image = reader_u8(&r) != 0;
	spec->unpack = reader_be64(&r);
	spec->folder = take_string(&r);
	spec->limits.memory = reader_be64(&r);
	spec->limits.reserve = reader_be64(&r);
	spec->limits.pids = reader_be64(&r);
	spec->limits.files = reader_be64(&r);
	spec->limits.results = reader_be64(&r);
	spec->limits.result_files = reader_be64(&r);
	spec->limits.scratch = reader_be64(&r);
	spec->limits.processor = reader_be64(&r);
	if (!reader_done(&r) || !box->argv[0])
		return err_set(e, ERR_INVALID, "jail: malformed spec of %zu bytes", len);
	*out = TAKE_PTR(box);
	return 0;
}

const struct jail_spec *jail_spec_of(const struct jail_spec_box *box)
{
	return &box->spec;
}

void jail_spec_free(struct jail_spec_box *box)
{
	free(box);
}

/* What is left for the run: memory file systems with its data in them are not. */
static uint64_t machine_memory(void)
{
	CLEANUP(free) char *text = NULL;
	struct sysinfo info;
	struct err e;

	if (file_read_text("/proc/meminfo", 65536, &text, &e) == 0) {
		const char *line = strstr(text, "MemAvailable:");

		if (line)
			return strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024;
	}
	if (sysinfo(&info) < 0)
		return 1ULL << 30;
	return (uint64_t)info.freeram * info.mem_unit;
}

static void fill(uint64_t *value, uint64_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

struct jail_limits jail_limits_filled(const struct jail_limits *limits)
{
	struct jail_limits filled = *limits;
	uint64_t memory = machine_memory();

	fill(&filled.memory, memory / 4 * 3);
	fill(&filled.pids, 256);
	fill(&filled.files, 1024);
	fill(&filled.results, memory / 4);
	fill(&filled.result_files, 65534);
	fill(&filled.scratch, memory / 8);
	return filled;
}
