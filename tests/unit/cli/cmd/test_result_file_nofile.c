/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation on files fails once while the command line keeps what it can't get again: keys,
 * results, what was seen of a service's log, verdicts on sessions.
 */
#include "cli/client/witness_kept.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/result_file.h"
#include "cli/evidence/session_receipt.h"
#include "common/base/file.h"
#include "common/crypto/key.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS "service:7001"
#define RESULTS "the only copy there is"

static char folder[64], state_folder[80];
static FILE *nowhere;

static int enter(void **state)
{
	nowhere = fopen("/dev/null", "w");
	if (!nowhere || folder_make(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	snprintf(state_folder, sizeof(state_folder), "%s/state", folder);
	return setenv("XDG_STATE_HOME", state_folder, 1);
}

static int leave(void **state)
{
	fclose(nowhere);
	return chdir("/") < 0 ? -1 : folder_remove(state);
}

static void work_in_folder(void *data)
{
	assert_int_equal(chdir(folder), 0);
}

/* ---- keys ---- */

static int make_keys(void *data, struct err *e)
{
	const bool *force = data;
	struct cli_given given[] = {
		{ cli_option_of(&cmd_keys, "key-type"), "ecdsa" },
		{ cli_option_of(&cmd_keys, "force"), NULL },
	};
	struct cli cli = {
		.command = &cmd_keys, .given = given, .given_count = *force ? 2 : 1, .out = nowhere
	};

	return cmd_keys.run(&cli, e) == CLI_OK ? 0 : err_code(e);
}

static void put_keys(void *data)
{
	bool force = false;
	struct err e;

	work_in_folder(data);
	assert_ok(make_keys(&force, &e), e);
}

/* Of which the public one is the private one's. */
static void are_a_pair(void *data)
{
	CLEANUP(free) char *private = NULL, *public = NULL, *made = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	if (access("private.pem", F_OK) < 0 && access("public.pem", F_OK) < 0)
		return;
	assert_ok(file_read_text("private.pem", 4096, &private, &e), e);
	assert_ok(file_read_text("public.pem", 4096, &public, &e), e);
	assert_ok(key_from_private_pem(private, strlen(private), NULL, NULL, &key, &e), e);
	assert_ok(key_to_public_pem(key, &made, &e), e);
	assert_string_equal(public, made);
}

static void keys_are_a_pair_or_none(void **state)
{
	bool force = false;

	nofile_each(&(struct nofile){ .name = "keys",
				      .ready = work_in_folder,
				      .attempt = make_keys,
				      .always = are_a_pair,
				      .data = &force,
				      .folder = folder,
				      .varies = true });
}

static void replaced_keys_are_the_old_pair_or_the_new(void **state)
{
	bool force = true;

	nofile_each(&(struct nofile){ .name = "keys replaced",
				      .ready = put_keys,
				      .attempt = make_keys,
				      .always = are_a_pair,
				      .data = &force,
				      .folder = folder,
				      .varies = true });
}

/* ---- results ---- */

/* Behind them may be what was reserved. */
static bool results_are_in(const char *path)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct err e;
	size_t len;

	assert_ok(file_read(path, 4096, &bytes, &len, &e), e);
	return len >= strlen(RESULTS) && memcmp(bytes, RESULTS, strlen(RESULTS)) == 0;
}

static bool results_are_somewhere(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *item;
	bool found = false;
	struct err e;

	assert_non_null(dir);
	while (dir_next(dir, &item, &e) > 0)
		found |= results_are_in(item->d_name);
	closedir(dir);
	return found;
}

static void empty_folder(void)
{
	struct err e;

	assert_ok(dir_remove(folder, &e), e);
	assert_int_equal(mkdir(folder, 0700), 0);
	work_in_folder(NULL);
}

/* Whatever is refused before they have come leaves nothing; what has come is there. */
static int keep_results(void *data, struct err *e)
{
	struct cli cli = { .out = nowhere };
	struct result_file r = { .fd = -1 };
	const size_t len = strlen(RESULTS);
	int failed = result_file_open(&r, NULL, e);

	if (!failed)
		failed = result_file_reserve(&r, &cli, len + 100, e);
	nofile_pause();
	if (!failed)
		assert_ok(fd_write_all(r.fd, RESULTS, len, e), *e);
	r.written = len;
	nofile_go_on();
	if (failed) {
		result_file_done(&r);
		return failed;
	}
	failed = result_file_end(&r, e);
	nofile_pause();
	if (!failed)
		assert_int_equal(lseek(r.fd, 0, SEEK_END), len); /* as the receipt has it */
	nofile_go_on();
	if (!failed)
		failed = result_file_commit(&r, e);
	result_file_done(&r);
	nofile_pause();
	assert_true(results_are_somewhere());
	if (failed) /* nothing else is */
		empty_folder();
	nofile_go_on();
	return failed;
}

static void check_results(void *data)
{
	assert_true(results_are_in("results.zip"));
}

static void results_that_came_are_not_lost(void **state)
{
	nofile_each(&(struct nofile){ .name = "results",
				      .ready = work_in_folder,
				      .attempt = keep_results,
				      .done = check_results,
				      .folder = folder,
				      .varies = true });
}

/* ---- what was seen of a service's log ---- */

struct seen {
	EVP_PKEY *key;
	uint8_t *spki;
	size_t len;
};

static int see(const struct seen *s, uint64_t size, struct err *e)
{
	CLEANUP(free) struct witness_kept *before = calloc(1, sizeof(*before));
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	const struct witness_head head = { .size = size, .root = { (uint8_t)size } };

	assert_non_null(before);
	assert_ok(witness_head_sign(&head, s->key, &w, e), *e);
	const struct witness_shown shown = { .key = { s->spki, s->len },
					     .signed_head = { w.bytes, w.len },
					     .head = &head };
	int failed = witness_kept_read(ADDRESS, before, e);
	if (!failed)
		failed = witness_kept_write(ADDRESS, before, &shown, e);
	witness_kept_done(before);
	assert_int_not_equal(failed, WITNESS_KEPT_CHANGED);
	return failed;
}

static int see_first(void *data, struct err *e)
{
	return see(data, 1, e);
}

static int see_second(void *data, struct err *e)
{
	return see(data, 2, e);
}

static uint64_t kept(void)
{
	CLEANUP(free) struct witness_kept *kept = malloc(sizeof(*kept));
	struct err e;

	assert_non_null(kept);
	assert_ok(witness_kept_read(ADDRESS, kept, &e), e);
	uint64_t size = kept->bytes ? kept->head.size : 0;
	witness_kept_done(kept);
	return size;
}

static void put_first(void *data)
{
	struct err e;

	assert_ok(see_first(data, &e), e);
}

static void none_or_first_is_kept(void *data)
{
	assert_true(kept() <= 1);
}

static void first_or_second_is_kept(void *data)
{
	assert_in_range(kept(), 1, 2);
}

static void second_is_kept(void *data)
{
	assert_int_equal(kept(), 2);
}

static void what_was_seen_is_the_old_or_the_new(void **state)
{
	struct seen s;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &s.key, &e), e);
	assert_ok(key_to_spki(s.key, &s.spki, &s.len, &e), e);
	/* folders and the lock stay */
	nofile_each(&(struct nofile){ .name = "seen first",
				      .attempt = see_first,
				      .always = none_or_first_is_kept,
				      .data = &s,
				      .folder = folder,
				      .varies = true,
				      .may_be_begun = true });
	nofile_each(&(struct nofile){ .name = "seen",
				      .ready = put_first,
				      .attempt = see_second,
				      .always = first_or_second_is_kept,
				      .done = second_is_kept,
				      .data = &s,
				      .folder = folder,
				      .varies = true });
	EVP_PKEY_free(s.key);
	free(s.spki);
}

/* ---- verdicts ---- */

static int keep_verdict(void *data, struct err *e)
{
	const struct session_receipt *r = data;

	return session_receipt_keep(r, e);
}

static void a_verdict_is_kept_with_its_evidence_or_not(void **state)
{
	static struct verdict verdict;
	static uint8_t evidence[] = { 1, 2, 3 }, spki[] = { 4 };
	static const struct authenticator authenticator = { .evidence = evidence,
							    .evidence_len = sizeof(evidence),
							    .spki = spki,
							    .spki_len = sizeof(spki) };
	struct session_receipt r = {
		.dir = folder, .at = 1, .authenticator = &authenticator, .verdict = &verdict
	};

	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	nofile_each(&(struct nofile){ .name = "verdict",
				      .ready = work_in_folder,
				      .attempt = keep_verdict,
				      .data = &r,
				      .folder = folder });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_a_pair_or_none),
		cmocka_unit_test(replaced_keys_are_the_old_pair_or_the_new),
		cmocka_unit_test(results_that_came_are_not_lost),
		cmocka_unit_test(what_was_seen_is_the_old_or_the_new),
		cmocka_unit_test(a_verdict_is_kept_with_its_evidence_or_not),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
