/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while the service's store is opened and takes a computation. */
#include "attestation/journal/journal_entry.h"
#include "attestation/journal/journal_head.h"
#include "common/base/writer.h"
#include "computations/store/store_journal.h"
#include "tests/sample.h"
#include "tests/unit/computations/store_room.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What SQLite says in the place of the cause. */
static const char *const also[] = {
	"disk I/O error",
	"database or disk is full",
	"unable to open database file",
	"readonly database",
	"malformed",
	"unable to get the page",
	NULL,
};

static char folder[64];

static int enter(void **state)
{
	if (folder_make_in_memory(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	return 0;
}

static int create(struct store *store, const char *id, struct err *e)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;

	manifest.id = (char *)(uintptr_t)id;
	manifest.name = (char *)(uintptr_t)id;
	if (db_begin(&store->db, e) < 0)
		return err_code(e);
	if (store_create(store, 1, &manifest, e) == 0 && db_commit(&store->db, e) == 0)
		return 0;
	db_rollback(&store->db);
	return err_code(e);
}

/* What is told to have failed has not been done, so that it can be asked for again. */
static int keep(void *data, struct err *e)
{
	struct store store;

	if (store_open(&store, folder, store_room_database(), &store_room_limits, e) < 0)
		return err_code(e);
	int failed = create(&store, data, e);
	store_close(&store);
	return failed;
}

static void is_kept(void *data)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct store store;
	struct err e;

	assert_ok(store_open(&store, folder, store_room_database(), &store_room_limits, &e), e);
	assert_ok(store_computation(&store, data, &c, &e), e);
	assert_string_equal(c.name, data);
	store_close(&store);
}

/* ---- what is there before ---- */

/* A new store takes more work than all that is tried in it: each of the two is made once, and copied from then on. */
static void copy(const char *from, const char *to)
{
	static uint8_t bytes[1 << 16];
	CLEANUP(close) int in = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	assert_true(in >= 0 && fstat(in, &st) == 0 && S_ISREG(st.st_mode));
	CLEANUP(close) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode);
	assert_true(out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
}

static void copy_all(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	const struct dirent *each;

	assert_non_null(dir);
	while ((each = readdir(dir))) {
		char in[512], out[512];

		if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0)
			continue;
		snprintf(in, sizeof(in), "%s/%s", from, each->d_name);
		snprintf(out, sizeof(out), "%s/%s", to, each->d_name);
		copy(in, out);
	}
	closedir(dir);
}

static void put(const char *name, void (*make)(void))
{
	char kept[128];

	snprintf(kept, sizeof(kept), "%s/%s", test_folder, name);
	if (access(kept, F_OK) == 0) {
		copy_all(kept, folder);
		return;
	}
	make();
	assert_int_equal(mkdir(kept, 0700), 0);
	copy_all(folder, kept);
}

static void make_first(void)
{
	char first[] = "first";
	struct err e;

	assert_ok(keep(first, &e), e);
}

static void put_first(void *data)
{
	put("first", make_first);
}

/* ---- a part of a journal ---- */

enum { PART = 3 };

static const uint8_t texts[PART][2] = { "1", "2", "3" };
static struct writer signed_head;

/* A true one, so that it goes to the log of heads as well. */
static void sign_head(void)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct journal_head head = { .count = 0 };
	uint8_t d[SHA256_LEN];
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	for (int i = 0; i < PART; i++) {
		assert_ok(journal_entry_digest((struct span){ texts[i], sizeof(texts[i]) }, d, &e),
			  e);
		assert_ok(journal_head_add(&head, d, &e), e);
	}
	signed_head = writer_up_to(JOURNAL_SIGNED_MAX);
	assert_ok(journal_head_sign(&head, false, key, &signed_head, &e), e);
}

static int add_part(struct store *store, struct err *e)
{
	struct span entries[PART];
	int64_t kept;

	for (int i = 0; i < PART; i++)
		entries[i] = (struct span){ texts[i], sizeof(texts[i]) };
	const struct journal_part part = { .first = 1,
					   .entries = entries,
					   .count = PART,
					   .head = { signed_head.bytes, signed_head.len } };
	if (db_begin(&store->db, e) < 0)
		return err_code(e);
	if (store_journal_add(store, "cvm", "one", &part, &kept, e) == 0 &&
	    db_commit(&store->db, e) == 0)
		return 0;
	db_rollback(&store->db);
	return err_code(e);
}

static int keep_part(void *data, struct err *e)
{
	struct store store;

	if (store_open(&store, folder, store_room_database(), &store_room_limits, e) < 0)
		return err_code(e);
	int failed = add_part(&store, e);
	store_close(&store);
	return failed;
}

static int64_t parts_kept(void)
{
	struct journal_page page;
	struct store store;
	struct err e;

	assert_ok(store_open(&store, folder, store_room_database(), &store_room_limits, &e), e);
	assert_ok(store_journal_page(&store, "one", 0, 0, &page, &e), e);
	int64_t count = page.count;
	journal_page_done(&page);
	store_close(&store);
	return count;
}

static void whole_parts_are_kept(void *data)
{
	assert_true(parts_kept() % PART == 0);
}

static void all_is_kept(void *data)
{
	assert_int_equal(parts_kept(), PART);
}

static void make_running(void)
{
	struct store_room f = { .dir = "" };

	snprintf(f.dir, sizeof(f.dir), "%s", folder);
	store_room_open(&f);
	store_room_run_on(&f, "one", "cvm");
	store_close(&f.store);
}

static void put_running(void *data)
{
	put("running", make_running);
}

/* What is acknowledged is on disk, and nothing else is said to be. */
static void a_part_of_a_journal_is_kept_or_refused(void **state)
{
	sign_head();
	nofile_each(&(struct nofile){ .name = "part",
				      .ready = put_running,
				      .attempt = keep_part,
				      .always = whole_parts_are_kept,
				      .done = all_is_kept,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
	writer_done(&signed_head);
}

static void a_computation_is_kept_or_refused(void **state)
{
	char id[] = "one";

	/* A new store comes to its form in steps that are alike on disk. */
	nofile_each(&(struct nofile){ .name = "kept in a new store",
				      .step = (long)sample_step(11),
				      .attempt = keep,
				      .done = is_kept,
				      .data = id,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
	nofile_each(&(struct nofile){ .name = "kept",
				      .ready = put_first,
				      .attempt = keep,
				      .done = is_kept,
				      .data = id,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_computation_is_kept_or_refused),
		cmocka_unit_test(a_part_of_a_journal_is_kept_or_refused),
	};

	return cmocka_run_group_tests(tests, enter, folder_remove);
}
