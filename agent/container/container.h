/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h — an image in its archive, as `docker save` and `skopeo copy … oci-archive:` write it:
 * found, and what it says of its parts held against them.
 *
 * With an oci-layout in it an archive is OCI's, else docker's; newer dockers write both, and then both
 * have to lead to the same configuration.
 */
#pragma once

#include "agent/container/archive.h"
#include "agent/container/container_config.h"

struct container_layer {
	struct blob_place place;
	enum blob_packing packing;
	bool named; /* by the digest below, of its packed bytes */
	uint8_t digest[BLOB_DIGEST_LEN];
};

struct container {
	struct archive *archive;
	struct container_config config; /* with each layer's diff_id */
	struct container_layer layers[CONTAINER_LAYERS_MAX];
};

/* `fd` stays the caller's, and open as long as this. container_done() it, whether it fails or not. With
 * `cancel` true (NULL: never) it ends soon, with ERR_CANCELLED. */
int container_open(int fd, const char *machine, const atomic_bool *cancel,
		   struct container *container, struct err *e) MUST_CHECK;
void container_done(struct container *container);
#define CLEANUP_CONTAINER __attribute__((cleanup(container_done)))
