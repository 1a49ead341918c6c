/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wheel_lock.h — which wheels belong to requirements: a requirements file of which each line is
 * "name==version" with the hashes of that wheel, as pip takes it, too.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/python/requirements.h"

struct wheel_lock {
	struct requirements rows;
	bool met[REQUIREMENTS_MAX]; /* by a wheel that was checked */
};

/* wheel_lock_done() frees it, after success. */
int wheel_lock_parse(const void *bytes, size_t len, const struct python_target *target,
		     struct wheel_lock *lock, struct err *e) MUST_CHECK;
void wheel_lock_done(struct wheel_lock *lock);

/* The file `file` of the directory `dir` is a wheel for `target`, the lock names it, it is the first of
 * its name, and has a digest that the lock has. Reads all of it: blocking. `sha256` is the file's; NULL:
 * nobody asks. */
int wheel_lock_check(struct wheel_lock *lock, int dir, const char *file,
		     const struct python_target *target, uint8_t sha256[SHA256_LEN],
		     struct err *e) MUST_CHECK;

/* After the last one: every line had its wheel. */
int wheel_lock_check_all(const struct wheel_lock *lock, struct err *e) MUST_CHECK;
