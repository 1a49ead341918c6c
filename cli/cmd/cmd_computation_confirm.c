/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_computation_confirm.c — to say, with a signature, that one has compared the digest of a manifest. */
#include "cli/base/manifest_file.h"
#include "cli/base/private_key.h"
#include "cli/base/text.h"
#include "cli/client/confirmed.h"
#include "cli/client/people_client.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>

/* What the person has compared: as typed, or of the manifest that was looked at. */
static enum cli_exit read_own(struct cli *cli, bool *is_given, uint8_t own[MANIFEST_HASH_LEN],
			      struct err *e)
{
	const char *text = cli_value(cli, "digest"), *path = cli_value(cli, "manifest");
	struct manifest_digests digests;
	struct err ignored;

	*is_given = text || path;
	if (text && path)
		return cli_usage(e, "--digest and --manifest: one of them says what was compared");
	if (text && hex_decode(text, own, MANIFEST_HASH_LEN, &ignored) < 0) {
		err_set(e, ERR_INVALID, "--digest %s: 64 hexadecimal digits", log_quote(text).text);
		return CLI_USAGE;
	}
	if (!path)
		return CLI_OK;
	if (manifest_file_digests(path, &digests, e) < 0)
		return CLI_USAGE;
	memcpy(own, digests.sha3_256, MANIFEST_HASH_LEN);
	return CLI_OK;
}

static enum cli_exit check_own(struct cli *cli, const struct confirmed *seen, bool is_given,
			       const uint8_t own[MANIFEST_HASH_LEN], struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1];

	if (is_given && memcmp(own, seen->digest, sizeof(seen->digest)) == 0)
		return CLI_OK;
	hex_encode(seen->digest, sizeof(seen->digest), hex);
	if (is_given) {
		err_set(e, ERR_DENIED,
			"refused: the manifest of %s has another digest than yours, %s: nothing "
			"was signed",
			log_quote(seen->id).text, hex);
		return CLI_NOT_GENUINE;
	}
	err_set(e, ERR_INVALID,
		"nothing was signed: the manifest of %s has the digest %s; compare it with the "
		"other participants",
		log_quote(seen->id).text, hex);
	cli_hint(cli,
		 "then call again with --digest DIGEST as they have it, or --manifest FILE that "
		 "you have checked");
	return CLI_USAGE;
}

static int sign(const struct confirmed *seen, const char *user, EVP_PKEY *key,
		struct confirmation *said, uint8_t *signature, size_t *signature_len, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL, *bytes = NULL;
	size_t spki_len, len;

	*said = (struct confirmation){ .user = user,
				       .computation = seen->id,
				       .revision = seen->list->revision };
	memcpy(said->service, seen->service, sizeof(said->service));
	memcpy(said->digest, seen->digest, sizeof(said->digest));
	if (key_to_spki(key, &spki, &spki_len, e) < 0 ||
	    key_fingerprint(spki, spki_len, said->key, e) < 0)
		return err_code(e);
	if (!confirmed_key(seen, said->key))
		return err_set(e, ERR_DENIED,
			       "the manifest of %s does not name this key: confirm with the one "
			       "by which you take part",
			       log_quote(seen->id).text);
	if (confirmation_message(said, &bytes, &len, e) < 0)
		return err_code(e);
	return key_sign(key, true, bytes, len, signature, signature_len, e);
}

/* By what name this account goes there. */
static int ask_name(struct client *client, People__Caller **caller, struct err *e)
{
	People__WhoamiRequest request = PEOPLE__WHOAMI_REQUEST__INIT;
	ProtobufCMessage *response;

	if (client_call(client, &people_whoami, &request.base, &response, e) < 0)
		return err_code(e);
	*caller = (People__Caller *)response;
	if (*(*caller)->user)
		return 0;
	people__caller__free_unpacked(TAKE_PTR(*caller), NULL);
	return err_set(e, ERR_DENIED,
		       "a confirmation is a user's: without a token you are none "
		       "(--token FILE, or COMPUTATIONS_GRPC_TOKEN_FILE)");
}

static int record(struct client *client, const struct confirmation *said, uint8_t *signature,
		  size_t len, struct err *e)
{
	People__ConfirmRequest request = PEOPLE__CONFIRM_REQUEST__INIT;
	struct confirmation copy = *said;
	ProtobufCMessage *response;

	request.computation_id = (char *)(uintptr_t)said->computation;
	request.key = (ProtobufCBinaryData){ sizeof(copy.key), copy.key };
	request.manifest_digest = (ProtobufCBinaryData){ sizeof(copy.digest), copy.digest };
	request.revision = said->revision;
	request.signature = (ProtobufCBinaryData){ len, signature };
	if (client_call(client, &people_confirm, &request.base, &response, e) < 0)
		return err_code(e);
	protobuf_c_message_free_unpacked(response, NULL);
	return 0;
}

static int confirm(struct client *client, const struct confirmed *seen, EVP_PKEY *key,
		   struct err *e)
{
	uint8_t signature[SIGNATURE_MAX];
	struct confirmation said;
	People__Caller *caller;
	size_t len;
	int failed;

	if (ask_name(client, &caller, e) < 0)
		return err_code(e);
	failed = sign(seen, caller->user, key, &said, signature, &len, e);
	if (!failed)
		failed = record(client, &said, signature, len, e);
	if (!failed)
		fprintf(client->cli->out, "user %s has confirmed the manifest of %s\n",
			text_plain(caller->user).text, text_plain(seen->id).text);
	people__caller__free_unpacked(caller, NULL);
	return failed;
}

static enum cli_exit run_confirm(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct confirmed seen CLEANUP_CONFIRMED = { .list = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t own[MANIFEST_HASH_LEN];
	enum cli_exit status;
	bool is_given;

	status = read_own(cli, &is_given, own, e);
	if (status != CLI_OK)
		return status;
	if (private_key_load(cli, cli->operands[1], &key, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	status = confirmed_look_whole(&client, cli->operands[0], &seen, e);
	if (status == CLI_OK)
		status = check_own(cli, &seen, is_given, own, e);
	if (status != CLI_OK)
		return status;
	if (confirm(&client, &seen, key, e) == 0)
		return CLI_OK;
	computation_hint(&client, e);
	return CLI_FAILED;
}

/* clang-format off */
static const struct cli_option confirm_options[] = {
	{ .name = "digest", .value = "DIGEST",
	  .help = "that you have compared with the others': SHA3-256 of the manifest" },
	{ .name = "manifest", .value = "FILE",
	  .help = "that you have checked, in place of its digest" },
	WITNESS_KEY_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_confirm = {
	.name = "computation confirm",
	.args = "ID KEYFILE",
	.help = "sign, for all to see, that you have compared the digest of a computation's manifest",
	.operands_min = 2,
	.operands_max = 2,
	.options = confirm_options,
	.run = run_confirm,
	.more = "Without --digest or --manifest nothing is signed: the digest is told, for you to compare. The key has to be\n"
		"registered as yours ('key register') and be one that the manifest names; it stays here. 'computation\n"
		"show' verifies what others have confirmed. Another manifest needs another confirmation.\n"
		"Exit 3: the digest is another, or the service is.",
};
