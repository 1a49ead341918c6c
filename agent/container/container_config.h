/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_config.h — what an image says of itself: machine, layers, and what to run (OCI Image
 * Configuration; docker's is the same).
 *
 * Keys that are not named here are others' business, and are passed over as the specification says.
 */
#pragma once

#include "agent/container/blob.h"
#include "common/base/json.h"

enum {
	CONTAINER_JSON_MAX = 1 << 20, /* bytes of a manifest, an index, a configuration */
	CONTAINER_LAYERS_MAX = 128,
	CONTAINER_STRINGS_MAX = 256,         /* words of a command, variables */
	CONTAINER_STRINGS_BYTES_MAX = 65536, /* of each of the two together */
};

/* Words in their order, NULL at the end; they live as long as what they were read from. */
struct container_strings {
	const char *items[CONTAINER_STRINGS_MAX + 1];
	size_t count, bytes;
};

struct container_config {
	struct json *root; /* what the rest points into */
	struct container_strings entrypoint, command, env;
	const char *folder; /* WorkingDir, "/" if there is none */
	uint8_t diff_ids[CONTAINER_LAYERS_MAX][BLOB_DIGEST_LEN];
	size_t layer_count;
};

/* ERR_INVALID also for an image of another machine than `machine` ("amd64"), with both named.
 * container_config_done() it, whether it fails or not. */
int container_config_parse(const void *bytes, size_t len, const char *machine,
			   struct container_config *config, struct err *e) MUST_CHECK;
void container_config_done(struct container_config *config);
#define CLEANUP_CONTAINER_CONFIG __attribute__((cleanup(container_config_done)))

/* "sha256:<64 lower-case digits>"; nothing else is taken. */
int container_digest(const char *text, uint8_t digest[BLOB_DIGEST_LEN], struct err *e) MUST_CHECK;

/* This machine as images name it: "amd64", "arm64", …. */
const char *container_machine(void);
