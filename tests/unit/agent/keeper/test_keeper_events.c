/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's event log, which the host wrote: taken as long as it may be, and left out where it is longer. */
#include "agent/keeper/keeper_state.h"
#include "attestation/tpm/tpm_alg.h"
#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "tests/unit/folder.h"

#include <sys/stat.h>

static void tell(const struct keeper_state *state, struct writer *whole, struct writer *own)
{
	struct err e;

	*whole = writer_up_to(2 * KEEPER_LOG_MAX);
	*own = writer_up_to(KEEPER_LOG_MAX);
	assert_ok(keeper_write_logs(state, EVIDENCE_VTPM, whole, own, &e), e);
}

enum {
	EV_SEPARATOR = 4,
	EV_IPL = 13,
	SEPARATORS = 8,
	EVENT_HEAD = 4 + 4 + 4 + 2 + 48 + 2 + 32 + 4
};

static void put_event(struct writer *log, uint32_t pcr, uint32_t type, size_t data)
{
	static const uint8_t zeros[2 * KEEPER_LOG_MAX];
	const struct digest_part part = { zeros, data };
	uint8_t sha384[SHA384_LEN], sha256[SHA256_LEN];
	struct err e;

	assert_ok(digest_parts(DIGEST_SHA384, &part, 1, sha384, &e), e);
	assert_ok(digest_parts(DIGEST_SHA256, &part, 1, sha256, &e), e);
	writer_le32(log, pcr);
	writer_le32(log, type);
	writer_le32(log, 2);
	writer_le16(log, TPM_ALG_SHA384);
	writer_bytes(log, sha384, sizeof(sha384));
	writer_le16(log, TPM_ALG_SHA256);
	writer_bytes(log, sha256, sizeof(sha256));
	writer_le32(log, (uint32_t)data);
	writer_bytes(log, zeros, data);
}

/* A log of `len` bytes, less what is cut: the head that ours has, separators, and one event whose data fill it up. */
static void put_log(const struct writer *head, size_t len, size_t cut)
{
	CLEANUP_WRITER struct writer log = writer_up_to(2 * KEEPER_LOG_MAX);
	char path[80];
	struct err e;

	writer_bytes(&log, head->bytes, head->len);
	for (uint32_t pcr = 0; pcr < SEPARATORS; pcr++)
		put_event(&log, pcr, EV_SEPARATOR, 4);
	put_event(&log, 0, EV_IPL, len - log.len - EVENT_HEAD);
	assert_int_equal(log.len, len);
	snprintf(path, sizeof(path), "%s/tpm0/binary_bios_measurements", test_folder);
	assert_ok(file_write(path, log.bytes, log.len - cut, 0600, &e), e);
}

static void a_log_has_a_limit(void **state)
{
	struct keeper_state *keeper = calloc(1, sizeof(*keeper));
	struct writer head, whole, own;
	char path[80];

	assert_non_null(keeper);
	keeper->securityfs = test_folder;
	keeper->tcti = "none";
	keeper_state_init(keeper);
	snprintf(path, sizeof(path), "%s/tpm0", test_folder);
	assert_int_equal(mkdir(path, 0700), 0);
	tell(keeper, &whole, &head);
	assert_int_equal(whole.len, 0); /* there is none */
	writer_done(&whole);
	for (size_t len = KEEPER_LOG_MAX - 1; len <= KEEPER_LOG_MAX + 1; len++) {
		put_log(&head, len, 0);
		tell(keeper, &whole, &own);
		assert_int_equal(whole.len, len <= KEEPER_LOG_MAX ? len : 0);
		writer_done(&whole);
		writer_done(&own);
	}
	/* One that ends within an event is no log. */
	put_log(&head, 4096, 1);
	tell(keeper, &whole, &own);
	assert_int_equal(whole.len, 0);
	writer_done(&whole);
	writer_done(&own);
	writer_done(&head);
	keeper_journal_end(keeper);
	free(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_has_a_limit),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
