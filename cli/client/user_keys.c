/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/user_keys.h"

#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest_names.h"

#include <string.h>

/* The service's word, which whoever takes part compares. */
static int take_answer(const People__UserKey *answer, const char *name, uint8_t **spki, size_t *len,
		       struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char hex[2 * KEY_FINGERPRINT_LEN + 1];

	if (key_from_spki(answer->key.data, answer->key.len, &key, e) < 0 ||
	    key_fingerprint(answer->key.data, answer->key.len, fingerprint, e) < 0)
		return err_wrap(e, "the key of user %s, as the service has it",
				text_plain(name).text);
	if (key_to_spki(key, spki, len, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	fprintf(stderr,
		"note: user:%s is key %s%s, by the service's word: compare it with theirs\n",
		text_plain(name).text, hex,
		*answer->computation_id ? " (of this computation)" : "");
	return 0;
}

static int ask(struct client *client, const char *name, const char *computation, uint8_t **spki,
	       size_t *len, struct err *e)
{
	People__FindKeyRequest request = PEOPLE__FIND_KEY_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed;

	request.name = (char *)(uintptr_t)name;
	request.computation_id = (char *)(uintptr_t)computation;
	if (client_call(client, &people_find_key, &request.base, &response, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(
				client->cli,
				"'cocos-cli workspace member list WORKSPACE' shows who is there; a key's PEM file in "
				"place of user:NAME works for everybody");
		computation_hint(client, e);
		/* With a hint it is the service that refused, and not a manifest that can't be read. */
		if (!client->cli->hint[0])
			cli_hint(client->cli, "the service was asked for the key of user:NAME");
		return err_code(e);
	}
	failed = take_answer((const People__UserKey *)response, name, spki, len, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

int user_keys_get(struct cli *cli, const char *name, uint8_t **spki, size_t *len, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	return ask(&client, name, "", spki, len, e);
}

int user_keys_owners(struct cli *cli, const char *computation, People__KeyOwners **owners,
		     struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	People__RolesRequest request = PEOPLE__ROLES_REQUEST__INIT;
	ProtobufCMessage *response;

	*owners = NULL;
	request.computation_id = (char *)(uintptr_t)computation;
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	if (client_call(&client, &people_list_key_owners, &request.base, &response, e) < 0) {
		if (e->code == ERR_UNIMPLEMENTED)
			return 0;
		computation_hint(&client, e);
		return err_code(e);
	}
	*owners = (People__KeyOwners *)response;
	return 0;
}

/* The service's word as well. */
static int take_asset(const People__Asset *a, const char *name, const char *type,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1];

	if (strcmp(a->type, type) != 0)
		return err_set(e, ERR_INVALID, "asset %s is of type %s, and not a%s %s",
			       log_quote(name).text, log_quote(a->type).text,
			       *type == 'a' ? "n" : "", type);
	if (a->digest.len != MANIFEST_HASH_LEN)
		return err_set(e, ERR_INTERNAL, "the service sent a digest of %zu bytes",
			       a->digest.len);
	memcpy(digest, a->digest.data, MANIFEST_HASH_LEN);
	hex_encode(digest, MANIFEST_HASH_LEN, hex);
	fprintf(stderr,
		"note: asset:%s is %s, by the service's word: compare it with its owner's\n",
		text_plain(name).text, hex);
	return 0;
}

/* A connection, from when the first name is found. */
struct asking {
	struct cli *cli;
	const char *computation; /* "": a new one, for which nobody has a key of its own */
	struct client client;
	bool is_open;
};

static int open_once(struct asking *a, struct err *e)
{
	if (!a->is_open && client_open(&a->client, CLIENT_COMPUTATIONS, NULL, a->cli, e) < 0)
		return err_code(e);
	a->is_open = true;
	return 0;
}

static int ask_key(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	struct asking *a = data;

	return open_once(a, e) < 0 ? err_code(e)
				   : ask(&a->client, user, a->computation, spki, len, e);
}

static int ask_digest(void *data, const char *name, const char *type,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	struct asking *a = data;
	const char *workspace = cli_value(a->cli, "workspace");
	People__AssetRequest request = PEOPLE__ASSET_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed;

	request.workspace = (char *)(uintptr_t)(workspace ? workspace : "");
	request.name = (char *)(uintptr_t)name;
	if (open_once(a, e) < 0)
		return err_code(e);
	if (client_call(&a->client, &people_show_asset, &request.base, &response, e) < 0) {
		computation_hint(&a->client, e);
		if (!a->cli->hint[0])
			cli_hint(a->cli, "the service was asked for the digest of asset:NAME");
		return err_code(e);
	}
	failed = take_asset((const People__Asset *)response, name, type, digest, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

int user_keys_fill(struct cli *cli, const char *computation, uint8_t **text, size_t *len,
		   struct err *e)
{
	struct asking asking = { .cli = cli, .computation = computation };
	const struct manifest_names names = { ask_key, ask_digest, &asking };
	uint8_t *filled;
	size_t filled_len;
	int failed = manifest_names_fill(*text, *len, &names, &filled, &filled_len, e);

	if (asking.is_open)
		client_close(&asking.client);
	if (failed || !filled)
		return failed;
	explicit_bzero(*text, *len);
	free(*text);
	*text = filled;
	*len = filled_len;
	return 0;
}
