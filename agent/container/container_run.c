/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/container_run.h"

#include "common/base/reader.h"

#include <string.h>

static void put_text(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text) + 1);
}

static void put_strings(struct writer *w, const struct container_strings *strings)
{
	writer_be32(w, (uint32_t)strings->count);
	for (size_t i = 0; i < strings->count; i++)
		put_text(w, strings->items[i]);
}

int container_run_write(const struct container_config *config, struct writer *w, struct err *e)
{
	put_strings(w, &config->entrypoint);
	put_strings(w, &config->command);
	put_strings(w, &config->env);
	put_text(w, config->folder);
	return writer_check(w, "what the image runs", e);
}

static const char *take_text(struct reader *r)
{
	const void *zero = memchr(r->pos, 0, reader_left(r));

	if (!zero) {
		r->bad = true;
		return "";
	}
	return (const char *)reader_take(r, (size_t)((const uint8_t *)zero - r->pos) + 1);
}

static void take_strings(struct reader *r, struct container_strings *strings)
{
	uint32_t count = reader_be32(r);

	if (count > CONTAINER_STRINGS_MAX) {
		r->bad = true;
		return;
	}
	for (uint32_t i = 0; i < count && reader_ok(r); i++) {
		const char *text = take_text(r);

		strings->items[strings->count++] = text;
		strings->bytes += strlen(text) + 1;
	}
	if (strings->bytes > CONTAINER_STRINGS_BYTES_MAX)
		r->bad = true;
}

int container_run_read(const void *bytes, size_t len, struct container_run *run, struct err *e)
{
	struct reader r = reader_over(bytes, len);

	memset(run, 0, sizeof(*run));
	take_strings(&r, &run->entrypoint);
	take_strings(&r, &run->command);
	take_strings(&r, &run->env);
	run->folder = take_text(&r);
	for (size_t i = 0; i < run->env.count; i++)
		if (run->env.items[i][0] == '=' || !strchr(run->env.items[i], '='))
			r.bad = true;
	if (len == 0 || !reader_done(&r) || run->folder[0] != '/')
		return err_set(e, ERR_INVALID, "image: what it runs is malformed");
	return 0;
}
