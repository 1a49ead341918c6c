/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says of itself; the first byte is which of its documents this is. */
#include "agent/container/container_manifest.h"
#include "agent/container/container_run.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void layout(const uint8_t *bytes, size_t len)
{
	struct err e;

	if (container_layout_check(bytes, len, &e) < 0)
		assert(e.text[0]);
}

static void index_(const uint8_t *bytes, size_t len)
{
	struct container_descriptor entry;
	struct err e;

	if (container_index_parse(bytes, len, "amd64", &entry, &e) == 0)
		assert(entry.packing == BLOB_PLAIN);
}

static void oci(const uint8_t *bytes, size_t len)
{
	static struct container_oci found;
	struct err e;

	if (container_oci_parse(bytes, len, &found, &e) == 0)
		assert(found.layer_count >= 1 && found.layer_count <= CONTAINER_LAYERS_MAX);
}

static void docker(const uint8_t *bytes, size_t len)
{
	CLEANUP_CONTAINER_DOCKER struct container_docker found = { 0 };
	struct err e;

	if (container_docker_parse(bytes, len, &found, &e) == 0)
		assert(found.config && found.layers[found.layer_count - 1]);
}

/* What is taken can be handed on, and comes out the same. */
static void config(const uint8_t *bytes, size_t len)
{
	CLEANUP_CONTAINER_CONFIG struct container_config found = { 0 };
	CLEANUP_WRITER struct writer w = writer_up_to(CONTAINER_RUN_MAX);
	struct container_run run;
	struct err e;

	if (container_config_parse(bytes, len, "amd64", &found, &e) < 0)
		return;
	assert(container_run_write(&found, &w, &e) == 0);
	assert(container_run_read(w.bytes, w.len, &run, &e) == 0);
	assert(run.env.count == found.env.count && strcmp(run.folder, found.folder) == 0);
}

static void run(const uint8_t *bytes, size_t len)
{
	struct container_run found;
	struct err e;

	if (container_run_read(bytes, len, &found, &e) == 0)
		assert(found.folder[0] == '/' && found.env.count <= CONTAINER_STRINGS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const documents[])(const uint8_t *, size_t) = { layout, index_, oci,
								      docker, config, run };

	if (len > 0)
		documents[bytes[0] % ARRAY_LEN(documents)](bytes + 1, len - 1);
	return 0;
}
