/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/witness_client.h"

#include "attestation/journal/journal_check.h"
#include "cli/client/computation_client.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

enum { AGREE_TRIES = 8 };

void witness_seen_done(struct witness_seen *seen)
{
	witness_kept_done(&seen->kept);
	if (seen->response)
		computations__witness_response__free_unpacked(seen->response, NULL);
	if (seen->later)
		computations__witness_response__free_unpacked(seen->later, NULL);
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
		return err_wrap(e, "--witness-key '%s'", path);
	return EVP_PKEY_eq(wanted, seen->key) == 1
		       ? 0
		       : err_set(e, ERR_DENIED, "refused: the log's key is not that of '%s'", path);
}

static enum cli_exit check_key(const struct client *client, struct witness_seen *seen,
			       struct err *e)
{
	struct span key = span_of(&seen->response->key);

	if (seen->kept.bytes && !span_equal(key, seen->kept.key)) {
		err_set(e, ERR_DENIED,
			"refused: the log's key is another than the one that it had ('%s')",
			seen->kept.path);
		return CLI_NOT_GENUINE;
	}
	if (key_from_spki(key.bytes, key.len, &seen->key, e) < 0) {
		err_wrap(e, "refused: the log's key, as the service shows it");
		return CLI_MALFORMED;
	}
	if (check_wanted(client, seen, e) == 0)
		return CLI_OK;
	return e->code == ERR_DENIED ? CLI_NOT_GENUINE : CLI_USAGE;
}

/* The head that it shows, signed with that key; it goes on from `before`, unless that is NULL. */
static int check_head(const Computations__WitnessResponse *r, EVP_PKEY *key,
		      const struct witness_head *before, struct witness_head *now, struct err *e)
{
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
	if (witness_head_verify(span_of(&r->signed_head), key, now, e) < 0)
		return err_code(e);
	if (before && witness_head_follows(before, now, &path, e) < 0)
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

/* Runs only get more: what is shown as the newest is none before one that was seen. */
static int check_newest(const struct witness_seen *seen, struct err *e)
{
	const struct witness_leaf *now = &seen->proof.leaf;

	for (size_t i = 0; i < seen->kept.count; i++) {
		const struct witness_leaf *before = &seen->kept.leaves[i];

		if (before->run > now->run && span_equal(before->computation, now->computation))
			return err_set(e, ERR_DENIED,
				       "refused: run %" PRIu64
				       " of the computation was in the log, and run %" PRIu64
				       " is shown as the newest",
				       before->run, now->run);
	}
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
	if (!run && check_newest(seen, e) < 0)
		return err_code(e);
	return check_before(seen, e);
}

/* A head of that computation, in that run or (0) in any. */
static bool was_seen(const struct witness_kept *kept, const char *id, uint64_t run)
{
	struct span wanted = { (const uint8_t *)id, strlen(id) };

	for (size_t i = 0; i < kept->count; i++)
		if (span_equal(kept->leaves[i].computation, wanted) &&
		    (!run || kept->leaves[i].run == run))
			return true;
	return false;
}

static enum cli_exit take_answer(struct client *client, const char *id, uint64_t run,
				 struct witness_seen *seen, struct err *e)
{
	enum cli_exit status = check_key(client, seen, e);

	if (status != CLI_OK)
		return status;
	if (check_head(seen->response, seen->key, seen->kept.bytes ? &seen->kept.head : NULL,
		       &seen->head, e) < 0)
		return CLI_NOT_GENUINE;
	if (!id)
		return CLI_OK;
	if (!seen->response->proof.len && was_seen(&seen->kept, id, run)) {
		err_set(e, ERR_DENIED,
			"refused: the log had a head of %s, and the service shows none of it",
			log_quote(id).text);
		return CLI_NOT_GENUINE;
	}
	if (!seen->response->proof.len) {
		err_set(e, ERR_NOT_FOUND, "the service's log has no head of %s%s",
			log_quote(id).text, run ? " in that run" : "");
		return CLI_FAILED;
	}
	seen->has_proof = true;
	seen->proof_size = seen->head.size;
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

int witness_is_kept(const struct client *client, bool *kept, struct err *e)
{
	CLEANUP(free) struct witness_kept *read = malloc(sizeof(*read));
	const char *address = client_setting(client, "grpc-url", "URL");

	*kept = false;
	if (!read)
		return err_nomem(e);
	if (!witness_kept_has_place())
		return 0;
	int failed = witness_kept_read(address ? address : "", read, e);
	*kept = !failed && read->bytes;
	witness_kept_done(read);
	return failed;
}

/* ---- keeping what was seen ---- */

/* One more head, which goes on from `before`. */
static enum cli_exit ask_later(struct client *client, struct witness_seen *seen,
			       const struct witness_head *before, struct witness_head *now,
			       struct err *e)
{
	Computations__WitnessRequest request = COMPUTATIONS__WITNESS_REQUEST__INIT;
	ProtobufCMessage *response;

	request.size = before->size;
	if (client_call(client, &computation_witness, &request.base, &response, e) < 0)
		return CLI_FAILED;
	if (seen->later)
		computations__witness_response__free_unpacked(seen->later, NULL);
	seen->later = (Computations__WitnessResponse *)response;
	return check_head(seen->later, seen->key, before, now, e) < 0 ? CLI_NOT_GENUINE : CLI_OK;
}

/* Another call kept another head meanwhile: this log's, if one head goes on from both. They are asked for one by
 * one, and the log may grow between the two. */
static enum cli_exit agree(struct client *client, struct witness_seen *seen, struct err *e)
{
	struct witness_head other, own;
	enum cli_exit status;

	witness_kept_done(&seen->kept);
	if (witness_kept_read(seen->address, &seen->kept, e) < 0)
		return CLI_USAGE;
	for (int i = 0; i < AGREE_TRIES; i++) {
		status = ask_later(client, seen, &seen->kept.head, &other, e);
		if (status == CLI_OK)
			status = ask_later(client, seen, &seen->head, &own, e);
		if (status != CLI_OK)
			return status;
		if (own.size != other.size)
			continue;
		seen->head = own;
		if (memcmp(own.root, other.root, SHA256_LEN) == 0)
			return CLI_OK;
		err_set(e, ERR_DATA_LOSS,
			"refused: the log of heads was forked: another call was shown another one "
			"meanwhile ('%s')",
			seen->kept.path);
		return CLI_NOT_GENUINE;
	}
	err_set(e, ERR_UNAVAILABLE, "the log of heads grows with each question: call again");
	return CLI_FAILED;
}

enum cli_exit witness_keep(struct client *client, struct witness_seen *seen, struct err *e)
{
	for (int i = 0; i < AGREE_TRIES; i++) {
		const Computations__WitnessResponse *r = seen->later ? seen->later : seen->response;
		const struct witness_shown shown = {
			.key = span_of(&seen->response->key),
			.signed_head = span_of(&r->signed_head),
			.head = &seen->head,
			.leaf = seen->has_proof ? &seen->proof.leaf : NULL,
			.compared = seen->compared,
		};
		int outcome = witness_kept_write(seen->address, &seen->kept, &shown, e);

		if (outcome < 0)
			return e->code == ERR_DATA_LOSS ? CLI_NOT_GENUINE : CLI_FAILED;
		if (!outcome)
			return CLI_OK;
		enum cli_exit status = agree(client, seen, e);
		if (status != CLI_OK)
			return status;
	}
	err_set(e, ERR_UNAVAILABLE,
		"others keep what they see of the log all the time: call again");
	return CLI_FAILED;
}

enum cli_exit witness_know(struct client *client, uint8_t service[KEY_FINGERPRINT_LEN],
			   struct err *e)
{
	CLEANUP(free) struct witness_seen *seen = calloc(1, sizeof(*seen));
	enum cli_exit status;

	if (!seen) {
		err_nomem(e);
		return CLI_FAILED;
	}
	status = witness_ask(client, NULL, 0, seen, e);
	if (status == CLI_OK)
		status = witness_keep(client, seen, e);
	if (status == CLI_OK &&
	    key_fingerprint(seen->response->key.data, seen->response->key.len, service, e) < 0)
		status = CLI_FAILED;
	witness_seen_done(seen);
	return status;
}
