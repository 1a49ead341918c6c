/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/witness_client.h"

#include "attestation/journal/journal_check.h"
#include "cli/client/computation_client.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

void witness_seen_done(struct witness_seen *seen)
{
	witness_kept_done(&seen->kept);
	if (seen->response)
		computations__witness_response__free_unpacked(seen->response, NULL);
	EVP_PKEY_free(seen->key);
	*seen = (struct witness_seen){ .address = NULL };
}

static struct span span_of(const ProtobufCBinaryData *data)
{
	return (struct span){ data->data, data->len };
}

static int check_wanted(const struct client *client, const struct witness_seen *seen, struct err *e)
{
	const char *path = cli_value(client->cli, "witness-key");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *wanted = NULL;
	CLEANUP(free) char *pem = NULL;

	if (!path)
		return 0;
	if (file_read_text(path, PEM_MAX, &pem, e) < 0 ||
	    key_from_public_pem(pem, strlen(pem), &wanted, e) < 0)
		return err_wrap(e, "--witness-key");
	return EVP_PKEY_eq(wanted, seen->key) == 1
		       ? 0
		       : err_set(e, ERR_DENIED, "refused: the log's key is not that of '%s'", path);
}

static int check_key(const struct client *client, struct witness_seen *seen, struct err *e)
{
	struct span key = span_of(&seen->response->key);

	if (key_from_spki(key.bytes, key.len, &seen->key, e) < 0)
		return err_wrap(e, "the log's key");
	if (seen->kept.bytes && !span_equal(key, seen->kept.key))
		return err_set(e, ERR_DENIED,
			       "refused: the log's key is another than the one that it had ('%s')",
			       seen->kept.path);
	return check_wanted(client, seen, e);
}

static int check_head(struct witness_seen *seen, struct err *e)
{
	const Computations__WitnessResponse *r = seen->response;
	struct merkle_path path = { .count = r->n_consistency };

	if (r->n_consistency > MERKLE_PATH_MAX)
		return err_set(e, ERR_DENIED, "refused: a proof of %zu hashes; at most %d",
			       r->n_consistency, MERKLE_PATH_MAX);
	for (size_t i = 0; i < path.count; i++) {
		if (r->consistency[i].len != SHA256_LEN)
			return err_set(e, ERR_DENIED, "refused: a proof with a hash of %zu bytes",
				       r->consistency[i].len);
		memcpy(path.hashes[i], r->consistency[i].data, SHA256_LEN);
	}
	if (witness_head_verify(span_of(&r->signed_head), seen->key, &seen->head, e) < 0)
		return err_code(e);
	if (seen->kept.bytes && witness_head_follows(&seen->kept.head, &seen->head, &path, e) < 0)
		return err_wrap(e, "refused");
	return 0;
}

/* What was seen of that run before is still so. */
static int check_before(const struct witness_seen *seen, struct err *e)
{
	const struct witness_leaf *now = &seen->proof.leaf;
	const struct witness_leaf *before =
		witness_kept_leaf(&seen->kept, now->computation, now->run);

	if (!before)
		return 0;
	if (now->head.count < before->head.count)
		return err_set(e, ERR_DENIED,
			       "refused: run %" PRIu64 " of the computation had %" PRIu64
			       " entries in the log and is shown with %" PRIu64,
			       now->run, before->head.count, now->head.count);
	if (now->head.count == before->head.count &&
	    memcmp(now->head.digest, before->head.digest, SHA256_LEN) != 0)
		return err_set(e, ERR_DENIED,
			       "refused: forked: entry %" PRIu64 " of run %" PRIu64
			       " had another digest in the log",
			       now->head.count, now->run);
	return 0;
}

static int check_proof(struct witness_seen *seen, const char *id, uint64_t run, struct err *e)
{
	struct span bytes = span_of(&seen->response->proof);
	struct span signed_head = span_of(&seen->response->signed_head);
	struct span wanted = { (const uint8_t *)id, strlen(id) };
	struct witness_head head;

	if (witness_proof_parse(bytes, &seen->proof, e) < 0 ||
	    witness_proof_verify(&seen->proof, seen->key, &head, e) < 0)
		return err_code(e);
	if (!span_equal(seen->proof.signed_head, signed_head))
		return err_set(e, ERR_DENIED, "refused: a proof under another head of the log");
	if (!span_equal(seen->proof.leaf.computation, wanted) ||
	    (run && seen->proof.leaf.run != run))
		return err_set(
			e, ERR_DENIED,
			"refused: the proof of another computation's head, or of another run");
	return check_before(seen, e);
}

static enum cli_exit take_answer(struct client *client, const char *id, uint64_t run,
				 struct witness_seen *seen, struct err *e)
{
	if (check_key(client, seen, e) < 0)
		return e->code == ERR_DENIED ? CLI_NOT_GENUINE : CLI_USAGE;
	if (check_head(seen, e) < 0)
		return CLI_NOT_GENUINE;
	if (!id)
		return CLI_OK;
	if (!seen->response->proof.len) {
		err_set(e, ERR_NOT_FOUND, "the service's log has no head of %s%s",
			log_quote(id).text, run ? " in that run" : "");
		return CLI_FAILED;
	}
	seen->has_proof = true;
	return check_proof(seen, id, run, e) < 0 ? CLI_NOT_GENUINE : CLI_OK;
}

enum cli_exit witness_ask(struct client *client, const char *id, uint64_t run,
			  struct witness_seen *seen, struct err *e)
{
	Computations__WitnessRequest request = COMPUTATIONS__WITNESS_REQUEST__INIT;
	const char *address = client_setting(client, "grpc-url", "URL");
	ProtobufCMessage *response;

	*seen = (struct witness_seen){ .address = address ? address : "" };
	if (witness_kept_read(seen->address, &seen->kept, e) < 0)
		return CLI_USAGE;
	request.id = (char *)(uintptr_t)(id ? id : "");
	request.run = run;
	request.size = seen->kept.head.size;
	if (client_call(client, &computation_witness, &request.base, &response, e) < 0) {
		if (e->code != ERR_UNIMPLEMENTED || !seen->kept.bytes)
			return CLI_FAILED;
		err_set(e, ERR_DATA_LOSS,
			"refused: the service had a log of heads, and now has none ('%s')",
			seen->kept.path);
		return CLI_NOT_GENUINE;
	}
	seen->response = (Computations__WitnessResponse *)response;
	return take_answer(client, id, run, seen, e);
}

enum cli_exit witness_compare(const struct witness_leaf *leaf, struct span file,
			      const struct journal_head *head, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (leaf->head.count > head->count) {
		err_set(e, ERR_DENIED,
			"refused: the journal has %" PRIu64 " entries, and the log says %" PRIu64,
			head->count, leaf->head.count);
		return CLI_NOT_GENUINE;
	}
	if (journal_check_digest_at(file, head, leaf->head.count, digest, e) < 0)
		return CLI_MALFORMED;
	if (memcmp(digest, leaf->head.digest, SHA256_LEN) == 0)
		return CLI_OK;
	err_set(e, ERR_DENIED,
		"refused: another history: the log has another digest of entry %" PRIu64
		" of run %" PRIu64,
		leaf->head.count, leaf->run);
	return CLI_NOT_GENUINE;
}

int witness_keep(const struct witness_seen *seen, struct err *e)
{
	const Computations__WitnessResponse *r = seen->response;

	return witness_kept_write(seen->address, span_of(&r->key), span_of(&r->signed_head),
				  &seen->head, seen->has_proof ? &seen->proof.leaf : NULL, e);
}
