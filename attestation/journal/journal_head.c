/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/journal_head.h"

#include "attestation/formats/cose.h"
#include "common/base/writer.h"

#include <string.h>

enum { PAYLOAD_MAX = 64 };

/* Its final zero belongs to it. */
static const char link_label[] = "cocos-journal-entry-v1";

int journal_head_add(struct journal_head *head, const uint8_t entry[SHA256_LEN], struct err *e)
{
	struct journal_head next = { .count = head->count + 1 };
	uint8_t count[8];
	const struct digest_part parts[] = { { link_label, sizeof(link_label) },
					     { count, sizeof(count) },
					     { head->digest, SHA256_LEN },
					     { entry, SHA256_LEN } };

	if (head->count >= JOURNAL_ENTRIES_MAX)
		return err_set(e, ERR_EXHAUSTED, "journal: it has %llu entries, and no more",
			       (unsigned long long)JOURNAL_ENTRIES_MAX);
	for (size_t i = 0; i < sizeof(count); i++)
		count[i] = (uint8_t)(next.count >> (56 - 8 * i));
	if (digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), next.digest, e) < 0)
		return err_code(e);
	*head = next;
	return 0;
}

static void put_head(struct writer *w, const struct journal_head *head, bool final)
{
	datum_put_array(w, 3);
	datum_put_bool(w, final);
	datum_put_uint(w, head->count);
	datum_put_bytes(w, head->digest, SHA256_LEN);
}

int journal_head_sign(const struct journal_head *head, bool final, EVP_PKEY *key,
		      struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer payload = writer_up_to(PAYLOAD_MAX);

	put_head(&payload, head, final);
	if (writer_check(&payload, "journal head", e) < 0)
		return err_code(e);
	const struct cose_content content = { .payload = payload.bytes,
					      .payload_len = payload.len,
					      .aad = JOURNAL_HEAD_AAD,
					      .aad_len = strlen(JOURNAL_HEAD_AAD),
					      .content_type = JOURNAL_HEAD_TYPE };
	return cose_sign(&content, key, out, e);
}

static int wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "signed head: %s", what);
}

static int take_payload(const struct cose *message, struct journal_head *head, bool *final,
			struct err *e)
{
	struct datum *root = NULL;

	if (datum_parse(message->payload, message->payload_len, &root, e) < 0)
		return err_wrap(e, "signed head");
	if (root->type != DATUM_ARRAY || root->count != 3 || root->items[0].type != DATUM_BOOL ||
	    root->items[1].type != DATUM_UINT || root->items[2].type != DATUM_BYTES ||
	    root->items[2].len != SHA256_LEN) {
		datum_free(root);
		return wrong(e, "not [final, count, digest]");
	}
	*final = root->items[0].boolean;
	head->count = root->items[1].value;
	memcpy(head->digest, root->items[2].bytes, SHA256_LEN);
	datum_free(root);
	return 0;
}

/* RFC 9052 leaves room in the headers: what is signed here has one form. */
static int check_headers(const struct cose *message, struct err *e)
{
	const struct datum *type = datum_get(message->headers, COSE_HEADER_CONTENT_TYPE);

	if (message->algorithm != COSE_ES256 || message->headers->count != 2 ||
	    !datum_is_text(type, JOURNAL_HEAD_TYPE) || message->unprotected->count != 0)
		return wrong(e, "not ES256 with the content type of a journal's head alone");
	return 0;
}

/* `key` NULL: whoever signed it. */
static int take_message(struct span message, EVP_PKEY *key, struct journal_head *head, bool *final,
			struct err *e)
{
	struct cose cose = { 0 };
	struct journal_head found = { 0 };
	bool is_final = false;

	if (message.len > JOURNAL_SIGNED_MAX)
		return wrong(e, "longer than any");
	if (cose_parse(message.bytes, message.len, NULL, 0, &cose, e) < 0)
		return err_wrap(e, "signed head");
	int failed = check_headers(&cose, e);
	if (!failed && key)
		failed = cose_verify(&cose, key, JOURNAL_HEAD_AAD, strlen(JOURNAL_HEAD_AAD), e);
	if (!failed)
		failed = take_payload(&cose, &found, &is_final, e);
	cose_done(&cose);
	if (failed)
		return failed;
	*head = found;
	*final = is_final;
	return 0;
}

int journal_head_verify(struct span message, EVP_PKEY *key, struct journal_head *head, bool *final,
			struct err *e)
{
	if (!key)
		return err_set(e, ERR_INTERNAL, "signed head: no key to verify it with");
	return take_message(message, key, head, final, e);
}

int journal_head_read(struct span message, struct journal_head *head, bool *final, struct err *e)
{
	return take_message(message, NULL, head, final, e);
}
