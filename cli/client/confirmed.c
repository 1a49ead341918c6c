/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/confirmed.h"

#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "cli/client/witness_client.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>

void confirmed_done(struct confirmed *seen)
{
	if (seen->list)
		people__confirmations__free_unpacked(seen->list, NULL);
	manifest_free(seen->manifest);
	free(seen->rows);
	*seen = (struct confirmed){ .list = NULL };
}

/* ---- judging ---- */

const ProtobufCBinaryData *confirmed_key(const struct confirmed *seen,
					 const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	uint8_t found[KEY_FINGERPRINT_LEN];
	const ProtobufCBinaryData *key;
	struct err ignored;

	for (size_t i = 0; (key = manifest_key_at(seen->manifest, i)) != NULL; i++)
		if (key_fingerprint(key->data, key->len, found, &ignored) == 0 &&
		    memcmp(found, fingerprint, sizeof(found)) == 0)
			return key;
	return NULL;
}

/* By what the manifest says, whatever the service says of it. */
static bool is_stale(const struct confirmed *seen, const People__Confirmation *c)
{
	return c->revision != seen->list->revision ||
	       c->manifest_digest.len != sizeof(seen->digest) ||
	       memcmp(c->manifest_digest.data, seen->digest, sizeof(seen->digest)) != 0;
}

static int verify(const struct confirmed *seen, const People__Confirmation *c, struct err *e)
{
	struct confirmation said = { .user = c->user,
				     .computation = seen->id,
				     .revision = c->revision };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const ProtobufCBinaryData *named;

	if (c->key.len != sizeof(said.key) || !(named = confirmed_key(seen, c->key.data)))
		return err_set(e, ERR_DENIED, "the manifest does not name the key that signed it");
	memcpy(said.service, seen->service, sizeof(said.service));
	memcpy(said.key, c->key.data, sizeof(said.key));
	memcpy(said.digest, seen->digest, sizeof(said.digest));
	if (key_from_spki(named->data, named->len, &key, e) < 0)
		return err_code(e);
	return confirmation_verify(&said, key, c->signature.data, c->signature.len, e);
}

static void judge(const struct confirmed *seen, const People__Confirmation *c,
		  struct confirmed_row *row)
{
	if (is_stale(seen, c)) {
		err_set(&row->why, ERR_PRECONDITION, "stale: the manifest has changed since");
		row->verdict = CONFIRMED_STALE;
	} else if (verify(seen, c, &row->why) < 0) {
		row->verdict = CONFIRMED_WRONG;
	} else if (c->retired) { /* the service's word, by which one counts less, and none more */
		err_set(&row->why, ERR_PRECONDITION,
			"by a key that was retired since: it does not count");
		row->verdict = CONFIRMED_RETIRED;
	}
}

/* Once: whether an RSA key's numbers are sound takes its time. */
static int judge_all(struct confirmed *seen, struct err *e)
{
	seen->rows = calloc(seen->list->n_confirmations + 1, sizeof(*seen->rows));
	if (!seen->rows)
		return err_nomem(e);
	for (size_t i = 0; i < seen->list->n_confirmations; i++)
		judge(seen, seen->list->confirmations[i], &seen->rows[i]);
	return 0;
}

/* ---- asking ---- */

static enum cli_exit ask_list(struct client *client, struct confirmed *seen, struct err *e)
{
	People__RolesRequest request = PEOPLE__ROLES_REQUEST__INIT;
	ProtobufCMessage *response;

	request.computation_id = (char *)(uintptr_t)seen->id;
	if (client_call(client, &people_list_confirmations, &request.base, &response, e) < 0) {
		if (e->code == ERR_UNIMPLEMENTED)
			return CLI_OK;
		computation_hint(client, e);
		return CLI_FAILED;
	}
	seen->list = (People__Confirmations *)response;
	return CLI_OK;
}

static enum cli_exit ask_manifest(struct client *client, struct confirmed *seen, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	Computations__ManifestResponse *manifest;
	struct manifest_digests digests;
	ProtobufCMessage *response;

	request.id = (char *)(uintptr_t)seen->id;
	if (client_call(client, &computation_manifest, &request.base, &response, e) < 0) {
		computation_hint(client, e);
		return CLI_FAILED;
	}
	manifest = (Computations__ManifestResponse *)response;
	seen->manifest = TAKE_PTR(manifest->manifest);
	protobuf_c_message_free_unpacked(response, NULL);
	if (!seen->manifest) {
		err_set(e, ERR_INTERNAL, "the service sent no manifest");
		return CLI_FAILED;
	}
	if (manifest_digest(seen->manifest, &digests, e) < 0)
		return CLI_FAILED;
	memcpy(seen->digest, digests.sha3_256, sizeof(seen->digest));
	return CLI_OK;
}

/* Between the calls it may have changed; then the digest is another, too. */
static enum cli_exit check_digest(const struct confirmed *seen, struct err *e)
{
	const ProtobufCBinaryData *said = &seen->list->manifest_digest;

	if (strcmp(seen->manifest->id, seen->id) == 0 && said->len == sizeof(seen->digest) &&
	    memcmp(said->data, seen->digest, said->len) == 0)
		return CLI_OK;
	err_set(e, ERR_DENIED,
		"refused: the manifest that the service shows is not the one whose digest it "
		"tells: call again, it may just have changed");
	return CLI_NOT_GENUINE;
}

static enum cli_exit ask_rest(struct client *client, struct confirmed *seen, struct err *e)
{
	enum cli_exit status = ask_manifest(client, seen, e);

	if (status == CLI_OK)
		status = check_digest(seen, e);
	if (status == CLI_OK)
		status = witness_know(client, seen->service, e);
	return status == CLI_OK && judge_all(seen, e) < 0 ? CLI_FAILED : status;
}

enum cli_exit confirmed_look(struct client *client, const char *id, struct confirmed *seen,
			     struct err *e)
{
	enum cli_exit status;

	seen->id = id;
	status = ask_list(client, seen, e);
	if (status != CLI_OK || !seen->list || !seen->list->n_confirmations)
		return status;
	return ask_rest(client, seen, e);
}

enum cli_exit confirmed_look_whole(struct client *client, const char *id, struct confirmed *seen,
				   struct err *e)
{
	enum cli_exit status;

	seen->id = id;
	status = ask_list(client, seen, e);
	if (status != CLI_OK)
		return status;
	if (!seen->list) {
		err_set(e, ERR_UNIMPLEMENTED, "this service keeps no confirmations");
		return CLI_FAILED;
	}
	return ask_rest(client, seen, e);
}

static size_t count_of(const struct confirmed *seen)
{
	return seen->list ? seen->list->n_confirmations : 0;
}

enum cli_exit confirmed_judge(const struct confirmed *seen, struct err *e)
{
	for (size_t i = 0; i < count_of(seen); i++) {
		const People__Confirmation *c = seen->list->confirmations[i];

		if (seen->rows[i].verdict != CONFIRMED_WRONG)
			continue;
		err_set(e, ERR_DENIED,
			"refused: the confirmation of user %s is none: %s: compare digests with "
			"that person, and not by this service",
			log_quote(c->user).text, seen->rows[i].why.text);
		return CLI_NOT_GENUINE;
	}
	return CLI_OK;
}

/* ---- telling ---- */

static void put_hex(char hex[2 * KEY_FINGERPRINT_LEN + 1], const ProtobufCBinaryData *bytes)
{
	snprintf(hex, 2 * KEY_FINGERPRINT_LEN + 1, "?");
	if (bytes->len == KEY_FINGERPRINT_LEN)
		hex_encode(bytes->data, bytes->len, hex);
}

void confirmed_print(FILE *out, const struct confirmed *seen)
{
	for (size_t i = 0; i < count_of(seen); i++) {
		const People__Confirmation *c = seen->list->confirmations[i];
		char time[COMPUTATION_TIME_MAX], hex[2 * KEY_FINGERPRINT_LEN + 1];
		const struct confirmed_row *row = &seen->rows[i];

		computation_time(c->confirmed, time);
		put_hex(hex, &c->key);
		fprintf(out, "confirmed    by %s at %s: ", text_plain(c->user).text, time);
		if (row->verdict == CONFIRMED_VERIFIED)
			fprintf(out, "verified here, key %s\n", hex);
		else
			fprintf(out, "%s%s\n", row->verdict == CONFIRMED_WRONG ? "NOT SO: " : "",
				row->why.text);
	}
}

void confirmed_to_json(struct json_out *out, const struct confirmed *seen)
{
	static const char *const words[] = { [CONFIRMED_VERIFIED] = "verified here",
					     [CONFIRMED_STALE] = "stale",
					     [CONFIRMED_RETIRED] = "retired",
					     [CONFIRMED_WRONG] = "wrong" };

	json_out_list(out, "confirmations");
	for (size_t i = 0; i < count_of(seen); i++) {
		const People__Confirmation *c = seen->list->confirmations[i];
		const struct confirmed_row *row = &seen->rows[i];

		json_out_object(out, NULL);
		json_out_text(out, "user", c->user);
		json_out_hex(out, "key", c->key.data, c->key.len);
		json_out_hex(out, "manifest_digest", c->manifest_digest.data,
			     c->manifest_digest.len);
		json_out_number(out, "revision", c->revision);
		computation_time_to_json(out, "confirmed", c->confirmed);
		json_out_text(out, "verdict", words[row->verdict]);
		if (row->verdict != CONFIRMED_VERIFIED)
			json_out_text(out, "reason", row->why.text);
		json_out_end(out);
	}
	json_out_end(out);
}
