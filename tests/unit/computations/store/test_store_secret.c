/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys of agents: where they are, to whom they go, and under which key. */
#include "common/base/file.h"
#include "computations/hook/hook.h"
#include "computations/mail/mail.h"
#include "computations/people/factor.h"
#include "computations/seal/secret_keep.h"
#include "computations/store/backup.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_form.h"
#include "computations/store/store_secret.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET \
	"-----BEGIN PRIVATE KEY-----\nit is the listener's alone\n-----END PRIVATE KEY-----\n"
#define ID_TEXT "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

static const struct store_secrets_place usual;

/* ---- bytes ---- */

static struct secret_key key_of(uint8_t n)
{
	const uint8_t bytes[SECRET_KEY_LEN] = { n, 7 };
	struct secret_key key;
	struct err e;

	assert_ok(secret_key_of(bytes, &key, &e), e);
	return key;
}

static void sealed_opens(void **state)
{
	const struct secret_key key = key_of(1);
	const struct secret_name name = { "agent", "c" };
	CLEANUP(free) uint8_t *once = NULL, *twice = NULL, *opened = NULL;
	size_t len, again, opened_len;
	struct err e;

	assert_ok(secret_seal(&key, &name, "abc", 3, &once, &len, &e), e);
	assert_ok(secret_seal(&key, &name, "abc", 3, &twice, &again, &e), e);
	assert_int_equal(len, 3 + SECRET_OVERHEAD);
	assert_int_equal(again, len);
	assert_memory_not_equal(once, twice, len);
	assert_ok(secret_open(&key, &name, once, len, &opened, &opened_len, &e), e);
	assert_int_equal(opened_len, 3);
	assert_string_equal((char *)opened, "abc");
}

static void refuse(const struct secret_key *key, const struct secret_name *name,
		   const uint8_t *sealed, size_t len)
{
	uint8_t *opened = NULL;
	size_t opened_len;
	struct err e;

	assert_refused(secret_open(key, name, sealed, len, &opened, &opened_len, &e), e,
		       ERR_DATA_LOSS, "database: ");
	assert_null(opened);
}

static void another_key_name_or_byte_opens_nothing(void **state)
{
	const struct secret_key key = key_of(1), other = key_of(2);
	const struct secret_name name = { "agent", "c" };
	const struct secret_name others[] = { { "agent", "d" },
					      { "agent", "" },
					      { "totp", "c" },
					      { "agen", "tc" },
					      { "agentc", "" } };
	CLEANUP(free) uint8_t *sealed = NULL;
	size_t len;
	struct err e;

	assert_ok(secret_seal(&key, &name, "a secret", 8, &sealed, &len, &e), e);
	refuse(&other, &name, sealed, len);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		refuse(&key, &others[i], sealed, len);
	for (size_t cut = 0; cut < len; cut++)
		refuse(&key, &name, sealed, cut);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refuse(&key, &name, sealed, len);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void secrets_have_a_limit(void **state)
{
	const struct secret_key key = key_of(1);
	const struct secret_name name = { "agent", "c" };
	CLEANUP(free) uint8_t *bytes = calloc(1, SECRET_MAX + 1), *sealed = NULL, *opened = NULL;
	CLEANUP(free) uint8_t *larger = calloc(1, SECRET_MAX + SECRET_OVERHEAD + 1);
	size_t len, opened_len;
	struct err e;

	assert_true(bytes && larger);
	assert_ok(secret_seal(&key, &name, bytes, SECRET_MAX, &sealed, &len, &e), e);
	assert_ok(secret_open(&key, &name, sealed, len, &opened, &opened_len, &e), e);
	assert_int_equal(opened_len, SECRET_MAX);
	free(TAKE_PTR(sealed));
	assert_refused(secret_seal(&key, &name, bytes, SECRET_MAX + 1, &sealed, &len, &e), e,
		       ERR_INVALID, "the limit is");
	refuse(&key, &name, larger, SECRET_MAX + SECRET_OVERHEAD + 1);
}

/* ---- the key in memory ---- */

/* What the kernel says of the page there: proc(5), VmFlags. */
static void flags_of(const void *at, char flags[128])
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	bool is_here = false, found = false;
	unsigned long from, to;
	char line[512];

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_here = from <= (uintptr_t)at && (uintptr_t)at < to;
		found = is_here && sscanf(line, "VmFlags: %127[^\n]", flags) == 1;
	}
	fclose(maps);
	assert_true(found);
}

/* Like a page that the test locks itself, which a sanitizer does not do. */
static void held_key_is_neither_swapped_nor_dumped(void **state)
{
	const struct secret_key key = key_of(3);
	struct secret_key *held;
	char flags[128], ours[128];
	struct err e;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(page != MAP_FAILED && mlock(page, 4096) == 0);
	assert_ok(secret_key_hold(&key, &held, &e), e);
	assert_memory_equal(held, &key, sizeof(key));
	flags_of(page, ours);
	flags_of(held, flags);
	assert_int_equal(strstr(flags, "lo ") != NULL, strstr(ours, "lo ") != NULL);
	assert_non_null(strstr(flags, "dd"));
	assert_null(strstr(ours, "dd"));
	secret_key_free(held);
	assert_int_equal(munmap(page, 4096), 0);
	secret_key_free(NULL);
}

/* ---- the key's file ---- */

struct path {
	char text[128];
};

static struct path in(const struct store_room *f, const char *name)
{
	struct path p;

	snprintf(p.text, sizeof(p.text), "%s/%s", f->dir, name);
	return p;
}

static void write_key(struct store_room *f, const char *name, const char *text, mode_t mode)
{
	assert_ok(file_write(in(f, name).text, text, strlen(text), mode, &f->e), f->e);
}

static void file_is_one_line_for_its_owner(void **state)
{
	static const char *const wrong[] = {
		"",          "\n",   ID_TEXT "0", ID_TEXT "\n\n", ID_TEXT "\nx",
		" " ID_TEXT, "0f1e", "g" ID_TEXT
	};
	struct store_room *f = *state;
	struct secret_key key, again;

	write_key(f, "k", ID_TEXT, 0600);
	assert_ok(secret_key_read(in(f, "k").text, &key, &f->e), f->e);
	write_key(f, "k", ID_TEXT "\n", 0400);
	assert_ok(secret_key_read(in(f, "k").text, &again, &f->e), f->e);
	assert_string_equal(key.id, again.id);
	assert_memory_equal(key.bytes, again.bytes, sizeof(key.bytes));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		write_key(f, "k", wrong[i], 0600);
		assert_refused(secret_key_read(in(f, "k").text, &key, &f->e), f->e, ERR_INVALID,
			       "/k'");
	}
	/* Each beginning of one. */
	for (size_t len = 0; len < strlen(ID_TEXT); len++) {
		char cut[sizeof(ID_TEXT)];

		snprintf(cut, sizeof(cut), "%.*s", (int)len, ID_TEXT);
		write_key(f, "k", cut, 0600);
		assert_refused(secret_key_read(in(f, "k").text, &key, &f->e), f->e, ERR_INVALID,
			       "/k'");
	}
	write_key(f, "k", ID_TEXT, 0640);
	assert_refused(secret_key_read(in(f, "k").text, &key, &f->e), f->e, ERR_PRECONDITION,
		       "chmod 600");
	assert_refused(secret_key_read(in(f, "none").text, &key, &f->e), f->e, ERR_NOT_FOUND,
		       "/none'");
}

/* Whoever it belongs to has it, whatever its mode says; and what is no file would be waited for. */
static void file_of_others_is_no_key(void **state)
{
	struct store_room *f = *state;
	struct secret_key key;

	assert_int_equal(mkfifo(in(f, "pipe").text, 0600), 0);
	assert_refused(secret_key_read(in(f, "pipe").text, &key, &f->e), f->e, ERR_PRECONDITION,
		       "/pipe' is no regular file");
	if (geteuid() != 0)
		skip(); /* gives no file to others */
	write_key(f, "k", ID_TEXT, 0600);
	assert_int_equal(chown(in(f, "k").text, 65534, 65534), 0);
	assert_refused(secret_key_read(in(f, "k").text, &key, &f->e), f->e, ERR_PRECONDITION,
		       "belongs to uid 65534");
	assert_int_equal(symlink("k", in(f, "link").text), 0);
	assert_refused(secret_key_read(in(f, "link").text, &key, &f->e), f->e, ERR_PRECONDITION,
		       "belongs to uid 65534");
	assert_int_equal(chown(in(f, "k").text, 0, 0), 0);
	assert_ok(secret_key_read(in(f, "link").text, &key, &f->e), f->e);
}

static void made_one_is_read_and_not_made_again(void **state)
{
	struct store_room *f = *state;
	struct secret_key made, read;
	struct stat st;

	assert_ok(secret_key_make(in(f, "k").text, &made, &f->e), f->e);
	assert_ok(secret_key_read(in(f, "k").text, &read, &f->e), f->e);
	assert_memory_equal(made.bytes, read.bytes, sizeof(made.bytes));
	assert_string_equal(made.id, read.id);
	assert_int_equal(stat(in(f, "k").text, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_refused(secret_key_make(in(f, "k").text, &made, &f->e), f->e, ERR_EXISTS, "/k'");
}

/* ---- rows ---- */

static int create_with(struct store_room *f, const char *id, const char *key)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__AgentConfig config = CVMS__AGENT_CONFIG__INIT;

	manifest.id = (char *)(uintptr_t)id;
	manifest.name = (char *)(uintptr_t)id;
	manifest.agent_config = &config;
	config.port = (char *)(uintptr_t)"7002";
	config.cert_file = (char *)(uintptr_t)"a certificate";
	config.key_file = (char *)(uintptr_t)key;
	return store_create(&f->store, store_room_workspace(f), &manifest, &f->e);
}

/* The store looks at it, too: not all who bring manifests look at their certificates. */
static void private_key_among_certificates_is_not_kept(void **state)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__AgentConfig config = CVMS__AGENT_CONFIG__INIT;
	struct store_room *f = *state;
	int64_t kept;

	manifest.id = (char *)(uintptr_t)"c";
	manifest.agent_config = &config;
	config.cert_file = (char *)(uintptr_t)("a certificate\n" SECRET);
	config.key_file = (char *)(uintptr_t)SECRET;
	assert_refused(store_create(&f->store, store_room_workspace(f), &manifest, &f->e), f->e,
		       ERR_INVALID, "agent_config: cert_file: a private key");
	assert_ok(db_number(&f->store.db, &kept, &f->e,
			    "SELECT (SELECT count(*) FROM computations)"
			    " + (SELECT count(*) FROM secrets)",
			    ""),
		  f->e);
	assert_int_equal(kept, 0);
}

static void create(struct store_room *f, const char *id)
{
	assert_ok(create_with(f, id, SECRET), f->e);
}

/* What the manifest has as its key. */
static void check_manifest(struct store_room *f, const char *id, const char *key,
			   const uint8_t *bytes, size_t len)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;

	assert_ok(manifest_decode(bytes, len, &m, &f->e), f->e);
	assert_string_equal(m->id, id);
	assert_non_null(m->agent_config);
	assert_string_equal(m->agent_config->key_file, key);
	assert_string_equal(m->agent_config->cert_file, "a certificate");
	assert_string_equal(m->agent_config->port, "7002");
}

static void check_kept(struct store_room *f, const char *id)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	assert_ok(store_manifest(&f->store, id, &bytes, &len, &f->e), f->e);
	check_manifest(f, id, "", bytes, len);
}

static void check_sent(struct store_room *f, const char *id)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	assert_ok(store_secret_send(&f->store, id, &bytes, &len, &f->e), f->e);
	check_manifest(f, id, SECRET, bytes, len);
}

#define assert_not_sent(f, id, code, words)                                                       \
	do {                                                                                      \
		uint8_t *bytes = NULL;                                                            \
		size_t len;                                                                       \
		assert_refused(store_secret_send(&(f)->store, id, &bytes, &len, &(f)->e), (f)->e, \
			       code, words);                                                      \
		assert_null(bytes);                                                               \
	} while (0)

static int64_t count(struct store_room *f, const char *sql)
{
	int64_t n;

	assert_ok(db_number(&f->store.db, &n, &f->e, sql, ""), f->e);
	return n;
}

#define ROWS(f)   count(f, "SELECT count(*) FROM secrets")
#define SEALED(f) count(f, "SELECT count(*) FROM secrets WHERE key <> ''")

static void key_goes_to_the_agent_alone(void **state)
{
	struct store_room *f = *state;

	create(f, "c");
	store_room_create(f, "none");
	check_kept(f, "c");
	check_sent(f, "c");
	assert_int_equal(ROWS(f), 1);
	/* The digest is of what is measured, and keys are not. */
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	assert_ok(store_computation(&f->store, "c", &c, &f->e), f->e);
	CLEANUP(free) uint8_t *bytes = NULL, *same = NULL;
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct manifest_digests digests;
	size_t len, same_len;
	assert_ok(store_secret_send(&f->store, "c", &bytes, &len, &f->e), f->e);
	assert_ok(manifest_decode(bytes, len, &m, &f->e), f->e);
	assert_ok(manifest_digest(m, &digests, &f->e), f->e);
	assert_memory_equal(c.digest, digests.sha3_256, sizeof(c.digest));
	/* Without a key it is what it was. */
	free(TAKE_PTR(bytes));
	assert_ok(store_secret_send(&f->store, "none", &bytes, &len, &f->e), f->e);
	assert_ok(store_manifest(&f->store, "none", &same, &same_len, &f->e), f->e);
	assert_int_equal(len, same_len);
	assert_memory_equal(bytes, same, len);
}

static void without_a_key_none_is_kept(void **state)
{
	struct store_room *f = *state;

	secret_key_free(TAKE_PTR(f->store.secrets));
	assert_refused(create_with(f, "c", SECRET), f->e, ERR_PRECONDITION, "no key for secrets");
	store_room_create(f, "none");
}

static void set_state(struct store_room *f, const char *state)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	assert_ok(store_agent_state(&f->store, "v", state, &todo, &f->e), f->e);
}

static void begin(struct store_room *f)
{
	create(f, "c");
	store_room_arrive_idle(f, "v");
	assert_ok(store_assign(&f->store, "c", "v", false, &f->e), f->e);
	assert_ok(store_room_answer(f, "v", "c", ""), f->e);
}

static void completed_by_an_event_forgets_it(void **state)
{
	struct store_room *f = *state;

	begin(f);
	store_room_event(f, "v", "c", "Running", "InProgress");
	check_sent(f, "c");
	store_room_event(f, "v", "c", "Complete", "Completed");
	store_room_check(f, "c", COMPUTATION_COMPLETED, true);
	assert_int_equal(SEALED(f), 0);
	assert_not_sent(f, "c", ERR_PRECONDITION, "is gone");
	check_kept(f, "c");
}

static void completed_by_a_state_forgets_it(void **state)
{
	struct store_room *f = *state;

	begin(f);
	set_state(f, "Complete");
	store_room_check(f, "c", COMPUTATION_COMPLETED, true);
	assert_int_equal(SEALED(f), 0);
}

static void failed_or_cancelled_keeps_it_for_the_next_run(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *holder = NULL;
	bool tell;

	begin(f);
	store_room_event(f, "v", "c", "Failed", "Failed");
	store_room_check(f, "c", COMPUTATION_FAILED, true);
	set_state(f, "ReceivingManifest");
	check_sent(f, "c");
	assert_ok(store_retry(&f->store, "c", &f->e), f->e);
	check_sent(f, "c");
	assert_ok(store_stop(&f->store, "c", &tell, &f->e), f->e);
	store_room_check(f, "c", COMPUTATION_CANCELLED, true);
	check_sent(f, "c");
	assert_ok(store_remove(&f->store, "c", false, &holder, &f->e), f->e);
	assert_int_equal(ROWS(f), 0);
	create(f, "c");
	check_sent(f, "c");
}

static void swap(struct store_room *f)
{
	assert_ok(db_script(&f->store.db,
			    "UPDATE secrets SET owner = 'x' WHERE owner = 'a';"
			    "UPDATE secrets SET owner = 'a' WHERE owner = 'b';"
			    "UPDATE secrets SET owner = 'b' WHERE owner = 'x'",
			    &f->e),
		  f->e);
}

static void rows_stand_for_themselves(void **state)
{
	struct store_room *f = *state;

	create(f, "a");
	create(f, "b");
	swap(f);
	assert_not_sent(f, "a", ERR_DATA_LOSS, "not what was sealed");
	assert_not_sent(f, "b", ERR_DATA_LOSS, "not what was sealed");
	swap(f);
	check_sent(f, "a");
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE secrets SET sealed = ? WHERE owner = 'a'",
			 "b", "cut", (size_t)3),
		  f->e);
	assert_not_sent(f, "a", ERR_DATA_LOSS, "of 3 bytes");
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE secrets SET key = 'other' WHERE owner = 'b'",
			 ""),
		  f->e);
	assert_not_sent(f, "b", ERR_PRECONDITION, "sealed under key");
	assert_ok(db_script(&f->store.db, "UPDATE secrets SET kind = 'totp'", &f->e), f->e);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	assert_ok(store_secret_send(&f->store, "a", &bytes, &len, &f->e), f->e);
	check_manifest(f, "a", "", bytes, len);
}

/* ---- which key ---- */

/* The store once more, with that place; whether it opens. */
static int reopen(struct store_room *f, const char *path, const char *old_path)
{
	const struct path key = in(f, path ? path : ""), old = in(f, old_path ? old_path : "");
	const struct store_secrets_place place = {
		.path = path ? key.text : NULL,
		.old_path = old_path && strcmp(old_path, STORE_SECRETS_LOST) == 0
				    ? STORE_SECRETS_LOST
			    : old_path ? old.text
				       : NULL,
	};

	secret_key_free(TAKE_PTR(f->store.secrets));
	return store_secrets_open(&f->store, f->dir, &place, &f->e);
}

static void other_key_opens_nothing_and_changes_nothing(void **state)
{
	struct store_room *f = *state;

	create(f, "c");
	write_key(f, "other", ID_TEXT "\n", 0600);
	assert_refused(reopen(f, "other", NULL), f->e, ERR_PRECONDITION,
		       "sealed under another: bring that back");
	assert_null(f->store.secrets);
	assert_refused(reopen(f, "none", NULL), f->e, ERR_NOT_FOUND, "COMPUTATIONS_SECRETS_KEY: ");
	assert_refused(reopen(f, NULL, "none"), f->e, ERR_NOT_FOUND,
		       "COMPUTATIONS_SECRETS_OLD_KEY: ");
	/* The usual one is missing, and none is made in its place. */
	assert_int_equal(rename(in(f, STORE_SECRETS_FILE).text, in(f, "away").text), 0);
	assert_refused(reopen(f, NULL, NULL), f->e, ERR_PRECONDITION, "secrets.key' is missing");
	assert_int_not_equal(access(in(f, STORE_SECRETS_FILE).text, F_OK), 0);
	assert_refused(store_secrets_same(&f->store.db, f->dir, &usual, &f->e), f->e,
		       ERR_PRECONDITION, "secrets.key' is missing");
	assert_int_equal(rename(in(f, "away").text, in(f, STORE_SECRETS_FILE).text), 0);
	assert_ok(store_secrets_same(&f->store.db, f->dir, &usual, &f->e), f->e);
	assert_ok(reopen(f, NULL, NULL), f->e);
	check_sent(f, "c");
}

static void nothing_sealed_takes_any_key(void **state)
{
	struct store_room *f = *state;

	store_room_create(f, "none");
	write_key(f, "other", ID_TEXT, 0600);
	assert_ok(reopen(f, "other", NULL), f->e);
	assert_int_equal(unlink(in(f, STORE_SECRETS_FILE).text), 0);
	/* Who looks goes by the error alone. */
	f->e.code = ERR_OK;
	assert_ok(store_secrets_same(&f->store.db, f->dir, &usual, &f->e), f->e);
	assert_int_equal(f->e.code, ERR_OK);
	assert_int_not_equal(access(in(f, STORE_SECRETS_FILE).text, F_OK), 0);
	assert_ok(reopen(f, NULL, NULL), f->e);
	assert_int_equal(access(in(f, STORE_SECRETS_FILE).text, F_OK), 0);
}

static void next_key_seals_anew(void **state)
{
	struct store_room *f = *state;

	begin(f);
	create(f, "d");
	create(f, "e");
	store_room_event(f, "v", "c", "Complete", "Completed");
	write_key(f, "next", ID_TEXT, 0600);
	assert_ok(reopen(f, "next", STORE_SECRETS_FILE), f->e);
	check_sent(f, "d");
	check_sent(f, "e");
	assert_not_sent(f, "c", ERR_PRECONDITION, "is gone");
	/* The old one is not needed from now on. */
	assert_ok(reopen(f, "next", STORE_SECRETS_FILE), f->e);
	assert_ok(reopen(f, "next", NULL), f->e);
	check_sent(f, "d");
	assert_refused(reopen(f, NULL, NULL), f->e, ERR_PRECONDITION, "2 secrets are");
	/* And back; the same one twice is nothing to do. */
	assert_ok(reopen(f, NULL, "next"), f->e);
	assert_ok(reopen(f, NULL, STORE_SECRETS_FILE), f->e);
	check_sent(f, "e");
}

static void damaged_row_stops_the_next_key_whole(void **state)
{
	struct store_room *f = *state;

	create(f, "a");
	create(f, "b");
	swap(f);
	assert_ok(
		db_script(&f->store.db, "UPDATE secrets SET owner = 'c' WHERE owner = 'b'", &f->e),
		f->e);
	write_key(f, "next", ID_TEXT, 0600);
	assert_refused(reopen(f, "next", STORE_SECRETS_FILE), f->e, ERR_DATA_LOSS,
		       "COMPUTATIONS_SECRETS_OLD_KEY sealed");
	assert_null(f->store.secrets);
	/* Nothing went over. */
	assert_ok(reopen(f, NULL, NULL), f->e);
	assert_int_equal(SEALED(f), 2);
}

static void lost_key_is_given_up_when_that_is_said(void **state)
{
	struct store_room *f = *state;

	create(f, "c");
	assert_int_equal(unlink(in(f, STORE_SECRETS_FILE).text), 0);
	assert_refused(reopen(f, NULL, NULL), f->e, ERR_PRECONDITION, "'lost' there");
	assert_ok(reopen(f, NULL, STORE_SECRETS_LOST), f->e);
	assert_not_sent(f, "c", ERR_PRECONDITION, "is gone");
	create(f, "d");
	/* What this key opens is not lost. */
	assert_ok(reopen(f, NULL, STORE_SECRETS_LOST), f->e);
	check_sent(f, "d");
}

/* ---- what older forms had ---- */

/* As a program of before would have put it. */
static void put_plain(struct store_room *f, const char *id, int state, int finished)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	create(f, id);
	assert_ok(store_secret_send(&f->store, id, &bytes, &len, &f->e), f->e);
	assert_ok(db_run(&f->store.db, &f->e,
			 "UPDATE computations SET manifest = ?, state = ?, finished = ?"
			 " WHERE id = ?",
			 "biit", bytes, len, (int64_t)state, (int64_t)finished, id),
		  f->e);
	assert_ok(secret_row_forget(&f->store.db, id, &f->e), f->e);
}

static void older_rows_are_sealed(void **state)
{
	struct store_room *f = *state;

	put_plain(f, "a", COMPUTATION_CREATED, 0);
	put_plain(f, "b", COMPUTATION_COMPLETED, 1);
	put_plain(f, "c", COMPUTATION_FAILED, 1);
	store_room_create(f, "none");
	store_room_age(f, STORE_FORM_SECRETS - 1);
	check_kept(f, "a");
	check_sent(f, "a");
	check_kept(f, "b");
	assert_not_sent(f, "b", ERR_PRECONDITION, "is gone");
	check_kept(f, "c");
	check_sent(f, "c");
	assert_int_equal(ROWS(f), 3);
	assert_int_equal(SEALED(f), 2);
}

static bool has(struct store_room *f, const char *path, const char *words)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (access(path, F_OK) < 0)
		return false;
	assert_ok(file_read(path, 64 << 20, &bytes, &len, &f->e), f->e);
	return memmem(bytes, len, words, strlen(words)) != NULL;
}

static int count_of(void *data, const char *sql, int64_t *number, struct err *e)
{
	return db_number(data, number, e, sql, "");
}

/* ---- the other kinds ---- */

static const char totp[] = "totp of twenty bytes", hook[] = "the secret that signs, 32 bytes.",
		  hook_before[] = "the secret of before, 32 bytes..",
		  mail[] = "a mail with its link, \303\244, and more";

struct others {
	struct secret_owner person, webhook, mail;
};

static void add_others(struct store_room *f, struct others *o)
{
	const struct hook_wish wish = { "https://h.example/", "", "", HOOK_EVENTS_ALL };
	const struct hook_nets none = { 0 };
	char text[HOOK_SECRET_TEXT_MAX];
	uint8_t made[TOTP_SECRET_LEN];
	int64_t person, number;
	struct hook h;

	assert_ok(user_add(&f->store.db, "anna", false, 1, &f->e), f->e);
	assert_ok(db_number(&f->store.db, &person, &f->e, "SELECT max(number) FROM users", ""),
		  f->e);
	assert_ok(factor_begin(&f->store.db, f->store.secrets, person, 1, made, &f->e), f->e);
	assert_ok(hook_add(&f->store.db, f->store.secrets, store_room_workspace(f), &wish, &none, 1,
			   &h, text, &f->e),
		  f->e);
	assert_ok(hook_rotate(&f->store.db, f->store.secrets, h.number, 1, text, &f->e), f->e);
	/* The second one is over. */
	for (int i = 2; i > 0; i--)
		assert_ok(mail_add(&f->store.db, f->store.secrets,
				   &(struct mail_wish){ 1, i, "a@b.de", mail }, 1, &f->e),
			  f->e);
	assert_ok(db_number(&f->store.db, &number, &f->e, "SELECT min(number) FROM mails", ""),
		  f->e);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE mails SET state = 1 WHERE number > ?", "i",
			 number),
		  f->e);
	assert_ok(
		secret_forget(&f->store.db, &secret_mail, secret_owner_of(number + 1).text, &f->e),
		f->e);
	*o = (struct others){ secret_owner_of(person), secret_owner_of(h.number),
			      secret_owner_of(number) };
}

/* As a program of form 38 has left them. */
static void make_plain(struct store_room *f)
{
	store_room_undo(f, STORE_FORM_SECRETS_ALL - 1);
	assert_ok(db_script(&f->store.db, "DELETE FROM secrets WHERE kind <> 'agent'", &f->e),
		  f->e);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE factors SET secret = ?", "b", totp,
			 (size_t)TOTP_SECRET_LEN),
		  f->e);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE webhooks SET secret = ?, before = ?", "bb",
			 hook, (size_t)HOOK_SECRET_LEN, hook_before, (size_t)HOOK_SECRET_LEN),
		  f->e);
	assert_ok(
		db_run(&f->store.db, &f->e, "UPDATE mails SET text = ? WHERE state = 0", "t", mail),
		f->e);
	store_close(&f->store);
}

static void check_other(struct store_room *f, const struct secret_kind *kind,
			const struct secret_owner *owner, const char *words, size_t len)
{
	uint8_t bytes[64];

	assert_int_equal(secret_get_exactly(&f->store.db, f->store.secrets, kind, owner->text,
					    bytes, len, &f->e),
			 1);
	assert_memory_equal(bytes, words, len);
}

static void check_others(struct store_room *f, const struct others *o)
{
	check_other(f, &secret_totp, &o->person, totp, TOTP_SECRET_LEN);
	check_other(f, &secret_webhook, &o->webhook, hook, HOOK_SECRET_LEN);
	check_other(f, &secret_webhook_before, &o->webhook, hook_before, HOOK_SECRET_LEN);
	check_other(f, &secret_mail, &o->mail, mail, strlen(mail));
}

static void check_words(struct store_room *f, const char *words)
{
	const struct store_secrets_count count = { count_of, &f->store.db };
	char got[STORE_SECRETS_WORDS];

	assert_ok(store_secrets_words(&count, got, &f->e), f->e);
	assert_string_equal(got, words);
}

/* From the form before, under another key, and back. */
static void secrets_of_all_kinds_are_sealed(void **state)
{
	static const char *const files[] = { "computations.db", "computations.db-wal", "backup" };
	static const char *const secrets[] = { totp, hook, hook_before, mail };
	struct store_room *f = *state;
	const struct backup_place place = { f->dir, store_room_database() };
	struct backup_report report;
	struct others o;

	check_words(f, "nothing is sealed");
	add_others(f, &o);
	create(f, "c");
	make_plain(f);
	store_room_open(f);
	check_others(f, &o);
	check_sent(f, "c");
	check_words(f, "sealed: 1 private key of an agent, 1 second factor, 1 secret of a webhook,"
		       " 1 secret of a webhook from before, 1 mail that waits");
	write_key(f, "next", ID_TEXT, 0600);
	assert_refused(reopen(f, "next", NULL), f->e, ERR_PRECONDITION, "5 secrets are sealed");
	assert_ok(reopen(f, "next", STORE_SECRETS_FILE), f->e);
	check_others(f, &o);
	check_sent(f, "c");
	assert_ok(reopen(f, NULL, "next"), f->e);
	check_others(f, &o);
	assert_ok(backup_write(&place, in(f, "backup").text, &report, &f->e), f->e);
	store_close(&f->store);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		for (size_t k = 0; k < ARRAY_LEN(secrets); k++)
			assert_false(has(f, in(f, files[i]).text, secrets[k]));
	store_room_open(f);
}

/* A start that fails leaves all as it was, and the next one does it. */
static void all_of_them_or_none(void **state)
{
	struct store_room *f = *state;
	const struct backup_place place = { f->dir, store_room_database() };
	struct backup_report report;
	struct others o;

	add_others(f, &o);
	make_plain(f);
	assert_ok(store_open(&f->store, f->dir, store_room_database(), &store_room_limits, &f->e),
		  f->e);
	assert_int_equal(count(f, "SELECT count(*) FROM secrets WHERE key = '-'"), 4);
	/* Nothing is taken of it as it is, and nothing goes into a backup. */
	uint8_t bytes[TOTP_SECRET_LEN];
	assert_refused(secret_get_exactly(&f->store.db, f->store.secrets, &secret_totp,
					  o.person.text, bytes, sizeof(bytes), &f->e),
		       f->e, ERR_PRECONDITION, "which is not open");
	assert_refused(backup_write(&place, in(f, "backup").text, &report, &f->e), f->e,
		       ERR_PRECONDITION, "start this service once");
	assert_refused(reopen(f, "none", NULL), f->e, ERR_NOT_FOUND, "COMPUTATIONS_SECRETS_KEY");
	assert_int_equal(count(f, "SELECT count(*) FROM secrets WHERE key = '-'"), 4);
	assert_ok(reopen(f, NULL, NULL), f->e);
	check_others(f, &o);
	/* What somebody writes there later is nothing that the service wrote. */
	assert_ok(
		db_script(&f->store.db, "UPDATE secrets SET key = '-' WHERE kind = 'totp'", &f->e),
		f->e);
	assert_ok(reopen(f, NULL, NULL), f->e);
	assert_refused(secret_get_exactly(&f->store.db, f->store.secrets, &secret_totp,
					  o.person.text, bytes, sizeof(bytes), &f->e),
		       f->e, ERR_PRECONDITION, "which is not open");
}

static void lost_ones_of_all_kinds_are_given_up(void **state)
{
	struct store_room *f = *state;
	struct others o;
	uint8_t bytes[TOTP_SECRET_LEN];

	add_others(f, &o);
	assert_int_equal(unlink(in(f, STORE_SECRETS_FILE).text), 0);
	assert_ok(reopen(f, NULL, STORE_SECRETS_LOST), f->e);
	assert_int_equal(SEALED(f), 0);
	assert_refused(secret_get_exactly(&f->store.db, f->store.secrets, &secret_totp,
					  o.person.text, bytes, sizeof(bytes), &f->e),
		       f->e, ERR_PRECONDITION, "a recovery code");
}

static void broken_older_row_stays(void **state)
{
	struct store_room *f = *state;

	put_plain(f, "a", COMPUTATION_CREATED, 0);
	put_plain(f, "b", COMPUTATION_CREATED, 0);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE computations SET manifest = ? WHERE id = 'a'",
			 "b", "\xff\xff", (size_t)2),
		  f->e);
	store_room_age(f, STORE_FORM_SECRETS - 1);
	assert_int_equal(SEALED(f), 1);
	check_sent(f, "b");
}

/* ---- what is on the disk ---- */

static void files_and_backups_do_not_have_it(void **state)
{
	static const char words[] = "it is the listener's alone";
	static const char *const files[] = { "computations.db", "computations.db-wal",
					     "computations.db-shm" };
	struct store_room *f = *state;
	const struct backup_place place = { f->dir, store_room_database() };
	struct backup_report report;
	char key[2 * SECRET_KEY_LEN + 1];

	put_plain(f, "a", COMPUTATION_CREATED, 0);
	create(f, "b");
	if (!store_room_database())
		assert_true(has(f, in(f, files[1]).text, words) ||
			    has(f, in(f, files[0]).text, words));
	store_room_age(f, STORE_FORM_SECRETS - 1);
	check_sent(f, "a");
	assert_ok(backup_write(&place, in(f, "backup").text, &report, &f->e), f->e);
	assert_true(has(f, in(f, "backup").text, "a certificate"));
	assert_false(has(f, in(f, "backup").text, words));
	for (size_t i = 0; i < SECRET_KEY_LEN; i++)
		snprintf(key + 2 * i, 3, "%02x", f->store.secrets->bytes[i]);
	assert_true(has(f, in(f, STORE_SECRETS_FILE).text, key));
	assert_false(has(f, in(f, "backup").text, key));
	if (store_room_database())
		return;
	/* What was there is written over, once the log is in the database. */
	store_close(&f->store);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_false(has(f, in(f, files[i]).text, words));
	store_room_open(f);
}

static void not_sealed_yet_is_not_backed_up(void **state)
{
	struct store_room *f = *state;
	const struct backup_place place = { f->dir, store_room_database() };
	struct backup_report report;

	assert_ok(db_script(&f->store.db, "DELETE FROM secrets_key", &f->e), f->e);
	assert_refused(backup_write(&place, in(f, "backup").text, &report, &f->e), f->e,
		       ERR_PRECONDITION, "start this service once");
	assert_int_not_equal(access(in(f, "backup").text, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_opens),
		cmocka_unit_test(another_key_name_or_byte_opens_nothing),
		cmocka_unit_test(secrets_have_a_limit),
		cmocka_unit_test(held_key_is_neither_swapped_nor_dumped),
		STORE_ROOM_ROW(file_is_one_line_for_its_owner),
		STORE_ROOM_ROW(file_of_others_is_no_key),
		STORE_ROOM_ROW(made_one_is_read_and_not_made_again),
		STORE_ROOM_ROW(private_key_among_certificates_is_not_kept),
		STORE_ROOM_ROW(key_goes_to_the_agent_alone),
		STORE_ROOM_ROW(without_a_key_none_is_kept),
		STORE_ROOM_ROW(completed_by_an_event_forgets_it),
		STORE_ROOM_ROW(completed_by_a_state_forgets_it),
		STORE_ROOM_ROW(failed_or_cancelled_keeps_it_for_the_next_run),
		STORE_ROOM_ROW(rows_stand_for_themselves),
		STORE_ROOM_ROW(other_key_opens_nothing_and_changes_nothing),
		STORE_ROOM_ROW(nothing_sealed_takes_any_key),
		STORE_ROOM_ROW(next_key_seals_anew),
		STORE_ROOM_ROW(damaged_row_stops_the_next_key_whole),
		STORE_ROOM_ROW(lost_key_is_given_up_when_that_is_said),
		STORE_ROOM_ROW(older_rows_are_sealed),
		STORE_ROOM_ROW(broken_older_row_stays),
		STORE_ROOM_ROW(secrets_of_all_kinds_are_sealed),
		STORE_ROOM_ROW(all_of_them_or_none),
		STORE_ROOM_ROW(lost_ones_of_all_kinds_are_given_up),
		STORE_ROOM_ROW(files_and_backups_do_not_have_it),
		STORE_ROOM_ROW(not_sealed_yet_is_not_backed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
