/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_key.c — one's public keys at the computation service: registered by who has them, listed, retired. */
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/manifest/possession.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "FINGERPRINT", "fingerprint", false },
	{ "KIND", "kind", false },
	{ "STATE", "state", false },
	{ "COMPUTATION", "computation", false },
	{ "USER", "user", true },
	{ "CREATED", "created", true },
	{ "RETIRED", "retired", true },
	{ "KEY", "user_key", true },
	{ "MANIFEST", "manifest_digest", true },
	{ NULL, NULL, false },
};

static void put_hex(struct table *t, const ProtobufCBinaryData *bytes)
{
	char hex[2 * KEY_FINGERPRINT_LEN + 1] = "";

	if (bytes->len == KEY_FINGERPRINT_LEN)
		hex_encode(bytes->data, bytes->len, hex);
	table_text(t, hex);
}

static void add_row(struct table *t, const People__UserKey *key)
{
	CLEANUP(free) char *base64 = base64_encode(key->key.data, key->key.len);

	put_hex(t, &key->fingerprint);
	table_text(t, key->kind);
	table_text(t, key->retired ? "retired" : "in use");
	table_text(t, key->computation_id);
	table_text(t, key->user);
	table_moment(t, people_ms(key->created));
	table_moment(t, people_ms(key->retired));
	table_text(t, base64 ? base64 : "");
	put_hex(t, &key->manifest_digest);
}

/* ---- register ---- */

struct registration {
	struct client *client;
	const char *computation;
	EVP_PKEY *key;
	uint8_t *spki;
	size_t len;
	uint8_t service[KEY_FINGERPRINT_LEN]; /* as its log of heads shows it */
};

/* A service that passes another's challenge on would have this key registered there. */
static enum cli_exit check_challenge(const struct registration *r, const People__KeyChallenge *c,
				     struct err *e)
{
	if (c->service.len != sizeof(r->service) ||
	    memcmp(c->service.data, r->service, sizeof(r->service)) != 0) {
		err_set(e, ERR_DENIED,
			"refused: it asks for a signature for another service than the one whose "
			"key it shows: nothing was signed");
		return CLI_NOT_GENUINE;
	}
	if (c->challenge.len == POSSESSION_CHALLENGE_LEN)
		return CLI_OK;
	err_set(e, ERR_INVALID, "refused: a challenge of %zu bytes: it has %d", c->challenge.len,
		POSSESSION_CHALLENGE_LEN);
	return CLI_MALFORMED;
}

static int sign(const struct registration *r, const People__KeyChallenge *c, uint8_t *signature,
		size_t *len, struct err *e)
{
	struct possession p = { .user = c->user, .computation = r->computation };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t size;

	memcpy(p.service, r->service, sizeof(p.service));
	memcpy(p.challenge, c->challenge.data, sizeof(p.challenge));
	if (key_fingerprint(r->spki, r->len, p.key, e) < 0 ||
	    possession_message(&p, &bytes, &size, e) < 0)
		return err_code(e);
	return key_sign(r->key, true, bytes, size, signature, len, e);
}

static enum cli_exit answer_challenge(const struct registration *r, const People__KeyChallenge *c,
				      ProtobufCMessage **response, struct err *e)
{
	People__RegisterKeyRequest request = PEOPLE__REGISTER_KEY_REQUEST__INIT;
	uint8_t signature[SIGNATURE_MAX];
	size_t len;
	enum cli_exit status = check_challenge(r, c, e);

	if (status != CLI_OK)
		return status;
	if (sign(r, c, signature, &len, e) < 0)
		return CLI_FAILED;
	request.key = (ProtobufCBinaryData){ r->len, r->spki };
	request.computation_id = (char *)(uintptr_t)r->computation;
	request.challenge = c->challenge;
	request.signature = (ProtobufCBinaryData){ len, signature };
	return client_call(r->client, &people_register_key, &request.base, response, e) < 0
		       ? CLI_FAILED
		       : CLI_OK;
}

static enum cli_exit register_key(struct registration *r, ProtobufCMessage **response,
				  struct err *e)
{
	People__ChallengeKeyRequest request = PEOPLE__CHALLENGE_KEY_REQUEST__INIT;
	ProtobufCMessage *challenge;
	enum cli_exit status = witness_know(r->client, r->service, e);

	if (status != CLI_OK)
		return status;
	request.key = (ProtobufCBinaryData){ r->len, r->spki };
	request.computation_id = (char *)(uintptr_t)r->computation;
	if (client_call(r->client, &people_challenge_key, &request.base, &challenge, e) < 0)
		return CLI_FAILED;
	status = answer_challenge(r, (const People__KeyChallenge *)challenge, response, e);
	protobuf_c_message_free_unpacked(challenge, NULL);
	return status;
}

static void tell(struct cli *cli, const struct registration *r, const People__UserKey *key)
{
	char hex[2 * KEY_FINGERPRINT_LEN + 1] = "?";

	if (key->fingerprint.len == KEY_FINGERPRINT_LEN)
		hex_encode(key->fingerprint.data, key->fingerprint.len, hex);
	fprintf(cli->out, "key %s registered for user %s\n", hex, text_plain(key->user).text);
	if (!*r->computation)
		return;
	if (key->manifest_digest.len != KEY_FINGERPRINT_LEN) {
		fprintf(cli->out,
			"the manifest of %s did not name a key of yours: it is as it was\n",
			text_plain(r->computation).text);
		return;
	}
	hex_encode(key->manifest_digest.data, key->manifest_digest.len, hex);
	fprintf(cli->out,
		"the manifest of %s names it now, and has another digest, which all have to "
		"compare anew:\n%s\n",
		text_plain(r->computation).text, hex);
}

static int report(struct cli *cli, const struct registration *r, const People__UserKey *key,
		  struct err *e)
{
	const char *format = cli_value(cli, "output");
	struct table t CLEANUP_TABLE;

	table_init(&t, columns);
	if (!format && !cli_flag(cli, "json")) {
		tell(cli, r, key);
		return 0;
	}
	add_row(&t, key);
	return table_print_one(&t, cli, e);
}

static enum cli_exit run_register(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const char *computation = cli_value(cli, "computation");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	struct registration r = { .client = &client,
				  .computation = computation ? computation : "" };
	ProtobufCMessage *response;
	enum cli_exit status;

	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	if (private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    key_to_spki(key, &spki, &r.len, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	r.key = key;
	r.spki = spki;
	status = register_key(&r, &response, e);
	if (status != CLI_OK) {
		computation_hint(&client, e);
		return status;
	}
	status = report(cli, &r, (const People__UserKey *)response, e) < 0 ? CLI_FAILED : CLI_OK;
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option register_options[] = {
	{ .name = "computation", .value = "ID",
	  .help = "for this one alone, which was not run: its manifest names it from now on in place of your other keys" },
	WITNESS_KEY_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_key_register = {
	.name = "key register",
	.args = "KEYFILE",
	.help = "register the public half of a private key with the computation service, as yours",
	.operands_min = 1,
	.operands_max = 1,
	.options = register_options,
	.run = run_register,
	.more = "The private key stays here: it signs that this service's user has it. A key is one user's alone, and\n"
		"manifests may name it as user:NAME. The next one takes its place in what is created from then on;\n"
		"with --computation in one that is there, until it is run. It takes a token for all actions.\n"
		"Exit 3: the service is another than the one that was seen there.",
};

/* ---- list, show ---- */

static enum cli_exit ask_list(struct cli *cli, const char *user, const char *sort,
			      ProtobufCMessage **response, struct err *e)
{
	People__ListKeysRequest request = PEOPLE__LIST_KEYS_REQUEST__INIT;

	request.name = (char *)(uintptr_t)(user ? user : "");
	request.sort = (char *)(uintptr_t)(sort ? sort : "");
	return computation_call(cli, &people_list_keys, &request.base, response, e);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	const People__ListKeysResponse *list;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = ask_list(cli, cli->operands[0], cli_value(cli, "sort"), &response, e);
	if (status != CLI_OK)
		return status;
	list = (const People__ListKeysResponse *)response;
	for (size_t i = 0; i < list->n_keys; i++)
		add_row(&t, list->keys[i]);
	status = table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const char *const orders[] = { "created", "changed", "name", "state",
				      "-created", "-changed", "-name", "-state", NULL };
static const struct cli_option list_options[] = {
	{ .name = "sort", .value = "ORDER", .offers = orders,
	  .help = "created, changed, name (what they are for) or state; with a '-' in front the greatest first" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_key_list = {
	.name = "key list",
	.args = "[USER]",
	.help = "list the keys that you (or a user, for administrators) registered with the service",
	.operands_max = 1,
	.options = list_options,
	.run = run_list,
};

static int read_fingerprint(const char *text, uint8_t fingerprint[KEY_FINGERPRINT_LEN],
			    struct err *e)
{
	struct err ignored;

	if (hex_decode(text, fingerprint, KEY_FINGERPRINT_LEN, &ignored) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "FINGERPRINT %s: 64 hexadecimal digits, as 'key list' and 'key fingerprint' "
		       "print them",
		       log_quote(text).text);
}

/* Of all computations and of some: a row for each. */
static size_t add_rows_of(struct table *t, const People__ListKeysResponse *list,
			  const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	size_t count = 0;

	for (size_t i = 0; i < list->n_keys; i++) {
		const ProtobufCBinaryData *f = &list->keys[i]->fingerprint;

		if (f->len != KEY_FINGERPRINT_LEN || memcmp(f->data, fingerprint, f->len) != 0)
			continue;
		add_row(t, list->keys[i]);
		count++;
	}
	return count;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns);
	if (table_check(cli, e) < 0 || read_fingerprint(cli->operands[0], fingerprint, e) < 0)
		return CLI_USAGE;
	status = ask_list(cli, cli_value(cli, "user"), NULL, &response, e);
	if (status != CLI_OK)
		return status;
	size_t count = add_rows_of(&t, (const People__ListKeysResponse *)response, fingerprint);
	if (!count) {
		err_set(e, ERR_NOT_FOUND, "no key %s", cli->operands[0]);
		cli_hint(cli, "'cocos-cli key list' shows what is there");
		status = CLI_FAILED;
	} else if ((count == 1 ? table_print_one(&t, cli, e) : table_print(&t, cli, "", e)) < 0) {
		status = CLI_FAILED;
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

#define USER_OPTION \
	{ .name = "user", .value = "USER", .help = "whose it is, for administrators (you)" }

const struct command cmd_key_show = {
	.name = "key show",
	.args = "FINGERPRINT",
	.help = "show a registered key: its kind, what it is for, and the key itself",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){
			USER_OPTION, TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_show,
};

/* ---- retire ---- */

static enum cli_exit run_retire(struct cli *cli, struct err *e)
{
	People__RetireKeyRequest request = PEOPLE__RETIRE_KEY_REQUEST__INIT;
	const char *user = cli_value(cli, "user");
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	ProtobufCMessage *response;
	enum cli_exit status;

	if (read_fingerprint(cli->operands[0], fingerprint, e) < 0)
		return CLI_USAGE;
	request.user = (char *)(uintptr_t)(user ? user : "");
	request.fingerprint = (ProtobufCBinaryData){ sizeof(fingerprint), fingerprint };
	status = computation_call(cli, &people_retire_key, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "key %s is retired\n", cli->operands[0]);
	fprintf(stderr,
		"note: manifests that name it still do, also of computations that have not run: in each of "
		"those 'cocos-cli key register NEW --computation ID' puts another one in its place\n");
	return CLI_OK;
}

const struct command cmd_key_retire = {
	.name = "key retire",
	.args = "FINGERPRINT",
	.help = "retire a registered key: no new manifest gets it, and it does not come back",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ USER_OPTION, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_retire,
	.more = "Manifests that name it stay as they are: their agents know the key, not who has it. Before a first\n"
		"run 'key register NEW --computation ID' puts another one there.",
};
