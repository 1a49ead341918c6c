/* SPDX-License-Identifier: Apache-2.0 */
/* kit.h — archives of images for the tests of agent/container, well made or wrong on purpose. */
#pragma once

#include "agent/container/unpack.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIT_MAX = 64 << 20 };

/* One entry; what is not named is that of a plain file. */
struct kit_entry {
	const char *name, *link, *text;
	char type;
	unsigned int mode;
	size_t size; /* of zeros, if there is no text */
};

static inline void kit_sum(uint8_t *block)
{
	unsigned int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum & 0777777);
}

static inline void kit_header(struct writer *w, const struct kit_entry *entry, size_t size)
{
	uint8_t block[512] = { 0 };
	char number[24];

	snprintf((char *)block, 101, "%s", entry->name);
	snprintf((char *)block + 100, 8, "%07o", (entry->mode ? entry->mode : 0644) & 07777777);
	snprintf(number, sizeof(number), "%011zo", size);
	memcpy(block + 124, number, 12);
	memcpy(block + 136, "00000000001", 12);
	block[156] = (uint8_t)(entry->type ? entry->type : '0');
	snprintf((char *)block + 157, 100, "%s", entry->link ? entry->link : "");
	memcpy(block + 257,
	       "ustar\0"
	       "00",
	       8);
	kit_sum(block);
	writer_bytes(w, block, sizeof(block));
}

static inline void kit_content(struct writer *w, const void *bytes, size_t len)
{
	if (bytes)
		writer_bytes(w, bytes, len);
	else
		writer_zeros(w, len);
	writer_zeros(w, (512 - len % 512) % 512);
}

static inline void kit_put(struct writer *w, const struct kit_entry *entry)
{
	size_t size = entry->text ? strlen(entry->text) : entry->size;

	kit_header(w, entry, size);
	kit_content(w, entry->text, size);
}

static inline void kit_end(struct writer *w)
{
	writer_zeros(w, 1024);
	assert_false(w->bad);
}

static inline void kit_hex(const void *bytes, size_t len, char hex[65])
{
	uint8_t d[SHA256_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA256, bytes, len, d, &e), e);
	hex_encode(d, sizeof(d), hex);
}

/* A file of an archive that has been written to `w`. */
static inline void kit_file(struct writer *w, const char *name, const void *bytes, size_t len)
{
	kit_header(w, &(struct kit_entry){ .name = name }, len);
	kit_content(w, bytes, len);
}

/* How an image is put together; what is left out is right. */
struct kit_image {
	const struct kit_entry *layers[4]; /* each ends with an entry without a name */
	const char *run;                   /* the "config" object; {} */
	const char *machine;               /* amd64 */
	bool wrong_diff_id, wrong_layer_digest;
};

/* docker's form. `w` is new. */
static inline void kit_docker(struct writer *w, const struct kit_image *image)
{
	CLEANUP_WRITER struct writer config = writer_up_to(KIT_MAX), names = writer_up_to(KIT_MAX);
	char hex[65], name[80];

	writer_printf(&config,
		      "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,\"rootfs\":"
		      "{\"type\":\"layers\",\"diff_ids\":[",
		      image->machine ? image->machine : "amd64", image->run ? image->run : "{}");
	for (size_t i = 0; i < ARRAY_LEN(image->layers) && image->layers[i]; i++) {
		CLEANUP_WRITER struct writer layer = writer_up_to(KIT_MAX);

		for (const struct kit_entry *entry = image->layers[i]; entry->name; entry++)
			kit_put(&layer, entry);
		kit_end(&layer);
		kit_hex(layer.bytes, layer.len, hex);
		snprintf(name, sizeof(name), "l%zu/layer.tar", i);
		kit_file(w, name, layer.bytes, layer.len);
		if (image->wrong_diff_id)
			hex[0] = hex[0] == '0' ? '1' : '0';
		writer_printf(&config, "%s\"sha256:%s\"", i ? "," : "", hex);
		writer_printf(&names, "%s\"%s\"", i ? "," : "", name);
	}
	writer_printf(&config, "]}}");
	kit_hex(config.bytes, config.len, hex);
	snprintf(name, sizeof(name), "%s.json", hex);
	kit_file(w, name, config.bytes, config.len);
	CLEANUP_WRITER struct writer manifest = writer_up_to(KIT_MAX);
	writer_printf(&manifest, "[{\"Config\":\"%s\",\"RepoTags\":[\"a:b\"],\"Layers\":[%.*s]}]",
		      name, (int)names.len, (const char *)names.bytes);
	kit_file(w, "manifest.json", manifest.bytes, manifest.len);
	kit_end(w);
}

static inline int kit_memory(const void *bytes, size_t len)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct err e;

	assert_true(fd >= 0);
	assert_ok(fd_write_all(fd, bytes, len, &e), e);
	return fd;
}

/* A root to unpack to, in a folder that kit_leave() takes away. */
struct kit_world {
	char top[64];
	int root;
};

static inline int kit_enter(void **state)
{
	struct kit_world *w = calloc(1, sizeof(*w));
	char path[96];

	snprintf(w->top, sizeof(w->top), "/tmp/test-container-XXXXXX");
	if (!mkdtemp(w->top))
		return -1;
	snprintf(path, sizeof(path), "%s/root", w->top);
	mkdir(path, 0755);
	w->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return w->root < 0 ? -1 : 0;
}

static inline int kit_leave(void **state)
{
	struct kit_world *w = *state;
	struct err e;
	int failed = dir_remove(w->top, &e);

	close(w->root);
	free(w);
	return failed;
}
