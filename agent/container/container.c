/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/container.h"

#include "agent/container/container_manifest.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <string.h>

struct bytes {
	uint8_t *at;
	size_t len;
};

static void bytes_done(struct bytes *bytes)
{
	free(bytes->at);
}
#define CLEANUP_BYTES __attribute__((cleanup(bytes_done)))

static int read_named(const struct archive *archive, const char *name, struct bytes *bytes,
		      struct err *e)
{
	struct blob_place place;

	if (archive_find(archive, name, &place, e) < 0)
		return err_code(e);
	if (archive_read(archive, &place, CONTAINER_JSON_MAX, &bytes->at, &bytes->len, e) < 0)
		return err_wrap(e, "%s", log_quote(name).text);
	return 0;
}

static void blob_name(const uint8_t digest[BLOB_DIGEST_LEN], char name[96])
{
	char hex[2 * BLOB_DIGEST_LEN + 1];

	hex_encode(digest, BLOB_DIGEST_LEN, hex);
	snprintf(name, 96, "blobs/sha256/%s", hex);
}

/* Where it lies, of the size that was said. */
static int find_blob(const struct archive *archive, const struct container_descriptor *d,
		     struct blob_place *place, struct err *e)
{
	char name[96];

	blob_name(d->digest, name);
	if (archive_find(archive, name, place, e) < 0)
		return err_code(e);
	if (place->size != d->size)
		return err_set(e, ERR_INVALID, "%s has %llu bytes, and %llu were announced", name,
			       (unsigned long long)place->size, (unsigned long long)d->size);
	return 0;
}

static int check_digest(const struct bytes *bytes, const uint8_t wanted[BLOB_DIGEST_LEN],
			const char *name, struct err *e)
{
	uint8_t found[BLOB_DIGEST_LEN];

	if (digest(DIGEST_SHA256, bytes->at, bytes->len, found, e) < 0)
		return err_code(e);
	if (!bytes_equal(found, wanted, sizeof(found)))
		return err_set(e, ERR_INVALID, "%s has another digest than its name says", name);
	return 0;
}

/* A document by its digest. */
static int read_blob(const struct archive *archive, const struct container_descriptor *d,
		     struct bytes *bytes, struct err *e)
{
	struct blob_place place;
	char name[96];

	blob_name(d->digest, name);
	if (find_blob(archive, d, &place, e) < 0)
		return err_code(e);
	if (archive_read(archive, &place, CONTAINER_JSON_MAX, &bytes->at, &bytes->len, e) < 0)
		return err_wrap(e, "%s", name);
	return check_digest(bytes, d->digest, name, e);
}

/* From index.json, through at most one index more, to the image's manifest. */
static int find_oci(const struct archive *archive, const char *machine, struct container_oci *oci,
		    struct err *e)
{
	struct container_descriptor entry = { .is_index = true };

	for (int depth = 0; entry.is_index; depth++) {
		CLEANUP_BYTES struct bytes bytes = { 0 };

		if (depth == CONTAINER_INDEX_DEPTH_MAX)
			return err_set(e, ERR_INVALID, "index: indexes in indexes");
		if ((depth == 0 ? read_named(archive, "index.json", &bytes, e)
				: read_blob(archive, &entry, &bytes, e)) < 0 ||
		    container_index_parse(bytes.at, bytes.len, machine, &entry, e) < 0)
			return err_code(e);
	}
	CLEANUP_BYTES struct bytes bytes = { 0 };
	if (read_blob(archive, &entry, &bytes, e) < 0)
		return err_code(e);
	return container_oci_parse(bytes.at, bytes.len, oci, e);
}

static int check_layer_count(const struct container *c, size_t count, struct err *e)
{
	if (count != c->config.layer_count)
		return err_set(e, ERR_INVALID, "%zu layers, and the configuration has %zu", count,
			       c->config.layer_count);
	return 0;
}

static int open_oci(struct container *c, const char *machine, struct container_oci *oci,
		    struct err *e)
{
	CLEANUP_BYTES struct bytes layout = { 0 }, config = { 0 };

	if (read_named(c->archive, "oci-layout", &layout, e) < 0 ||
	    container_layout_check(layout.at, layout.len, e) < 0 ||
	    find_oci(c->archive, machine, oci, e) < 0 ||
	    read_blob(c->archive, &oci->config, &config, e) < 0 ||
	    container_config_parse(config.at, config.len, machine, &c->config, e) < 0 ||
	    check_layer_count(c, oci->layer_count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < oci->layer_count; i++) {
		struct container_layer *layer = &c->layers[i];

		layer->packing = oci->layers[i].packing;
		layer->named = true;
		memcpy(layer->digest, oci->layers[i].digest, sizeof(layer->digest));
		if (find_blob(c->archive, &oci->layers[i], &layer->place, e) < 0)
			return err_wrap(e, "layer %zu", i + 1);
	}
	return 0;
}

/* "<64 digits>.json" and "blobs/sha256/<64 digits>" name a digest. */
static bool digest_in_name(const char *name, uint8_t digest[BLOB_DIGEST_LEN])
{
	char text[8 + 2 * BLOB_DIGEST_LEN];
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
	struct err ignored;

	snprintf(text, sizeof(text), "sha256:%.64s", last);
	return strspn(last, "0123456789abcdef") == 64 &&
	       container_digest(text, digest, &ignored) == 0;
}

static int read_docker(const struct archive *archive, struct container_docker *docker,
		       struct err *e)
{
	CLEANUP_BYTES struct bytes manifest = { 0 };

	if (read_named(archive, "manifest.json", &manifest, e) < 0)
		return err_code(e);
	return container_docker_parse(manifest.at, manifest.len, docker, e);
}

static int open_docker(struct container *c, const char *machine, struct err *e)
{
	CLEANUP_CONTAINER_DOCKER struct container_docker docker = { 0 };
	CLEANUP_BYTES struct bytes config = { 0 };
	uint8_t wanted[BLOB_DIGEST_LEN];

	if (read_docker(c->archive, &docker, e) < 0 ||
	    read_named(c->archive, docker.config, &config, e) < 0)
		return err_code(e);
	if (!digest_in_name(docker.config, wanted))
		return err_set(e, ERR_INVALID,
			       "manifest.json: the configuration %s is not named by its "
			       "digest",
			       log_quote(docker.config).text);
	if (check_digest(&config, wanted, "the configuration", e) < 0 ||
	    container_config_parse(config.at, config.len, machine, &c->config, e) < 0 ||
	    check_layer_count(c, docker.layer_count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < docker.layer_count; i++) {
		struct container_layer *layer = &c->layers[i];

		if (archive_find(c->archive, docker.layers[i], &layer->place, e) < 0 ||
		    blob_packing_of(archive_file(c->archive), &layer->place, &layer->packing, e) <
			    0)
			return err_wrap(e, "layer %zu", i + 1);
	}
	return 0;
}

/* Both ways to the image are in the archive: another reader may take the other one. */
static int check_same(const struct container *c, const struct container_oci *oci, struct err *e)
{
	CLEANUP_CONTAINER_DOCKER struct container_docker docker = { 0 };
	uint8_t config[BLOB_DIGEST_LEN];

	if (read_docker(c->archive, &docker, e) < 0)
		return err_code(e);
	if (!digest_in_name(docker.config, config) ||
	    !bytes_equal(config, oci->config.digest, sizeof(config)))
		return err_set(e, ERR_INVALID, "manifest.json and index.json name two images");
	return 0;
}

int container_open(int fd, const char *machine, const atomic_bool *cancel, struct container *c,
		   struct err *e)
{
	CLEANUP(free) struct container_oci *oci = malloc(sizeof(*oci));

	memset(c, 0, sizeof(*c));
	if (!oci)
		return err_nomem(e);
	if (archive_open(fd, cancel, &c->archive, e) < 0)
		return err_code(e);
	if (!archive_has(c->archive, "oci-layout"))
		return open_docker(c, machine, e);
	if (open_oci(c, machine, oci, e) < 0)
		return err_code(e);
	return archive_has(c->archive, "manifest.json") ? check_same(c, oci, e) : 0;
}

void container_done(struct container *c)
{
	archive_free(c->archive);
	container_config_done(&c->config);
	c->archive = NULL;
}
