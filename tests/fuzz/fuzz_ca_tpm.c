/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority's key in a TPM: what an operator writes of it, the file with it, and what the TPM answers. Input: a byte
 * that says how (ca_tpm_script.h); then the words; or the file, length (2) bytes, and the answers (tpm_played.h).
 *
 * A key that is taken is one of ECDSA; what is taken for a signature has its form. Whether it is one is judged by whoever
 * asked for it (ca_signer.c).
 */
#include "tests/fuzz/ca_tpm_script.h"
#include "tests/fuzz/tpm_chance.h"
#include "tests/fuzz/tpm_played.h"

#include <stdlib.h>
#include <openssl/ecdsa.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char folder[] = "/dev/shm/fuzz-ca-tpm-XXXXXX";
static bool is_ready;

static void remove_folder(void)
{
	struct err ignored;

	(void)!dir_remove(folder, &ignored);
}

static void prepare(void)
{
	setenv("TSS2_LOG", "all+none", 1); /* read once, at its first line */
	assert(mkdtemp(folder) && atexit(remove_folder) == 0);
	is_ready = true;
}

/* What is taken is one place, with no more than one of each option. */
static void read_words(struct reader *r)
{
	CLEANUP(ca_tpm_free) struct ca_tpm *t = NULL;
	char words[CA_SIGNER_WHERE_MAX + 8] = "tpm:";
	size_t len = reader_left(r);
	struct err e;

	if (len > CA_SIGNER_WHERE_MAX)
		return;
	reader_copy(r, words + 4, len);
	if (ca_tpm_new(words, &t, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	assert(!t->handle == !!t->path);
	assert(t->path ? t->path[0] == '/' && t->path[1]
		       : t->handle >= 0x81000000 && t->handle <= 0x817fffff);
	assert(!t->auth_path || t->auth_path[0] == '/');
	assert(!t->link.tcti_words || (*t->link.tcti_words && !strchr(t->link.tcti_words, '&')));
	assert(t->key == ESYS_TR_NONE && !t->link.esys && !t->link.tcti);
}

static void check_signature(const struct ca_tpm_said *said)
{
	const uint8_t *at = said->sig;
	ECDSA_SIG *pair;

	assert(said->len && said->len <= CA_SIGNATURE_MAX);
	pair = d2i_ECDSA_SIG(NULL, &at, (long)said->len);
	assert(pair && at == said->sig + said->len);
	ECDSA_SIG_free(pair);
}

static void ask(uint8_t how, struct reader *r)
{
	struct span blob = span_take(r, reader_be16(r));
	struct ca_tpm_said said = { .len = 0 };
	char words[CA_SIGNER_WHERE_MAX];
	struct err e = { .text = "" };
	int failed;

	if (!reader_ok(r))
		return;
	assert(ca_tpm_script_words(how, folder, blob, "played", words, &e) == 0);
	tpm_answers = *r;
	tpm_chance_none();
	failed = ca_tpm_script_run(how, words, &said, &e);
	assert(said.is_open && (!failed || *e.text));
	if (said.is_made)
		assert(key_kind_of(said.public) == KEY_ECDSA);
	else
		assert(failed && !said.public && !said.is_new);
	if (said.is_signed)
		check_signature(&said);
	EVP_PKEY_free(said.public);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t how = reader_u8(&r);

	if (!is_ready)
		prepare();
	if (!reader_ok(&r))
		return 0;
	if (how & CA_TPM_WORDS)
		read_words(&r);
	else
		ask(how, &r);
	return 0;
}
