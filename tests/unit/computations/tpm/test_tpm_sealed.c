/* SPDX-License-Identifier: Apache-2.0 */
/* The key that seals, in a TPM 2.0 (swtpm): sealed and opened, moved, bound to PCRs; another TPM, a cleared, a locked one, one that
 * answers what it likes; and what a bus shows. */
#include "common/base/file.h"
#include "computations/store/secret_file.h"
#include "computations/tpm/tpm_sealed.h"
#include "tests/unit.h"
#include "tests/unit/agent/keeper/swtpm.h"
#include "tests/unit/computations/tpm/tpm_tap.h"

#include <sys/stat.h>
#include <tss2/tss2_mu.h>

struct tpm_room {
	struct swtpm tpm, other; /* `other` runs where a test starts it */
	char blob[96], file[96], words[320], bound[384];
	struct err e;
};

static int enter(void **state)
{
	struct tpm_room *t = calloc(1, sizeof(*t));

	snprintf(t->tpm.dir, sizeof(t->tpm.dir), "/tmp/test-secret-tpm.XXXXXX");
	assert_non_null(mkdtemp(t->tpm.dir));
	swtpm_start(&t->tpm, "sha256");
	snprintf(t->blob, sizeof(t->blob), "%s/secrets.tpm", t->tpm.dir);
	snprintf(t->file, sizeof(t->file), "%s/secrets.key", t->tpm.dir);
	snprintf(t->words, sizeof(t->words), "tpm:%s?tcti=%s", t->blob, t->tpm.tcti);
	snprintf(t->bound, sizeof(t->bound), "tpm:%s?pcrs=sha256:7,14&tcti=%s", t->blob,
		 t->tpm.tcti);
	assert_int_equal(setenv("TPM2TOOLS_TCTI", t->tpm.tcti, 1), 0);
	tpm_tap_begin();
	*state = t;
	return 0;
}

static int leave(void **state)
{
	struct tpm_room *t = *state;
	int failed;

	swtpm_stop(&t->tpm);
	if (*t->other.dir) {
		swtpm_stop(&t->other);
		assert_ok(dir_remove(t->other.dir, &t->e), t->e);
	}
	failed = dir_remove(t->tpm.dir, &t->e);
	tpm_tap_end();
	free(t);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

static struct secret_key key_of(uint8_t n)
{
	uint8_t bytes[SECRET_KEY_LEN];
	struct secret_key key;
	struct err e;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(n + 7 * i);
	assert_ok(secret_key_of(bytes, &key, &e), e);
	return key;
}

static void tool(const char *const *argv)
{
	swtpm_tool(argv, NULL);
}
#define TOOL(...) tool((const char *const[]){ __VA_ARGS__, NULL })

static void refused(struct tpm_room *t, const char *words, enum err_code code, const char *why)
{
	struct secret_key key = { .id = "as it was" };

	assert_refused(secret_key_read(words, &key, &t->e), t->e, code, why);
	assert_string_equal(key.id, "as it was");
	assert_null(strchr(t->e.text, '\n'));
}

static void opens(struct tpm_room *t, const char *words, const struct secret_key *wanted)
{
	struct secret_key key;

	assert_ok(secret_key_read(words, &key, &t->e), t->e);
	assert_memory_equal(key.bytes, wanted->bytes, SECRET_KEY_LEN);
	assert_string_equal(key.id, wanted->id);
}

/* ---- words ---- */

static void words_are_read_strictly(void **state)
{
	static const char *const good[] = {
		"/a",
		"tpm:/a",
		"tpm:/a?pcrs=sha256:0",
		"tpm:/a?pcrs=sha384:0,7,15,17,22",
		"tpm:/a?parent=0x81000001&tcti=device:/dev/tpm0&pcrs=sha256:01",
	};
	static const struct {
		const char *words, *why;
	} bad[] = {
		{ "", "not an absolute path" },
		{ "a", "not an absolute path" },
		{ "TPM:/a", "not an absolute path" },
		{ "tpm:", "not an absolute path" },
		{ "tpm:/", "not an absolute path" },
		{ "tpm:a", "not an absolute path" },
		{ "tpm:0x81000001", "not an absolute path" },
		{ "tpm:?tcti=x", "not an absolute path" },
		{ "tpm:/a?", "behind ? only pcrs=" },
		{ "tpm:/a?tcti=", "behind ? only pcrs=" },
		{ "tpm:/a?tcti=x&", "behind ? only pcrs=" },
		{ "tpm:/a?auth-source=/x", "behind ? only pcrs=" },
		{ "tpm:/a?tcti=x&tcti=y", "said twice" },
		{ "tpm:/a?pcrs=sha256:7&pcrs=sha256:8", "said twice" },
		{ "tpm:/a?pcrs=7", "pcrs=" },
		{ "tpm:/a?pcrs=sha1:7", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:,7", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:7,", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:7,7", "each once" },
		{ "tpm:/a?pcrs=sha256:7+8", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:-1", "pcrs=" },
		{ "tpm:/a?pcrs=sha256: 7", "pcrs=" },
		{ "tpm:/a?pcrs=sha256:16", "17 to 22" },
		{ "tpm:/a?pcrs=sha256:23", "17 to 22" },
		{ "tpm:/a?pcrs=sha256:24", "17 to 22" },
		{ "tpm:/a?pcrs=sha256:007", "pcrs=" },
		{ "tpm:/a?parent=0x80ffffff", "not a persistent handle" },
		{ "tpm:/a?parent=0x81800000", "not a persistent handle" },
		{ "tpm:/a?parent=81000001aa", "not a persistent handle" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(secret_place_check(good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(secret_place_check(bad[i].words, &e), e, ERR_INVALID, bad[i].why);
}

/* ---- sealed and opened ---- */

static void a_key_is_made_and_opened(void **state)
{
	struct tpm_room *t = *state;
	struct secret_key made;
	struct stat about;

	assert_ok(secret_key_make(t->words, &made, &t->e), t->e);
	assert_int_equal(stat(t->blob, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	opens(t, t->words, &made);
	assert_refused(secret_key_make(t->words, &made, &t->e), t->e, ERR_EXISTS, t->blob);
	opens(t, t->words, &made);
}

/* More than a TPM has room for objects and sessions: what is loaded is let go, also where something is refused. */
static void it_is_opened_again_and_again(void **state)
{
	const struct secret_key key = key_of(1);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->bound, &key, &t->e), t->e);
	for (int i = 0; i < 12; i++)
		opens(t, t->bound, &key);
	TOOL("tpm2_pcrextend", "14:sha256="
			       "0000000000000000000000000000000000000000000000000000000000000001");
	for (int i = 0; i < 80; i++)
		refused(t, t->bound, ERR_PRECONDITION, "the PCRs");
}

static void the_same_key_goes_there_and_back(void **state)
{
	const struct secret_key key = key_of(2);
	struct tpm_room *t = *state;
	struct secret_key back;

	assert_ok(secret_key_write(t->file, &key, &t->e), t->e);
	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	assert_int_equal(unlink(t->file), 0);
	assert_ok(secret_key_read(t->words, &back, &t->e), t->e);
	assert_ok(secret_key_write(t->file, &back, &t->e), t->e);
	opens(t, t->file, &key);
}

static void a_tpm_that_started_again_opens_it(void **state)
{
	const struct secret_key key = key_of(3);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	TOOL("tpm2_shutdown", "--clear");
	TOOL("tpm2_startup", "--clear");
	opens(t, t->words, &key);
}

static void a_persistent_storage_key_will_do(void **state)
{
	const struct secret_key key = key_of(4);
	struct tpm_room *t = *state;
	char words[384], context[96];

	snprintf(words, sizeof(words), "tpm:%s?parent=0x81000001&tcti=%s", t->blob, t->tpm.tcti);
	snprintf(context, sizeof(context), "%s/primary.ctx", t->tpm.dir);
	assert_refused(secret_key_write(words, &key, &t->e), t->e, ERR_NOT_FOUND,
		       "no storage key at 0x81000001");
	TOOL("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", context);
	TOOL("tpm2_evictcontrol", "-C", "o", "-c", context, "0x81000001");
	TOOL("tpm2_flushcontext", "-t");
	/* The owner's password is not asked for then. */
	TOOL("tpm2_changeauth", "-c", "owner", "password");
	assert_ok(secret_key_write(words, &key, &t->e), t->e);
	for (int i = 0; i < 6; i++)
		opens(t, words, &key);
	/* Nor is the storage key of another name the one that sealed. */
	refused(t, t->words, ERR_DENIED, "parent=");
	TOOL("tpm2_changeauth", "-c", "owner", "-p", "password");
	refused(t, t->words, ERR_PRECONDITION, "another TPM sealed it");
}

/* ---- the bus ---- */

static void the_bus_does_not_show_the_key(void **state)
{
	const struct secret_key key = key_of(5);
	struct tpm_room *t = *state;
	struct tpm_sealing *plain;
	const char *each[] = { t->words, t->bound };

	for (size_t i = 0; i < ARRAY_LEN(each); i++) {
		assert_ok(secret_key_write(each[i], &key, &t->e), t->e);
		opens(t, each[i], &key);
		for (size_t at = 0; at + 8 <= SECRET_KEY_LEN; at++)
			assert_false(tpm_tap_has_seen(key.bytes + at, 8));
		assert_int_equal(unlink(t->blob), 0);
	}
	/* A tap that would miss it shows nothing: what is said in the clear it sees. */
	assert_true(tpm_tap.seen.len > 4096);
	assert_ok(tpm_sealing_new(t->words, &plain, &t->e), t->e);
	assert_ok(tpm_link_open(&plain->link, &t->e), t->e);
	TPM2B_SENSITIVE_DATA said = { .size = SECRET_KEY_LEN };
	memcpy(said.buffer, key.bytes, SECRET_KEY_LEN);
	assert_int_equal(
		Esys_StirRandom(plain->link.esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &said),
		TSS2_RC_SUCCESS);
	assert_true(tpm_tap_has_seen(key.bytes, SECRET_KEY_LEN));
	tpm_sealing_free(plain);
}

/* ---- other TPMs, other PCRs ---- */

static void another_tpm_opens_nothing(void **state)
{
	const struct secret_key key = key_of(6);
	struct tpm_room *t = *state;
	char elsewhere[320];

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	snprintf(t->other.dir, sizeof(t->other.dir), "/tmp/test-secret-tpm.XXXXXX");
	assert_non_null(mkdtemp(t->other.dir));
	swtpm_start(&t->other, "sha256");
	snprintf(elsewhere, sizeof(elsewhere), "tpm:%s?tcti=%s", t->blob, t->other.tcti);
	refused(t, elsewhere, ERR_PRECONDITION, "another TPM sealed it, or this one was cleared");
	opens(t, t->words, &key);
}

static void a_cleared_tpm_opens_nothing(void **state)
{
	const struct secret_key key = key_of(7);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	TOOL("tpm2_clear", "-c", "p");
	refused(t, t->words, ERR_PRECONDITION, "another TPM sealed it, or this one was cleared");
	/* It seals what the operator has kept. */
	assert_int_equal(unlink(t->blob), 0);
	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	opens(t, t->words, &key);
}

static void changed_pcrs_open_nothing(void **state)
{
	const struct secret_key key = key_of(8);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->bound, &key, &t->e), t->e);
	TOOL("tpm2_pcrextend", "9:sha256="
			       "0000000000000000000000000000000000000000000000000000000000000001");
	opens(t, t->bound, &key); /* another one's matter */
	TOOL("tpm2_pcrextend", "14:sha256="
			       "0000000000000000000000000000000000000000000000000000000000000001");
	refused(t, t->bound, ERR_PRECONDITION, "not as they were when it was sealed");
	assert_int_equal(unlink(t->blob), 0);
	assert_ok(secret_key_write(t->bound, &key, &t->e), t->e);
	opens(t, t->bound, &key);
}

static void words_and_binding_agree(void **state)
{
	const struct secret_key key = key_of(9);
	struct tpm_room *t = *state;
	char others[384];

	assert_ok(secret_key_write(t->bound, &key, &t->e), t->e);
	refused(t, t->words, ERR_PRECONDITION, "say which in pcrs=");
	snprintf(others, sizeof(others), "tpm:%s?pcrs=sha256:7&tcti=%s", t->blob, t->tpm.tcti);
	refused(t, others, ERR_PRECONDITION, "not as they were when it was sealed");
	assert_int_equal(unlink(t->blob), 0);
	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	refused(t, t->bound, ERR_PRECONDITION, "bound to no PCRs");
}

/* swtpm has a bank of SHA-256 alone here: what is bound to no register is bound to nothing. */
static void a_bank_that_is_not_there_is_refused(void **state)
{
	const struct secret_key key = key_of(10);
	struct tpm_room *t = *state;
	char words[384];

	snprintf(words, sizeof(words), "tpm:%s?pcrs=sha384:7&tcti=%s", t->blob, t->tpm.tcti);
	assert_refused(secret_key_write(words, &key, &t->e), t->e, ERR_PRECONDITION,
		       "no PCR 7 of sha384");
	assert_int_equal(access(t->blob, F_OK), -1);
}

/* A storage key that the lock-out is for, which the primary key of the template is not. */
static void a_locked_tpm_says_so(void **state)
{
	const struct secret_key key = key_of(11);
	struct tpm_room *t = *state;
	char words[384], context[96];

	snprintf(words, sizeof(words), "tpm:%s?parent=0x81000001&tcti=%s", t->blob, t->tpm.tcti);
	snprintf(context, sizeof(context), "%s/primary.ctx", t->tpm.dir);
	TOOL("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", context);
	TOOL("tpm2_evictcontrol", "-C", "o", "-c", context, "0x81000001");
	TOOL("tpm2_flushcontext", "-t");
	assert_ok(secret_key_write(words, &key, &t->e), t->e);
	/* One wrong authorization is one too many. */
	TOOL("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=1",
	     "--recovery-time=3600", "--lockout-recovery-time=3600");
	TOOL("tpm2_createprimary", "-C", "o", "-G", "ecc", "-p", "right", "-c", context);
	TOOL("sh", "-c", "! tpm2_create -C \"$0\" -P wrong -u /dev/null -r /dev/null", context);
	TOOL("tpm2_flushcontext", "-t");
	refused(t, words, ERR_EXHAUSTED, "it is locked after wrong authorizations");
	TOOL("tpm2_dictionarylockout", "--clear-lockout");
	opens(t, words, &key);
}

/* ---- damage ---- */

static void each_byte_of_the_file_counts(void **state)
{
	const struct secret_key key = key_of(12);
	struct tpm_room *t = *state;
	CLEANUP(free) uint8_t *whole = NULL;
	uint8_t bytes[1024] = { 0 };
	struct secret_key got;
	size_t len;

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	assert_ok(file_read(t->blob, sizeof(bytes) - 1, &whole, &len, &t->e), t->e);
	for (size_t cut = 0; cut <= len + 1; cut++) {
		if (cut == len)
			continue;
		memcpy(bytes, whole, cut < len ? cut : len);
		assert_ok(file_write(t->blob, bytes, cut, 0600, &t->e), t->e);
		refused(t, t->words, ERR_INVALID, "no sealed key");
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(bytes, whole, len);
		bytes[i] ^= 0x10;
		assert_ok(file_write(t->blob, bytes, len, 0600, &t->e), t->e);
		if (secret_key_read(t->words, &got, &t->e) == 0)
			fail_msg("byte %zu of %zu is passed over", i, len);
		assert_null(strchr(t->e.text, '\n'));
	}
	/* Of the part that the TPM alone reads: by name. */
	memcpy(bytes, whole, len);
	bytes[len - 1] ^= 1;
	assert_ok(file_write(t->blob, bytes, len, 0600, &t->e), t->e);
	refused(t, t->words, ERR_DATA_LOSS, "the file is damaged");
	assert_ok(file_write(t->blob, whole, len, 0644, &t->e), t->e);
	refused(t, t->words, ERR_PRECONDITION, "chmod 600");
	assert_int_equal(unlink(t->blob), 0);
	refused(t, t->words, ERR_NOT_FOUND, "--copy-secrets-key");
	assert_ok(file_write(t->blob, whole, len, 0600, &t->e), t->e);
	opens(t, t->words, &key);
}

/* What another program sealed, of another length or opened by a password, is no key of ours. */
static void an_object_of_another_kind_is_refused(void **state)
{
	static const struct {
		const char *attributes, *bytes;
		enum err_code code;
		const char *why;
	} all[] = {
		{ "fixedtpm|fixedparent|noda|userwithauth", "31 bytes are sealed, and no key",
		  ERR_INVALID, "31 bytes are sealed, and a key has 32" },
		{ "fixedtpm|fixedparent|userwithauth", "a key of 32 bytes, guessed after",
		  ERR_INVALID, "an object of another kind" },
		{ "noda|userwithauth", "a key of 32 bytes, to be copied.", ERR_INVALID,
		  "an object of another kind" },
	};
	struct tpm_room *t = *state;
	char in[96], public[96], private[96], context[96];

	snprintf(in, sizeof(in), "%s/in", t->tpm.dir);
	snprintf(public, sizeof(public), "%s/pub", t->tpm.dir);
	snprintf(private, sizeof(private), "%s/priv", t->tpm.dir);
	snprintf(context, sizeof(context), "%s/primary.ctx", t->tpm.dir);
	const struct secret_key key = key_of(13);
	char words[384];

	TOOL("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", context);
	TOOL("tpm2_evictcontrol", "-C", "o", "-c", context, "0x81000001");
	TOOL("tpm2_flushcontext", "-t");
	snprintf(words, sizeof(words), "tpm:%s?parent=0x81000001&tcti=%s", t->blob, t->tpm.tcti);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP(free) uint8_t *ours = NULL, *pub = NULL, *priv = NULL;
		size_t ours_len, pub_len, priv_len;
		uint8_t made[2048];

		assert_ok(secret_key_write(words, &key, &t->e), t->e);
		assert_ok(file_read(t->blob, 2048, &ours, &ours_len, &t->e), t->e);
		assert_ok(file_write(in, all[i].bytes, strlen(all[i].bytes), 0600, &t->e), t->e);
		TOOL("tpm2_create", "-C", "0x81000001", "-i", in, "-a", all[i].attributes, "-u",
		     public, "-r", private);
		TOOL("tpm2_flushcontext", "-t");
		assert_ok(file_read(public, 1024, &pub, &pub_len, &t->e), t->e);
		assert_ok(file_read(private, 1024, &priv, &priv_len, &t->e), t->e);
		memcpy(made, ours, 36); /* the storage key's name */
		memcpy(made + 36, pub, pub_len);
		memcpy(made + 36 + pub_len, priv, priv_len);
		assert_ok(file_write(t->blob, made, 36 + pub_len + priv_len, 0600, &t->e), t->e);
		refused(t, words, all[i].code, all[i].why);
		assert_int_equal(unlink(t->blob), 0);
	}
}

/* ---- a TPM that answers what it likes ---- */

static void each_refusal_is_said_in_a_line(void **state)
{
	static const struct {
		TPM2_CC command;
		TSS2_RC code;
		enum err_code as;
		const char *why;
	} all[] = {
		{ TPM2_CC_CreatePrimary, TPM2_RC_LOCKOUT, ERR_EXHAUSTED,
		  "storage key: it is locked" },
		{ TPM2_CC_CreatePrimary, TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1, ERR_DENIED,
		  "name a persistent storage key" },
		{ TPM2_CC_CreatePrimary, TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, ERR_DENIED,
		  "name a persistent storage key" },
		{ TPM2_CC_CreatePrimary, TPM2_RC_HIERARCHY | TPM2_RC_H | TPM2_RC_1,
		  ERR_PRECONDITION, "switched off" },
		{ TPM2_CC_CreatePrimary, TPM2_RC_FAILURE, ERR_UNAVAILABLE,
		  "TPM: make the owner's" },
		{ TPM2_CC_Load, TPM2_RC_LOCKOUT, ERR_EXHAUSTED, "load the key: it is locked" },
		{ TPM2_CC_Load, TPM2_RC_INTEGRITY | TPM2_RC_P | TPM2_RC_1, ERR_DATA_LOSS,
		  "the file is damaged" },
		{ TPM2_CC_Load, TPM2_RC_OBJECT_MEMORY, ERR_UNAVAILABLE, "TPM: load the key" },
		{ TPM2_CC_StartAuthSession, TPM2_RC_SESSION_MEMORY, ERR_UNAVAILABLE,
		  "TPM: begin a session" },
		{ TPM2_CC_PolicyPCR, TPM2_RC_PCR_CHANGED, ERR_PRECONDITION, "changed just now" },
		{ TPM2_CC_PolicyGetDigest, TPM2_RC_FAILURE, ERR_UNAVAILABLE, "look at the PCRs" },
		{ TPM2_CC_Unseal, TPM2_RC_PCR_CHANGED, ERR_PRECONDITION, "changed just now" },
		{ TPM2_CC_Unseal, TPM2_RC_LOCKOUT, ERR_EXHAUSTED, "open the key: it is locked" },
	};
	const struct secret_key key = key_of(14);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->bound, &key, &t->e), t->e);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		tpm_tap_refuse(all[i].command, all[i].code, 1);
		refused(t, t->bound, all[i].as, all[i].why);
	}
	tpm_tap_begin();
	opens(t, t->bound, &key);
}

/* It is no answer, and nothing more is asked. */
static void half_an_answer_is_refused(void **state)
{
	const struct secret_key key = key_of(17);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	tpm_tap_refuse(TPM2_CC_Unseal, TSS2_RC_SUCCESS, 1);
	refused(t, t->words, ERR_UNAVAILABLE, "TPM: open the key");
}

/* Sealing fails at each of its steps, and leaves no file. */
static void what_fails_leaves_no_file(void **state)
{
	static const TPM2_CC each[] = {
		TPM2_CC_CreatePrimary, TPM2_CC_PCR_Read,        TPM2_CC_StartAuthSession,
		TPM2_CC_PolicyPCR,     TPM2_CC_PolicyGetDigest, TPM2_CC_Create,
		TPM2_CC_Load,          TPM2_CC_Unseal
	};
	const struct secret_key key = key_of(15);
	struct tpm_room *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		for (int from = 1; from <= 2; from++) {
			tpm_tap_refuse(each[i], TPM2_RC_FAILURE, from);
			const int failed = secret_key_write(t->bound, &key, &t->e);

			assert_int_equal(failed == 0, tpm_tap.count < from);
			assert_int_equal(access(t->blob, F_OK) == 0, failed == 0);
			(void)unlink(t->blob);
		}
}

static void a_tpm_that_is_gone_is_said(void **state)
{
	const struct secret_key key = key_of(16);
	struct tpm_room *t = *state;

	assert_ok(secret_key_write(t->words, &key, &t->e), t->e);
	swtpm_stop(&t->tpm);
	refused(t, t->words, ERR_UNAVAILABLE, "TPM: swtpm:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read_strictly),
		ROW(a_key_is_made_and_opened),
		ROW(it_is_opened_again_and_again),
		ROW(the_same_key_goes_there_and_back),
		ROW(a_tpm_that_started_again_opens_it),
		ROW(a_persistent_storage_key_will_do),
		ROW(the_bus_does_not_show_the_key),
		ROW(another_tpm_opens_nothing),
		ROW(a_cleared_tpm_opens_nothing),
		ROW(changed_pcrs_open_nothing),
		ROW(words_and_binding_agree),
		ROW(a_bank_that_is_not_there_is_refused),
		ROW(a_locked_tpm_says_so),
		ROW(each_byte_of_the_file_counts),
		ROW(an_object_of_another_kind_is_refused),
		ROW(each_refusal_is_said_in_a_line),
		ROW(half_an_answer_is_refused),
		ROW(what_fails_leaves_no_file),
		ROW(a_tpm_that_is_gone_is_said),
	};

	setenv("TSS2_LOG", "all+NONE", 1); /* as the program does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
