/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_trail.h"
#include "common/base/json.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *log_path(void)
{
	static char path[sizeof(test_folder) + 16];

	snprintf(path, sizeof(path), "%s/audit.log", test_folder);
	return path;
}

static struct audit_trail *fresh(void)
{
	struct audit_trail *audit;
	struct err e;

	unlink(log_path());
	assert_ok(audit_trail_open("cocos-test", log_path(), &audit, &e), e);
	return audit;
}

/* The whole log, which the caller frees. */
static char *all(void)
{
	char *text;
	struct err e;

	assert_ok(file_read_text(log_path(), 1 << 20, &text, &e), e);
	return text;
}

/* The n-th line as JSON; the caller frees it. */
static struct json *line(unsigned n)
{
	CLEANUP(free) char *text = all();
	struct json *root;
	char *at = text;
	struct err e;

	while (n--) {
		at = strchr(at, '\n');
		assert_non_null(at);
		at++;
	}
	assert_ok(json_parse(at, strcspn(at, "\n"), &root, &e), e);
	return root;
}

static const char *text_of(const struct json *root, const char *key)
{
	const char *text;
	struct err e;

	return json_get_string(root, key, &text, &e) < 0 ? NULL : text;
}

static void an_entry_is_a_line_of_json(void **state)
{
	struct audit_trail *audit = fresh();
	const struct err error = { ERR_NOT_FOUND, "no CVM 'x'" };
	const struct rpc_fact facts[] = { { "id", (char *)(uintptr_t)"x" }, { "force", NULL } };
	struct audit_entry entry = { .event = AUDIT_ASKED,
				     .call = 7,
				     .method = "manager.ManagerService/RemoveVm",
				     .who = { .has_uid = true, .uid = 1000, .gid = 27 },
				     .peer = "unix:uid=1000",
				     .facts = facts,
				     .fact_count = ARRAY_LEN(facts) };
	struct json *root;
	uint64_t number;
	struct err e;

	assert_ok(audit_trail_write(audit, &entry, &e), e);
	entry.event = AUDIT_DONE;
	entry.error = &error;
	entry.has_left = true;
	entry.who = (struct rpc_identity){
		.subject = "CN=anna", .issuer = "CN=ca", .spiffe = "spiffe://a/b", .key = "0a1b"
	};
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	root = line(0);
	assert_string_equal(text_of(root, "event"), "asked");
	assert_string_equal(text_of(root, "program"), "cocos-test");
	assert_string_equal(text_of(root, "method"), "manager.ManagerService/RemoveVm");
	assert_string_equal(text_of(root, "id"), "x");
	assert_string_equal(text_of(root, "peer"), "unix:uid=1000");
	assert_true(json_get(root, "force")->boolean);
	assert_null(json_get(root, "outcome"));
	assert_null(json_get(root, "caller"));
	assert_ok(json_get_u64(root, "gid", &number, &e), e);
	assert_int_equal(number, 27);
	assert_ok(json_get_u64(root, "uid", &number, &e), e);
	assert_int_equal(number, 1000);
	assert_ok(json_get_u64(root, "call", &number, &e), e);
	assert_int_equal(number, 7);
	assert_int_equal(strlen(text_of(root, "time")), strlen("2026-01-01T00:00:00.000Z"));
	json_free(root);
	root = line(1);
	assert_string_equal(text_of(root, "event"), "done");
	assert_string_equal(text_of(root, "outcome"), "NOT_FOUND");
	assert_string_equal(text_of(root, "error"), "no CVM 'x'");
	assert_string_equal(text_of(root, "subject"), "CN=anna");
	assert_string_equal(text_of(root, "spiffe"), "spiffe://a/b");
	assert_string_equal(text_of(root, "issuer"), "CN=ca");
	assert_string_equal(text_of(root, "key"), "0a1b");
	assert_string_equal(text_of(root, "caller"), "left");
	assert_null(json_get(root, "uid"));
	json_free(root);
}

/* The worst that a peer can have in each text, six bytes for one. */
static void what_a_peer_says_stays_in_its_line(void **state)
{
	struct audit_trail *audit = fresh();
	char subject[RPC_SUBJECT_MAX + 2] = { 0 }, spiffe[RPC_SPIFFE_MAX + 1] = { 0 };
	char value[RPC_FACT_MAX + 1] = { 0 };
	struct rpc_fact facts[RPC_FACTS_MAX];
	struct err error = { ERR_INTERNAL, "" };
	struct audit_entry entry = {
		.event = AUDIT_REFUSED,
		.method = "m",
		.peer = "a\"b\nc\033",
		.who = { .subject = subject, .issuer = subject, .spiffe = spiffe },
		.facts = facts,
		.fact_count = RPC_FACTS_MAX,
		.error = &error
	};
	CLEANUP(free) char *text = NULL;
	struct json *root;
	struct err e;

	memset(subject, 1, sizeof(subject) - 1);
	memset(spiffe, 'a', sizeof(spiffe) - 1);
	memset(value, 1, sizeof(value) - 1);
	memset(error.text, 1, sizeof(error.text) - 1);
	for (size_t i = 0; i < RPC_FACTS_MAX; i++)
		facts[i] = (struct rpc_fact){ &"abcdefgh"[i], value };
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	text = all();
	assert_true(strlen(text) < AUDIT_LINE_MAX);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	root = line(0);
	assert_int_equal(strlen(text_of(root, "subject")), RPC_SUBJECT_MAX);
	assert_int_equal(strlen(text_of(root, "h")), RPC_FACT_MAX);
	assert_string_equal(text_of(root, "peer"), "a\"b\nc\033");
	json_free(root);
}

static void a_file_is_appended_to_and_is_for_us_alone(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_DONE, .method = "m" };
	struct audit_trail *audit = fresh();
	struct stat st;
	struct err e;

	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	assert_int_equal(stat(log_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(audit_trail_open("cocos-test", log_path(), &audit, &e), e);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	json_free(line(1));
}

static void what_is_no_file_of_ours_is_refused(void **state)
{
	char path[sizeof(test_folder) + 16];
	struct audit_trail *audit;
	struct err e;

	assert_refused(audit_trail_open("t", "/dev/full", &audit, &e), e, ERR_PRECONDITION,
		       "no regular file");
	snprintf(path, sizeof(path), "%s/none/audit", test_folder);
	assert_refused(audit_trail_open("t", path, &audit, &e), e, ERR_NOT_FOUND, "none/audit");
	snprintf(path, sizeof(path), "%s/link", test_folder);
	assert_int_equal(symlink(log_path(), path), 0);
	assert_int_equal(audit_trail_open("t", path, &audit, &e) < 0, 1);
	assert_int_equal(unlink(path), 0);
}

/* A disk that is full in the middle of a line, which then has room again. */
static void a_full_disk_is_told_and_no_line_is_lost_in_another(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_ASKED, .method = "m" };
	struct audit_trail *audit = fresh();
	struct rlimit before, tight;
	struct stat st;
	struct err e;

	assert_ok(audit_trail_write(audit, &entry, &e), e);
	assert_int_equal(stat(log_path(), &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	tight = before;
	tight.rlim_cur = (rlim_t)st.st_size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_refused(audit_trail_write(audit, &entry, &e), e, ERR_UNAVAILABLE,
		       "nothing is changed without it");
	assert_refused(audit_trail_write(audit, &entry, &e), e, ERR_UNAVAILABLE, "audit log");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	json_free(line(0));
	json_free(line(2)); /* the torn one lies between them */
}

/* The program before had no room for the end of its line. */
static void a_line_begins_where_the_one_before_was_cut(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_ASKED, .method = "m" };
	struct audit_trail *audit = fresh();
	struct err e;

	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	assert_ok(audit_trail_open("cocos-test", log_path(), &audit, &e), e);
	assert_ok(audit_trail_write(audit, &entry, &e), e); /* after a whole one, no empty line */
	audit_trail_close(audit);
	json_free(line(1));
	assert_int_equal(truncate(log_path(), 10), 0);
	assert_ok(audit_trail_open("cocos-test", log_path(), &audit, &e), e);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	json_free(line(1));
	assert_int_equal(truncate(log_path(), 10), 0);
	assert_ok(audit_trail_reopen(audit, &e), e);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	json_free(line(1));
	audit_trail_close(audit);
}

static void another_file_is_begun_when_the_old_one_is_moved(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_DONE, .method = "m" };
	struct audit_trail *audit = fresh();
	char away[sizeof(test_folder) + 16];
	struct err e;

	snprintf(away, sizeof(away), "%s/old", test_folder);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	assert_int_equal(rename(log_path(), away), 0);
	assert_int_equal(mkdir(log_path(), 0700), 0);
	assert_true(audit_trail_reopen(audit, &e) < 0);
	assert_refused(audit_trail_write(audit, &entry, &e), e, ERR_UNAVAILABLE, "audit log");
	assert_int_equal(rmdir(log_path()), 0);
	assert_ok(audit_trail_write(audit, &entry, &e), e); /* tried again by itself */
	assert_ok(audit_trail_reopen(audit, &e), e);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	json_free(line(1));
}

static void without_a_file_it_is_in_the_normal_log(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_DONE, .method = "m" };
	int kept = dup(STDERR_FILENO), fds[2];
	struct audit_trail *audit;
	char text[1024];
	ssize_t len;
	struct err e;

	assert_int_equal(pipe(fds), 0);
	assert_ok(audit_trail_open("cocos-test", NULL, &audit, &e), e);
	assert_ok(audit_trail_reopen(audit, &e), e);
	dup2(fds[1], STDERR_FILENO);
	assert_ok(audit_trail_write(audit, &entry, &e), e);
	dup2(kept, STDERR_FILENO);
	close(kept);
	audit_trail_close(audit);
	len = read(fds[0], text, sizeof(text) - 1);
	assert_true(len > 0);
	text[len] = '\0';
	assert_ptr_equal(strstr(text, "audit: {\"time\":\""), text);
	assert_string_equal(text + len - 2, "}\n");
	close(fds[0]);
	close(fds[1]);
}

/* Standard error that nobody reads any more, that can't be written, and that takes a part of a line. */
static void a_normal_log_that_takes_nothing_refuses(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_ASKED, .method = "m" };
	int kept = dup(STDERR_FILENO), fds[2], shut = open("/dev/null", O_RDONLY);
	struct audit_trail *audit;
	struct err e;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	assert_ok(audit_trail_open("cocos-test", NULL, &audit, &e), e);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	dup2(fds[1], STDERR_FILENO);
	failed = audit_trail_write(audit, &entry, &e);
	dup2(kept, STDERR_FILENO);
	assert_refused(failed, e, ERR_UNAVAILABLE, "nothing is changed without it: standard error");
	dup2(shut, STDERR_FILENO);
	failed = audit_trail_write(audit, &entry, &e);
	dup2(kept, STDERR_FILENO);
	assert_refused(failed, e, ERR_UNAVAILABLE, "standard error");
	close(kept);
	close(shut);
	close(fds[1]);
	audit_trail_close(audit);
}

static void a_normal_log_that_took_a_part_goes_on_in_a_new_line(void **state)
{
	char value[RPC_FACT_MAX + 1] = { 0 };
	struct rpc_fact facts[RPC_FACTS_MAX];
	const struct audit_entry entry = {
		.event = AUDIT_ASKED, .method = "m", .facts = facts, .fact_count = RPC_FACTS_MAX
	};
	CLEANUP(free) char *text = calloc(1, 1 << 17);
	int kept = dup(STDERR_FILENO), fds[2];
	struct audit_trail *audit;
	struct json *root;
	ssize_t len;
	int failed;
	struct err e;

	memset(value, 1, sizeof(value) - 1);
	for (size_t i = 0; i < RPC_FACTS_MAX; i++)
		facts[i] = (struct rpc_fact){ &"abcdefgh"[i], value };
	assert_ok(audit_trail_open("cocos-test", NULL, &audit, &e), e);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	/* Lines that are longer than PIPE_BUF, so that the last one finds room for a part of it. */
	dup2(fds[1], STDERR_FILENO);
	while ((failed = audit_trail_write(audit, &entry, &e)) == 0)
		;
	dup2(kept, STDERR_FILENO);
	assert_refused(failed, e, ERR_UNAVAILABLE, "standard error");
	while (read(fds[0], text, 1 << 17) > 0)
		;
	dup2(fds[1], STDERR_FILENO);
	failed = audit_trail_write(audit, &entry, &e);
	dup2(kept, STDERR_FILENO);
	assert_ok(failed, e);
	len = read(fds[0], text, 1 << 17);
	assert_true(len > PIPE_BUF);
	assert_ptr_equal(strstr(text, "\n" AUDIT_MARK), text);
	text[len - 1] = '\0';
	assert_ok(json_parse(text + strlen("\n" AUDIT_MARK), strlen(text + strlen("\n" AUDIT_MARK)),
			     &root, &e),
		  e);
	json_free(root);
	close(kept);
	close(fds[0]);
	close(fds[1]);
	audit_trail_close(audit);
}

static void what_was_left_out_is_a_number(void **state)
{
	const struct audit_entry entry = { .event = AUDIT_LEFT_OUT, .count = 12 };
	struct audit_trail *audit = fresh();
	struct json *root;
	uint64_t number;
	struct err e;

	assert_ok(audit_trail_write(audit, &entry, &e), e);
	audit_trail_close(audit);
	root = line(0);
	assert_string_equal(text_of(root, "event"), "left_out");
	assert_ok(json_get_u64(root, "count", &number, &e), e);
	assert_int_equal(number, 12);
	assert_null(json_get(root, "call"));
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_a_line_of_json),
		cmocka_unit_test(what_a_peer_says_stays_in_its_line),
		cmocka_unit_test(a_file_is_appended_to_and_is_for_us_alone),
		cmocka_unit_test(what_is_no_file_of_ours_is_refused),
		cmocka_unit_test(a_full_disk_is_told_and_no_line_is_lost_in_another),
		cmocka_unit_test(a_line_begins_where_the_one_before_was_cut),
		cmocka_unit_test(another_file_is_begun_when_the_old_one_is_moved),
		cmocka_unit_test(without_a_file_it_is_in_the_normal_log),
		cmocka_unit_test(a_normal_log_that_takes_nothing_refuses),
		cmocka_unit_test(a_normal_log_that_took_a_part_goes_on_in_a_new_line),
		cmocka_unit_test(what_was_left_out_is_a_number),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
