/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/statement.h"

#include "attestation/token/run_statement.h"
#include "common/base/settings.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/manifest/bootconfig.h"

#include <stdlib.h>
#include <string.h>

/* Keys whose values nobody may read from a statement. */
static const char *const secrets[] = { "AGENT_CERTS_TOKEN", "AWS_ACCESS_KEY_ID",
				       "AWS_SECRET_ACCESS_KEY" };

static bool is_secret(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (strcmp(secrets[i], key) == 0)
			return true;
	return false;
}

static int salt(struct run_entry *entry, const char *value, struct err *e)
{
	const struct digest_part parts[] = { { entry->salt, sizeof(entry->salt) },
					     { value, strlen(value) } };

	if (random_bytes(entry->salt, sizeof(entry->salt), e) < 0)
		return err_code(e);
	return digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), entry->digest, e);
}

/* An empty value is an absent one, as everywhere. */
static int add_entries(const struct keyfile *file, struct run_statement *s, struct err *e)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct keyfile_entry *from = &file->entries[i];
		struct run_entry *entry = &s->entries[s->entry_count];

		if (!from->value[0])
			continue;
		if (s->entry_count == RUN_ENTRIES_MAX)
			return err_set(e, ERR_EXHAUSTED,
				       "the boot configuration has more than %d entries",
				       RUN_ENTRIES_MAX);
		entry->key = from->key;
		if (!is_secret(from->key))
			entry->value = from->value;
		else if (salt(entry, from->value, e) < 0)
			return err_code(e);
		s->entry_count++;
	}
	return 0;
}

static void add_words(const struct config *config, struct run_statement *s)
{
	if (config->options.development)
		s->weak[s->weak_count++] = STATEMENT_DEVELOPMENT_WORD;
	else if (config->role_signature)
		s->weak[s->weak_count++] = CONFIG_ROLE_SIGNATURE_WORD;
}

static int add_digests(const struct statement_input *in, struct run_statement *s, struct err *e)
{
	struct bootconfig_digests boot;
	CLEANUP(free) char *config = NULL;
	size_t len = 0;

	if (bootconfig_digest(&in->config->boot, &boot, e) < 0 ||
	    agent_config_canonical(&in->computation->listener, &config, &len, e) < 0 ||
	    digest(DIGEST_SHA3_256, config, len, s->agent_config, e) < 0)
		return err_code(e);
	memcpy(s->boot, boot.sha3_256, sizeof(s->boot));
	memcpy(s->manifest, in->computation->digests.sha3_256, sizeof(s->manifest));
	return 0;
}

static int make(const struct statement_input *in, struct run_statement *s, struct writer *w,
		struct err *e)
{
	const uint8_t *environment = in->config->boot.files[BOOTCONFIG_ENVIRONMENT].bytes;
	size_t len = in->config->boot.files[BOOTCONFIG_ENVIRONMENT].len;
	struct keyfile file = { 0 };
	int failed = keyfile_parse(environment, len, &file, e);

	s->computation = in->computation->manifest->id;
	s->identity = in->identity->spki;
	s->identity_len = in->identity->spki_len;
	s->external = in->identity->external;
	s->journal = in->journal.len ? in->journal.bytes : NULL;
	s->journal_len = in->journal.len;
	s->fixed = in->fixed;
	if (!failed)
		failed = add_entries(&file, s, e);
	add_words(in->config, s);
	if (!failed)
		failed = add_digests(in, s, e);
	if (!failed)
		failed = run_statement_write(s, w, e);
	keyfile_done(&file);
	return failed;
}

int statement_make(const struct statement_input *input, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(free) struct run_statement *s = calloc(1, sizeof(*s));
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);

	if (!s)
		return err_nomem(e);
	if (make(input, s, &w, e) < 0)
		return err_wrap(e, "run statement");
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}
