/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/wheel_lock.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/python/wheel.h"

#include <stdio.h>
#include <string.h>

static int check_row(const struct requirement *r, struct err *e)
{
	if (r->extras[0] || r->spec_count != 1 ||
	    r->specs[0].operator!= PYTHON_EQUAL || r->specs[0].prefix)
		return err_set(e, ERR_INVALID, "lock: %s is no name==version",
			       log_quote(r->text).text);
	if (r->hash_count == 0)
		return err_set(e, ERR_INVALID, "lock: %s has no --hash", log_quote(r->text).text);
	return 0;
}

int wheel_lock_parse(const void *bytes, size_t len, const struct python_target *target,
		     struct wheel_lock *lock, struct err *e)
{
	struct wheel_lock l = { 0 };

	if (requirements_parse(bytes, len, target, &l.rows, e) < 0)
		return err_wrap(e, "lock");
	for (size_t i = 0; i < l.rows.count; i++)
		if (check_row(&l.rows.items[i], e) < 0) {
			wheel_lock_done(&l);
			return err_code(e);
		}
	*lock = l;
	return 0;
}

void wheel_lock_done(struct wheel_lock *lock)
{
	requirements_done(&lock->rows);
}

/* One of the lock's hashes for it is the file's. `sha256` is, too, if it was needed. */
static int check_digest(const struct requirement *row, const char *path, const char *file,
			uint8_t sha256[SHA256_LEN], bool *known, struct err *e)
{
	static const struct {
		const char *name;
		enum digest_kind kind;
	} kinds[] = { { "sha256:", DIGEST_SHA256 },
		      { "sha384:", DIGEST_SHA384 },
		      { "sha512:", DIGEST_SHA512 } };
	char hex[ARRAY_LEN(kinds)][2 * DIGEST_MAX + 1] = { 0 };
	const char *at = row->line, *hash;
	size_t len;

	while ((hash = requirement_next_hash(&at, &len))) {
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			const size_t name = strlen(kinds[i].name);
			uint8_t bytes[DIGEST_MAX];

			if (strncmp(hash, kinds[i].name, name) != 0)
				continue;
			if (!hex[i][0] && digest_file(kinds[i].kind, path, bytes, e) < 0)
				return err_code(e);
			if (!hex[i][0] && kinds[i].kind == DIGEST_SHA256) {
				memcpy(sha256, bytes, SHA256_LEN);
				*known = true;
			}
			if (!hex[i][0])
				hex_encode(bytes, digest_len(kinds[i].kind), hex[i]);
			if (strlen(hex[i]) == len - name &&
			    strncasecmp(hash + name, hex[i], len - name) == 0)
				return 0;
		}
	}
	return err_set(e, ERR_INVALID, "%s has another digest than the lock says",
		       log_quote(file).text);
}

int wheel_lock_check(struct wheel_lock *lock, int dir, const char *file,
		     const struct python_target *target, uint8_t sha256[SHA256_LEN], struct err *e)
{
	struct wheel_name wheel;
	uint8_t found[SHA256_LEN];
	bool known = false;
	char path[320];
	size_t i;

	if (wheel_name_parse(file, target, &wheel, e) < 0)
		return err_code(e);
	for (i = 0; i < lock->rows.count; i++)
		if (strcmp(lock->rows.items[i].name, wheel.name) == 0)
			break;
	if (i == lock->rows.count ||
	    !python_spec_met(&lock->rows.items[i].specs[0], &wheel.version))
		return err_set(e, ERR_INVALID, "%s is not in the lock", log_quote(file).text);
	if (lock->met[i])
		return err_set(e, ERR_INVALID, "%s is a second wheel of %s", log_quote(file).text,
			       wheel.name);
	lock->met[i] = true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, file);
	if (check_digest(&lock->rows.items[i], path, file, found, &known, e) < 0)
		return err_code(e);
	if (sha256 && !known && digest_file(DIGEST_SHA256, path, found, e) < 0)
		return err_code(e);
	if (sha256)
		memcpy(sha256, found, SHA256_LEN);
	return 0;
}

int wheel_lock_check_all(const struct wheel_lock *lock, struct err *e)
{
	for (size_t i = 0; i < lock->rows.count; i++)
		if (!lock->met[i])
			return err_set(e, ERR_INVALID,
				       "the lock names %s, and there is no wheel of it",
				       log_quote(lock->rows.items[i].text).text);
	return 0;
}
