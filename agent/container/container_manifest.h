/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_manifest.h — which files of an archive are an image: docker's manifest.json, or OCI's
 * oci-layout, index and manifest (OCI Image Format Specification 1.1).
 *
 * Form alone; which image of an index is this machine's is decided here, too, by what it says of them.
 */
#pragma once

#include "agent/container/container_config.h"

enum { CONTAINER_INDEX_MAX = 64 /* images in an index */, CONTAINER_INDEX_DEPTH_MAX = 2 };

/* A blob by its digest, as OCI names it. */
struct container_descriptor {
	uint8_t digest[BLOB_DIGEST_LEN];
	uint64_t size;
	enum blob_packing packing; /* of a layer */
	bool is_index;             /* of an index's entry: it is another index */
};

struct container_oci {
	struct container_descriptor config;
	struct container_descriptor layers[CONTAINER_LAYERS_MAX];
	size_t layer_count;
};

/* Names of files in the archive. */
struct container_docker {
	struct json *root;
	const char *config;
	const char *layers[CONTAINER_LAYERS_MAX];
	size_t layer_count;
};

/* "imageLayoutVersion" is 1.0.0. */
int container_layout_check(const void *bytes, size_t len, struct err *e) MUST_CHECK;

/* The one entry for `machine`; attestations beside it do not count. None, or several, are refused. */
int container_index_parse(const void *bytes, size_t len, const char *machine,
			  struct container_descriptor *entry, struct err *e) MUST_CHECK;

int container_oci_parse(const void *bytes, size_t len, struct container_oci *oci,
			struct err *e) MUST_CHECK;

/* Of exactly one image. container_docker_done() it, whether it fails or not. */
int container_docker_parse(const void *bytes, size_t len, struct container_docker *docker,
			   struct err *e) MUST_CHECK;
void container_docker_done(struct container_docker *docker);
#define CLEANUP_CONTAINER_DOCKER __attribute__((cleanup(container_docker_done)))
