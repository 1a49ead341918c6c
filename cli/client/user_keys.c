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

/* One key in base64 for each name, so that each is asked for once. */
enum { NAMES_MAX = 1 + MANIFEST_DATASETS_MAX + MANIFEST_CONSUMERS_MAX };

struct filling {
	struct client client;
	bool is_open;
	const uint8_t *text;
	size_t done; /* bytes of it that were written */
	struct writer out;
	struct {
		const char *name; /* lent, of the tree */
		char *key;
	} *known;
	size_t count;
};

static const char *name_of(const struct json *v)
{
	size_t prefix = strlen(USER_KEYS_PREFIX);

	if (v->type != JSON_STRING || !v->key || strcmp(v->key, "user_key") != 0 ||
	    strncmp(v->text, USER_KEYS_PREFIX, prefix) != 0)
		return NULL;
	return v->text + prefix;
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

static int ask_for(struct filling *f, struct cli *cli, const char *name, char **key, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (!f->is_open && client_open(&f->client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return err_code(e);
	f->is_open = true;
	if (ask(&f->client, name, &spki, &len, e) < 0)
		return err_code(e);
	*key = base64_encode(spki, len);
	return *key ? 0 : err_nomem(e);
}

static int find(struct filling *f, struct cli *cli, const char *name, const char **key,
		struct err *e)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->known[i].name, name) == 0) {
			*key = f->known[i].key;
			return 0;
		}
	if (f->count == NAMES_MAX)
		return err_set(e, ERR_INVALID, "more than %d users", NAMES_MAX);
	if (ask_for(f, cli, name, &f->known[f->count].key, e) < 0)
		return err_code(e);
	f->known[f->count].name = name;
	*key = f->known[f->count++].key;
	return 0;
}

/* A tree knows where its strings end. One that is spelled with escapes is no user's name, which needs none. */
static int put(struct filling *f, struct cli *cli, const struct json *v, const char *name,
	       struct err *e)
{
	size_t len = strlen(v->text), start = v->end - len - 2;
	const char *key;

	if (v->end < f->done + len + 2 || f->text[start] != '"' ||
	    memcmp(f->text + start + 1, v->text, len) != 0)
		return err_set(e, ERR_INVALID, "user_key %s: write a user's name without escapes",
			       log_quote(v->text).text);
	if (find(f, cli, name, &key, e) < 0)
		return err_code(e);
	writer_bytes(&f->out, f->text + f->done, start - f->done);
	json_quote(&f->out, key, strlen(key));
	f->done = v->end;
	return 0;
}

/* In the order of the text. json_parse() bounds the depth. */
static int walk(struct filling *f, struct cli *cli, const struct json *v, struct err *e)
{
	const char *name = name_of(v);

	if (name && put(f, cli, v, name, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < v->count; i++)
		if (walk(f, cli, &v->items[i], e) < 0)
			return err_code(e);
	return 0;
}

static int fill(struct filling *f, struct cli *cli, const struct json *root, size_t len,
		struct err *e)
{
	f->known = calloc(NAMES_MAX, sizeof(*f->known));
	if (!f->known)
		return err_nomem(e);
	if (walk(f, cli, root, e) < 0)
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
	if (!memmem(*text, *len, USER_KEYS_PREFIX, strlen(USER_KEYS_PREFIX)) ||
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
		free(f.known[--f.count].key);
	free(f.known);
	return failed;
}
