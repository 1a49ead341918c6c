/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h — one layer of an image put upon those below it (OCI Image Layer Filesystem Changeset).
 *
 * Read twice: first whole, to hold it against its digests, to count it, and to take away what its
 * whiteouts name, which is never its own; then for its content. What stays: names, contents, where
 * links lead, whether something can be executed, and files' times. Owners, other rights and extended
 * attributes do not, so nothing is set-user-ID or has capabilities.
 */
#pragma once

#include "agent/container/container.h"
#include "agent/container/place.h"

/* `root` is the folder that becomes the container's root. ERR_INVALID: a device or pipe, a path that
 * place.h refuses, a file twice, a hard link to what is not there, a digest that differs.
 * ERR_EXHAUSTED: over the room, or the file system's. */
int layer_apply(const struct container *container, size_t layer, int root, struct place_room *room,
		struct err *e) MUST_CHECK;
