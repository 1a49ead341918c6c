/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requirement_bundle.h — requirements with the wheels that meet them: one zip that travels in the
 * requirements' place (docs/sandbox.md, 'Python').
 *
 * It holds requirements.txt, requirements.lock (a requirements file of "name==version --hash=…" lines)
 * and wheels/, and nothing else. Each wheel is one line of the lock, and each line one wheel.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"
#include "common/python/python_target.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUIREMENT_BUNDLE_WHEELS_MAX = 256 };

/* Of all that it unpacks to, bytes. */
#define REQUIREMENT_BUNDLE_BYTES_MAX (16ULL << 30)

/* How each one begins, and no text does. */
bool requirement_bundle_is(const void *bytes, size_t len);

/* What is in wheels/, in the order of their names' bytes. Zeroed is none. */
struct requirement_wheels {
	struct requirement_wheel {
		char *name;
		uint8_t sha256[SHA256_LEN];
	} *items;
	size_t count;
};
void requirement_wheels_done(struct requirement_wheels *wheels);

/* Unpacks `zip` into the empty directory `dir`, and checks every wheel: its name, that `target` can
 * use it, its digest. Blocking. After a failure what is in `dir` is of no use; after success
 * requirement_wheels_done() frees `wheels`. */
int requirement_bundle_open(const char *zip, int dir, const struct python_target *target,
			    const atomic_bool *cancel, struct requirement_wheels *wheels,
			    struct err *e) MUST_CHECK;
