/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/seal/secret.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/aead.h"
#include "common/crypto/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert((int)SECRET_KEY_LEN == (int)AEAD_KEY_LEN, "keys");
_Static_assert((int)SECRET_OVERHEAD == AEAD_NONCE_LEN + AEAD_TAG_LEN, "overhead");

/* ---- the key ---- */

void secret_key_wipe(struct secret_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

int secret_key_hold(const struct secret_key *key, struct secret_key **held, struct err *e)
{
	void *page = mmap(NULL, sizeof(*key), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (page == MAP_FAILED)
		return err_nomem(e);
	if (madvise(page, sizeof(*key), MADV_DONTDUMP) < 0) {
		const int why = errno;

		(void)munmap(page, sizeof(*key));
		return err_set(e, ERR_INTERNAL, "keep the key that seals out of core dumps: %s",
			       strerror(why));
	}
	/* Some containers let nobody lock any: then it is as safe as the rest of this process, which is said. */
	if (mlock(page, sizeof(*key)) < 0)
		log_warn(
			"the key that seals is in memory that may be swapped out: lock it: %s: raise "
			"the limit (LimitMEMLOCK=, ulimit -l), or give the container CAP_IPC_LOCK",
			strerror(errno));
	memcpy(page, key, sizeof(*key));
	*held = page;
	return 0;
}

void secret_key_free(struct secret_key *held)
{
	if (!held)
		return;
	secret_key_wipe(held);
	(void)munmap(held, sizeof(*held));
}

void secret_free(uint8_t *bytes, size_t len)
{
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
}

int secret_key_of(const uint8_t bytes[SECRET_KEY_LEN], struct secret_key *key, struct err *e)
{
	static const char label[] = "cocos-computations secrets key 1";
	const struct digest_part parts[] = { { label, sizeof(label) }, { bytes, SECRET_KEY_LEN } };
	uint8_t hash[SHA3_256_LEN];

	if (digest_parts(DIGEST_SHA3_256, parts, ARRAY_LEN(parts), hash, e) < 0)
		return err_code(e);
	memcpy(key->bytes, bytes, SECRET_KEY_LEN);
	hex_encode(hash, SECRET_KEY_ID_LEN, key->id);
	return 0;
}

/* ---- what is sealed ---- */

/* Texts have no zero byte, so that no two names give the same bytes. */
static int name_bytes(const struct secret_name *name, uint8_t **bytes, size_t *len, struct err *e)
{
	static const char label[] = "cocos-computations secret 1";
	CLEANUP_WRITER struct writer w = writer_up_to(4096);

	writer_bytes(&w, label, sizeof(label));
	writer_bytes(&w, name->kind, strlen(name->kind) + 1);
	writer_bytes(&w, name->owner, strlen(name->owner) + 1);
	if (writer_check(&w, "a secret's name", e) < 0)
		return err_code(e);
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}

int secret_seal(const struct secret_key *key, const struct secret_name *name, const void *bytes,
		size_t len, uint8_t **sealed, size_t *sealed_len, struct err *e)
{
	CLEANUP(free) uint8_t *aad = NULL, *made = NULL;
	size_t aad_len;

	if (len > SECRET_MAX)
		return err_set(e, ERR_INVALID, "a secret of %zu bytes: the limit is %d", len,
			       SECRET_MAX);
	made = malloc(len + SECRET_OVERHEAD);
	if (!made)
		return err_nomem(e);
	if (name_bytes(name, &aad, &aad_len, e) < 0 ||
	    random_bytes(made, SECRET_NONCE_LEN, e) < 0 ||
	    aead_seal(key->bytes, made, aad, aad_len, bytes, len, made + SECRET_NONCE_LEN, e) < 0)
		return err_code(e);
	*sealed = TAKE_PTR(made);
	*sealed_len = len + SECRET_OVERHEAD;
	return 0;
}

int secret_open(const struct secret_key *key, const struct secret_name *name, const void *sealed,
		size_t sealed_len, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *aad = NULL, *made = NULL;
	const uint8_t *at = sealed;
	size_t aad_len;
	int failed;

	if (sealed_len < SECRET_OVERHEAD || sealed_len - SECRET_OVERHEAD > SECRET_MAX)
		return err_set(e, ERR_DATA_LOSS, "database: a sealed secret of %zu bytes",
			       sealed_len);
	made = malloc(sealed_len - SECRET_OVERHEAD + 1);
	if (!made)
		return err_nomem(e);
	if (name_bytes(name, &aad, &aad_len, e) < 0)
		return err_code(e);
	failed = aead_open(key->bytes, at, aad, aad_len, at + SECRET_NONCE_LEN,
			   sealed_len - SECRET_NONCE_LEN, made, e);
	if (err_is(failed, ERR_DENIED))
		return err_set(e, ERR_DATA_LOSS,
			       "database: it is not what was sealed under key %s for this one",
			       key->id);
	if (failed)
		return failed;
	*len = sealed_len - SECRET_OVERHEAD;
	made[*len] = 0;
	*bytes = TAKE_PTR(made);
	return 0;
}
