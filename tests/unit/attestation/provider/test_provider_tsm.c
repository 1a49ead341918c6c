/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm whose attributes are of any length: openat() is replaced by one that plays it. */
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_tsm.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	const char *name; /* this attribute has `len` bytes */
	size_t len;
	unsigned int writes;
} played;

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("attribute", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	static uint8_t zeros[TSM_BLOB_MAX + 1];
	char text[16];

	if (flags & O_WRONLY) {
		played.writes++;
		return memory_file("", 0);
	}
	if (strcmp(name, played.name) == 0)
		return memory_file(zeros, played.len);
	snprintf(text, sizeof(text), "%u\n", played.writes);
	if (strcmp(name, "generation") == 0)
		return memory_file(text, strlen(text));
	return strcmp(name, "provider") == 0 ? memory_file("sev_guest\n", 10) : memory_file("x", 1);
}

int __wrap_faccessat(int dir, const char *name, int mode, int flags);
int __wrap_faccessat(int dir, const char *name, int mode, int flags)
{
	errno = ENOENT;
	return strcmp(name, played.name) == 0 ? 0 : -1;
}

static int collect(const char *name, size_t len, struct tsm_answer *answer, struct err *e)
{
	static const uint8_t inblob[TSM_INBLOB_LEN];
	char root[] = "/tmp/test-tsm-XXXXXX";
	const struct tsm_request request = { .root = root,
					     .provider = "sev_guest",
					     .inblob = inblob };
	int failed;

	assert_non_null(mkdtemp(root));
	played.name = name;
	played.len = len;
	played.writes = 0;
	failed = tsm_collect(&request, answer, e);
	assert_int_equal(rmdir(root), 0); /* no entry is left in it */
	return failed;
}

static void each_blob_has_a_limit(void **state)
{
	static const char *const names[] = { "outblob", "auxblob", "manifestblob" };
	CLEANUP_TSM_ANSWER struct tsm_answer answer = { 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const size_t *const lens[] = { &answer.outblob_len, &answer.auxblob_len,
					       &answer.manifestblob_len };

		assert_ok(collect(names[i], TSM_BLOB_MAX, &answer, &e), e);
		assert_int_equal(*lens[i], TSM_BLOB_MAX);
		tsm_answer_done(&answer);
		assert_refused(collect(names[i], TSM_BLOB_MAX + 1, &answer, &e), e, ERR_INTERNAL,
			       names[i]);
		assert_null(answer.outblob);
	}
}

static void names_and_numbers_have_limits(void **state)
{
	CLEANUP_TSM_ANSWER struct tsm_answer answer = { 0 };
	struct err e;

	assert_refused(collect("provider", TSM_NAME_MAX - 1, &answer, &e), e, ERR_DATA_LOSS,
		       "the provider is ''");
	assert_refused(collect("provider", TSM_NAME_MAX, &answer, &e), e, ERR_INTERNAL, "provider");
	assert_refused(collect("generation", 32, &answer, &e), e, ERR_DATA_LOSS, "is no number");
	assert_refused(collect("generation", 33, &answer, &e), e, ERR_INTERNAL, "generation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_blob_has_a_limit),
		cmocka_unit_test(names_and_numbers_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
