/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/container_manifest.h"

#include "common/base/log.h"

#include <string.h>

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

enum media { MEDIA_INDEX, MEDIA_MANIFEST, MEDIA_CONFIG, MEDIA_LAYER };

/* What is known; of all others it is said that they are not. */
static const struct {
	const char *name;
	enum media media;
	enum blob_packing packing;
} types[] = {
	{ OCI "index.v1+json", MEDIA_INDEX, BLOB_PLAIN },
	{ DOCKER "distribution.manifest.list.v2+json", MEDIA_INDEX, BLOB_PLAIN },
	{ OCI "manifest.v1+json", MEDIA_MANIFEST, BLOB_PLAIN },
	{ DOCKER "distribution.manifest.v2+json", MEDIA_MANIFEST, BLOB_PLAIN },
	{ OCI "config.v1+json", MEDIA_CONFIG, BLOB_PLAIN },
	{ DOCKER "container.image.v1+json", MEDIA_CONFIG, BLOB_PLAIN },
	{ OCI "layer.v1.tar", MEDIA_LAYER, BLOB_PLAIN },
	{ OCI "layer.v1.tar+gzip", MEDIA_LAYER, BLOB_GZIP },
	{ OCI "layer.v1.tar+zstd", MEDIA_LAYER, BLOB_ZSTD },
	{ DOCKER "image.rootfs.diff.tar", MEDIA_LAYER, BLOB_PLAIN },
	{ DOCKER "image.rootfs.diff.tar.gzip", MEDIA_LAYER, BLOB_GZIP },
	{ DOCKER "image.rootfs.diff.tar.zstd", MEDIA_LAYER, BLOB_ZSTD },
};

static int parse(const void *bytes, size_t len, struct json **root, struct err *e)
{
	if (len > CONTAINER_JSON_MAX)
		return err_set(e, ERR_EXHAUSTED, "is larger than %d bytes", CONTAINER_JSON_MAX);
	return json_parse(bytes, len, root, e);
}

DEFINE_CLEANUP(struct json *, json_free)

int container_layout_check(const void *bytes, size_t len, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const char *version;

	if (parse(bytes, len, &root, e) < 0 ||
	    json_get_string(root, "imageLayoutVersion", &version, e) < 0)
		return err_wrap(e, "oci-layout");
	if (strcmp(version, "1.0.0") != 0)
		return err_set(e, ERR_INVALID, "oci-layout: version %s is not 1.0.0",
			       log_quote(version).text);
	return 0;
}

/* The type's row; `media` is what it has to be, an entry of an index may also be an index. */
static int media_of(const char *name, enum media media, struct container_descriptor *d,
		    struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].name, name) != 0)
			continue;
		d->is_index = types[i].media == MEDIA_INDEX;
		d->packing = types[i].packing;
		if (types[i].media == media || (media == MEDIA_MANIFEST && d->is_index))
			return 0;
	}
	return err_set(e, ERR_INVALID, "the type %s is not one that can be run here",
		       log_quote(name).text);
}

/* The document's own type, where it says one; schemaVersion is 2. */
static int check_document(const struct json *root, enum media media, struct err *e)
{
	const struct json *type = json_get(root, "mediaType");
	struct container_descriptor ignored;
	uint64_t version;

	if (json_get_u64(root, "schemaVersion", &version, e) < 0)
		return err_code(e);
	if (version != 2)
		return err_set(e, ERR_INVALID, "schemaVersion is not 2");
	if (!type)
		return 0;
	if (type->type != JSON_STRING)
		return err_set(e, ERR_INVALID, "mediaType is no text");
	if (media_of(type->text, media, &ignored, e) < 0)
		return err_code(e);
	if (ignored.is_index != (media == MEDIA_INDEX))
		return err_set(e, ERR_INVALID, "mediaType is that of another document");
	return 0;
}

static int read_descriptor(const struct json *object, enum media media,
			   struct container_descriptor *d, struct err *e)
{
	const char *type, *digest;

	if (json_get_string(object, "mediaType", &type, e) < 0 ||
	    json_get_string(object, "digest", &digest, e) < 0 ||
	    json_get_u64(object, "size", &d->size, e) < 0)
		return err_code(e);
	/* "foreign" layers are somewhere else; what is elsewhere is not what was hashed */
	if (json_get(object, "urls"))
		return err_set(e, ERR_INVALID, "it lies at an address (urls), not in the archive");
	if (media_of(type, media, d, e) < 0)
		return err_code(e);
	return container_digest(digest, d->digest, e);
}

static bool text_is(const struct json *object, const char *key, const char *wanted)
{
	const struct json *text = json_get(object, key);

	return text && text->type == JSON_STRING && strcmp(text->text, wanted) == 0;
}

/* What an entry says of its machine; without a word it may be ours, and its configuration tells. */
static bool is_ours(const struct json *entry, const char *machine)
{
	const struct json *platform = json_get(entry, "platform");

	return !platform ||
	       (text_is(platform, "os", "linux") && text_is(platform, "architecture", machine));
}

int container_index_parse(const void *bytes, size_t len, const char *machine,
			  struct container_descriptor *entry, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	struct container_descriptor found = { 0 };
	const struct json *list;
	size_t count = 0;

	if (parse(bytes, len, &root, e) < 0 || check_document(root, MEDIA_INDEX, e) < 0 ||
	    json_get_array(root, "manifests", &list, e) < 0)
		return err_wrap(e, "index");
	if (list->count > CONTAINER_INDEX_MAX)
		return err_set(e, ERR_EXHAUSTED, "index: more than %d images", CONTAINER_INDEX_MAX);
	for (size_t i = 0; i < list->count; i++) {
		if (!is_ours(&list->items[i], machine))
			continue;
		count++;
		if (read_descriptor(&list->items[i], MEDIA_MANIFEST, &found, e) < 0)
			return err_wrap(e, "index: manifests[%zu]", i);
	}
	if (count != 1)
		return err_set(e, ERR_INVALID,
			       "index: %zu images for linux/%s, where exactly one can be run",
			       count, machine);
	*entry = found;
	return 0;
}

int container_oci_parse(const void *bytes, size_t len, struct container_oci *oci, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const struct json *config, *list;

	memset(oci, 0, sizeof(*oci));
	if (parse(bytes, len, &root, e) < 0 || check_document(root, MEDIA_MANIFEST, e) < 0 ||
	    json_get_object(root, "config", &config, e) < 0 ||
	    read_descriptor(config, MEDIA_CONFIG, &oci->config, e) < 0 ||
	    json_get_array(root, "layers", &list, e) < 0)
		return err_wrap(e, "manifest");
	if (list->count == 0 || list->count > CONTAINER_LAYERS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "manifest: it has %zu layers, at least 1 and at most %d are taken",
			       list->count, CONTAINER_LAYERS_MAX);
	for (size_t i = 0; i < list->count; i++)
		if (read_descriptor(&list->items[i], MEDIA_LAYER, &oci->layers[i], e) < 0)
			return err_wrap(e, "manifest: layers[%zu]", i);
	oci->layer_count = list->count;
	return 0;
}

int container_docker_parse(const void *bytes, size_t len, struct container_docker *docker,
			   struct err *e)
{
	const struct json *list, *image;

	memset(docker, 0, sizeof(*docker));
	if (parse(bytes, len, &docker->root, e) < 0)
		return err_wrap(e, "manifest.json");
	if (docker->root->type != JSON_ARRAY || docker->root->count != 1)
		return err_set(e, ERR_INVALID,
			       "manifest.json: there has to be exactly one image in it");
	image = &docker->root->items[0];
	if (json_get_string(image, "Config", &docker->config, e) < 0 ||
	    json_get_array(image, "Layers", &list, e) < 0)
		return err_wrap(e, "manifest.json");
	if (list->count == 0 || list->count > CONTAINER_LAYERS_MAX)
		return err_set(
			e, ERR_EXHAUSTED,
			"manifest.json: it has %zu layers, at least 1 and at most %d are taken",
			list->count, CONTAINER_LAYERS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "manifest.json: Layers[%zu] is no text", i);
		docker->layers[i] = list->items[i].text;
	}
	docker->layer_count = list->count;
	return 0;
}

void container_docker_done(struct container_docker *docker)
{
	json_free(docker->root);
	docker->root = NULL;
}
