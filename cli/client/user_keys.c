/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/user_keys.h"

#include "cli/base/text.h"
#include "cli/client/people_client.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* One key in base64, or digest, for each name, so that each is asked for once. */
enum { NAMES_MAX = 2 * (1 + MANIFEST_DATASETS_MAX) + MANIFEST_CONSUMERS_MAX };

struct filling {
	struct client client;
	bool is_open;
	const uint8_t *text;
	size_t done; /* bytes of it that were written */
	struct writer out;
	struct {
		const char *name; /* with its prefix; lent, of the tree */
		const char *type; /* of an asset: that which is wanted there */
		char *text;
	} *known;
	size_t count;
};

/* What is behind the prefix; NULL: it does not begin so. */
static const char *behind(const char *prefix, const char *text)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool is_name(const struct json *v)
{
	if (v->type != JSON_STRING || !v->key)
		return false;
	return (strcmp(v->key, "user_key") == 0 && behind(USER_KEYS_PREFIX, v->text)) ||
	       (strcmp(v->key, "hash") == 0 && behind(ASSETS_PREFIX, v->text));
}

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
	fprintf(stderr, "note: user:%s is key %s, by the service's word: compare it with theirs\n",
		text_plain(name).text, hex);
	return 0;
}

static int ask(struct client *client, const char *name, uint8_t **spki, size_t *len, struct err *e)
{
	People__UserRequest request = PEOPLE__USER_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed;

	request.name = (char *)(uintptr_t)name;
	if (client_call(client, &people_find_key, &request.base, &response, e) < 0) {
		if (e->code == ERR_NOT_FOUND)
			cli_hint(client->cli,
				 "'cocos-cli user list' shows who is there; a key's PEM file in "
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
	return ask(&client, name, spki, len, e);
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
static int take_asset(const People__Asset *a, const char *name, const char *type, char **text,
		      struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1];

	if (strcmp(a->type, type) != 0)
		return err_set(e, ERR_INVALID, "asset %s is of type %s, and not a%s %s",
			       log_quote(name).text, log_quote(a->type).text,
			       *type == 'a' ? "n" : "", type);
	if (a->digest.len != MANIFEST_HASH_LEN)
		return err_set(e, ERR_INTERNAL, "the service sent a digest of %zu bytes",
			       a->digest.len);
	hex_encode(a->digest.data, a->digest.len, hex);
	fprintf(stderr,
		"note: asset:%s is %s, by the service's word: compare it with its owner's\n",
		text_plain(name).text, hex);
	*text = strdup(hex);
	return *text ? 0 : err_nomem(e);
}

static int ask_asset(struct client *client, const char *name, const char *type, char **text,
		     struct err *e)
{
	const char *workspace = cli_value(client->cli, "workspace");
	People__AssetRequest request = PEOPLE__ASSET_REQUEST__INIT;
	ProtobufCMessage *response;
	int failed;

	request.workspace = (char *)(uintptr_t)(workspace ? workspace : "");
	request.name = (char *)(uintptr_t)name;
	if (client_call(client, &people_show_asset, &request.base, &response, e) < 0) {
		computation_hint(client, e);
		if (!client->cli->hint[0])
			cli_hint(client->cli, "the service was asked for the digest of asset:NAME");
		return err_code(e);
	}
	failed = take_asset((const People__Asset *)response, name, type, text, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

static int ask_for(struct filling *f, struct cli *cli, const char *name, const char *type,
		   char **text, struct err *e)
{
	const char *asset = behind(ASSETS_PREFIX, name);
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (!f->is_open && client_open(&f->client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	f->is_open = true;
	if (asset)
		return ask_asset(&f->client, asset, type, text, e);
	if (ask(&f->client, behind(USER_KEYS_PREFIX, name), &spki, &len, e) < 0)
		return err_code(e);
	*text = base64_encode(spki, len);
	return *text ? 0 : err_nomem(e);
}

static int find(struct filling *f, struct cli *cli, const char *name, const char *type,
		const char **text, struct err *e)
{
	/* An asset's type is looked at wherever it is named. */
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->known[i].name, name) == 0 &&
		    (!behind(ASSETS_PREFIX, name) || strcmp(f->known[i].type, type) == 0)) {
			*text = f->known[i].text;
			return 0;
		}
	if (f->count == NAMES_MAX)
		return err_set(e, ERR_INVALID, "more than %d users and assets", NAMES_MAX);
	if (ask_for(f, cli, name, type, &f->known[f->count].text, e) < 0)
		return err_code(e);
	f->known[f->count].name = name;
	f->known[f->count].type = type;
	*text = f->known[f->count++].text;
	return 0;
}

/* A tree knows where its strings end. One that is spelled with escapes is no user's name, which needs none. */
static int put(struct filling *f, struct cli *cli, const struct json *v, const char *type,
	       struct err *e)
{
	size_t len = strlen(v->text), start = v->end - len - 2;
	const char *text;

	if (v->end < f->done + len + 2 || f->text[start] != '"' ||
	    memcmp(f->text + start + 1, v->text, len) != 0)
		return err_set(e, ERR_INVALID, "%s %s: write the name without escapes", v->key,
			       log_quote(v->text).text);
	if (find(f, cli, v->text, type, &text, e) < 0)
		return err_code(e);
	writer_bytes(&f->out, f->text + f->done, start - f->done);
	json_quote(&f->out, text, strlen(text));
	f->done = v->end;
	return 0;
}

/* In the order of the text. json_parse() bounds the depth. */
static int walk(struct filling *f, struct cli *cli, const struct json *v, const char *type,
		struct err *e)
{
	if (v->key && strcmp(v->key, "datasets") == 0)
		type = "dataset";
	if (is_name(v) && put(f, cli, v, type, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < v->count; i++)
		if (walk(f, cli, &v->items[i], type, e) < 0)
			return err_code(e);
	return 0;
}

static int fill(struct filling *f, struct cli *cli, const struct json *root, size_t len,
		struct err *e)
{
	f->known = calloc(NAMES_MAX, sizeof(*f->known));
	if (!f->known)
		return err_nomem(e);
	if (walk(f, cli, root, "algorithm", e) < 0)
		return err_code(e);
	writer_bytes(&f->out, f->text + f->done, len - f->done);
	return writer_check(&f->out, "manifest", e);
}

int user_keys_fill(struct cli *cli, uint8_t **text, size_t *len, struct err *e)
{
	struct filling f = { .text = *text, .out = writer_up_to(MANIFEST_MAX) };
	CLEANUP(json_free) struct json *root = NULL;
	struct err unread;
	int failed;

	/* What can't be read, its own reader says in its own words. */
	if ((!memmem(*text, *len, USER_KEYS_PREFIX, strlen(USER_KEYS_PREFIX)) &&
	     !memmem(*text, *len, ASSETS_PREFIX, strlen(ASSETS_PREFIX))) ||
	    json_parse(*text, *len, &root, &unread) < 0)
		return 0;
	failed = fill(&f, cli, root, *len, e);
	if (!failed) {
		explicit_bzero(*text, *len);
		free(*text);
		*text = writer_take(&f.out, len); /* fill() has checked it */
	}
	if (f.is_open)
		client_close(&f.client);
	writer_done(&f.out);
	while (f.count > 0)
		free(f.known[--f.count].text);
	free(f.known);
	return failed;
}
