/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/webauthn.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "computations/people/webauthn_key.h"

#include <string.h>

DEFINE_CLEANUP(struct datum *, datum_free)
DEFINE_CLEANUP(struct json *, json_free)

enum { /* authenticator data: Web Authentication, 6.1 */
       FLAG_PRESENT = 0x01,
       FLAG_VERIFIED = 0x04,
       FLAG_ELIGIBLE = 0x08,
       FLAG_BACKED_UP = 0x10,
       FLAG_CREDENTIAL = 0x40,
       FLAG_EXTENSIONS = 0x80,
       FLAGS_RESERVED = 0x22,
       AAGUID_LEN = 16,
};

struct data {
	struct span rp;
	uint8_t flags;
	uint32_t count;
	/* Of a new one. */
	struct span aaguid, id;
	EVP_PKEY *key;
};

static void data_done(struct data *d)
{
	EVP_PKEY_free(d->key);
}
#define CLEANUP_DATA __attribute__((cleanup(data_done)))

/* ---- what the browser says of the page that asked: 5.8.1 ---- */

/* RFC 4648, section 5, without padding, as `challenge` has it. */
static int url_text(const uint8_t *bytes, size_t len, char **text, struct err *e)
{
	char *made = base64_encode(bytes, len);

	if (!made)
		return err_nomem(e);
	for (char *c = made; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? 0 : *c;
	*text = made;
	return 0;
}

/* A member that is not there is allowed where the default is `false`; members that we do not know are, too, says 5.8.1. */
static int check_frames(const struct json *client, struct err *e)
{
	const struct json *cross = json_get(client, "crossOrigin");

	if (json_get(client, "topOrigin") ||
	    (cross && (cross->type != JSON_BOOL || cross->boolean)))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "passkey: a page within another site's asked for it");
	return 0;
}

static int check_client(const struct webauthn_want *want, const char *type, struct span bytes,
			struct err *e)
{
	CLEANUP(json_free) struct json *client = NULL;
	CLEANUP(free) char *challenge = NULL;
	const char *got;

	if (bytes.len > WEBAUTHN_CLIENT_MAX)
		return err_set(e, ERR_INVALID, "passkey: client data of %zu bytes; at most %d",
			       bytes.len, WEBAUTHN_CLIENT_MAX);
	if (json_parse(bytes.bytes, bytes.len, &client, e) < 0 ||
	    json_get_string(client, "type", &got, e) < 0)
		return err_set(e, ERR_INVALID, "passkey: the client data is no JSON with a type");
	if (strcmp(got, type) != 0)
		return err_set(e, ERR_UNAUTHENTICATED, "passkey: made for another use than %s",
			       type);
	if (url_text(want->challenge, WEBAUTHN_CHALLENGE_LEN, &challenge, e) < 0)
		return err_code(e);
	if (json_get_string(client, "challenge", &got, e) < 0 || strcmp(got, challenge) != 0)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "passkey: the answer to another challenge: try again");
	if (json_get_string(client, "origin", &got, e) < 0 || strcmp(got, want->origin) != 0)
		return err_set(e, ERR_UNAUTHENTICATED, "passkey: a page at another address than %s",
			       want->origin);
	return check_frames(client, e);
}

/* ---- what the authenticator says ---- */

/* The rest is CBOR items one after the other: a key, extensions, or both. `count` of them are read as an array's. */
static int read_items(struct reader *r, uint8_t count, struct writer *room, struct datum **items,
		      struct err *e)
{
	size_t len = reader_left(r);

	datum_put_array(room, count);
	writer_bytes(room, reader_take(r, len), len);
	if (writer_check(room, "passkey", e) < 0)
		return err_code(e);
	return datum_parse(room->bytes, room->len, items, e) < 0
		       ? err_wrap(e, "passkey: after its id")
		       : 0;
}

static int read_credential(struct reader *r, struct data *d, struct err *e)
{
	d->aaguid = span_take(r, AAGUID_LEN);
	d->id = span_take(r, reader_be16(r));
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "passkey: authenticator data cut short");
	if (d->id.len < WEBAUTHN_ID_MIN || d->id.len > WEBAUTHN_ID_MAX)
		return err_set(e, ERR_INVALID, "passkey: an id of %zu bytes; %d to %d may be",
			       d->id.len, WEBAUTHN_ID_MIN, WEBAUTHN_ID_MAX);
	return 0;
}

static int read_rest(struct reader *r, struct data *d, struct err *e)
{
	CLEANUP_WRITER struct writer room = writer_up_to(WEBAUTHN_DATA_MAX);
	CLEANUP(datum_free) struct datum *items = NULL;
	bool has_key = d->flags & FLAG_CREDENTIAL, has_more = d->flags & FLAG_EXTENSIONS;

	if (!has_key && !has_more)
		return reader_done(r) ? 0
				      : err_set(e, ERR_INVALID,
						"passkey: authenticator data with %zu bytes more",
						reader_left(r));
	if (read_items(r, (uint8_t)(has_key + has_more), &room, &items, e) < 0)
		return err_code(e);
	/* None was asked for, and none counts. */
	if (has_more && items->items[items->count - 1].type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "passkey: its extensions are no map");
	return has_key ? webauthn_key(&items->items[0], &d->key, e) : 0;
}

static int check_flags(const struct webauthn_want *want, const struct data *d, struct err *e)
{
	if (d->flags & FLAGS_RESERVED)
		return err_set(e, ERR_INVALID, "passkey: flags 0x%02x that mean nothing yet",
			       d->flags);
	if ((d->flags & FLAG_BACKED_UP) && !(d->flags & FLAG_ELIGIBLE))
		return err_set(e, ERR_INVALID, "passkey: copied, and may not be");
	if (!(d->flags & FLAG_PRESENT))
		return err_set(e, ERR_UNAUTHENTICATED, "passkey: nobody touched the device");
	if (want->verified && !(d->flags & FLAG_VERIFIED))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "passkey: the device did not ask who you are: give it a PIN, a "
			       "fingerprint or a face");
	return 0;
}

static int read_data(const struct webauthn_want *want, struct span bytes, struct data *d,
		     struct err *e)
{
	struct reader r = span_reader(bytes);
	uint8_t rp[SHA256_LEN];

	if (bytes.len > WEBAUTHN_DATA_MAX)
		return err_set(e, ERR_INVALID,
			       "passkey: authenticator data of %zu bytes; at most %d", bytes.len,
			       WEBAUTHN_DATA_MAX);
	d->rp = span_take(&r, SHA256_LEN);
	d->flags = reader_u8(&r);
	d->count = reader_be32(&r);
	if (!reader_ok(&r))
		return err_set(e, ERR_INVALID, "passkey: authenticator data cut short");
	if (digest(DIGEST_SHA256, want->rp, strlen(want->rp), rp, e) < 0)
		return err_code(e);
	if (memcmp(d->rp.bytes, rp, sizeof(rp)) != 0)
		return err_set(e, ERR_UNAUTHENTICATED, "passkey: for another site than %s",
			       want->rp);
	if (check_flags(want, d, e) < 0 ||
	    ((d->flags & FLAG_CREDENTIAL) && read_credential(&r, d, e) < 0))
		return err_code(e);
	return read_rest(&r, d, e);
}

/* What is signed: authenticator data, and the digest of the client data. */
static int check_signature(EVP_PKEY *key, struct span data, struct span client,
			   struct span signature, struct err *e)
{
	uint8_t bytes[WEBAUTHN_DATA_MAX + SHA256_LEN];

	if (signature.len > SIGNATURE_MAX)
		return err_set(e, ERR_INVALID, "passkey: a signature of %zu bytes; at most %d",
			       signature.len, SIGNATURE_MAX);
	memcpy(bytes, data.bytes, data.len);
	if (digest(DIGEST_SHA256, client.bytes, client.len, bytes + data.len, e) < 0)
		return err_code(e);
	/* RS256 is PKCS#1 v1.5 alone: RFC 8812, section 2. */
	if (key_verify_as(key, false, bytes, data.len + SHA256_LEN, signature.bytes, signature.len,
			  e) < 0)
		return err_set(e, ERR_UNAUTHENTICATED, "passkey: its signature does not hold");
	return 0;
}

/* ---- a new one: 7.1 ---- */

/* The statement of the passkey itself, 8.2, which a browser leaves as it is although none was asked for: no certificate,
 * and an AAGUID of zeros. */
static int check_packed(const struct datum *statement, const struct data *d, struct span data,
			struct span client, struct err *e)
{
	static const uint8_t zeros[AAGUID_LEN];
	const struct datum *sig = datum_get_text(statement, "sig");
	int64_t number;

	if (statement->count != 2 || !sig || sig->type != DATUM_BYTES ||
	    !datum_int(datum_get_text(statement, "alg"), &number) ||
	    !webauthn_key_is(d->key, number) || memcmp(d->aaguid.bytes, zeros, AAGUID_LEN) != 0)
		return err_set(e, ERR_INVALID,
			       "passkey: an attestation, and none was asked for: let the browser "
			       "leave it out");
	return check_signature(d->key, data, client, (struct span){ sig->bytes, sig->len }, e);
}

static int check_statement(const struct datum *object, const struct data *d, struct span data,
			   struct span client, struct err *e)
{
	const struct datum *format = datum_get_text(object, "fmt");
	const struct datum *statement = datum_get_text(object, "attStmt");

	if (!statement || statement->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "passkey: no attestation statement");
	if (datum_is_text(format, "packed"))
		return check_packed(statement, d, data, client, e);
	if (!datum_is_text(format, "none") || statement->count)
		return err_set(e, ERR_INVALID,
			       "passkey: an attestation, and none was asked for: let the browser "
			       "leave it out");
	return 0;
}

static int put_new(const struct data *d, struct webauthn_new *made, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(d->key, &spki, &len, e) < 0)
		return err_code(e);
	if (len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "passkey: a key of %zu bytes; at most %d", len,
			       SPKI_MAX);
	*made = (struct webauthn_new){ .id_len = d->id.len,
				       .spki_len = len,
				       .count = d->count,
				       .eligible = d->flags & FLAG_ELIGIBLE,
				       .backed_up = d->flags & FLAG_BACKED_UP };
	memcpy(made->id, d->id.bytes, d->id.len);
	memcpy(made->spki, spki, len);
	return 0;
}

int webauthn_register(const struct webauthn_want *want, struct span client, struct span object,
		      struct webauthn_new *made, struct err *e)
{
	CLEANUP(datum_free) struct datum *root = NULL;
	struct data d CLEANUP_DATA = { .key = NULL };
	const struct datum *data;

	if (check_client(want, "webauthn.create", client, e) < 0)
		return err_code(e);
	if (object.len > WEBAUTHN_OBJECT_MAX)
		return err_set(e, ERR_INVALID, "passkey: an attestation of %zu bytes; at most %d",
			       object.len, WEBAUTHN_OBJECT_MAX);
	if (datum_parse(object.bytes, object.len, &root, e) < 0)
		return err_wrap(e, "passkey: attestation");
	data = datum_get_text(root, "authData");
	if (root->type != DATUM_MAP || root->count != 3 || !data || data->type != DATUM_BYTES)
		return err_set(e, ERR_INVALID,
			       "passkey: an attestation has fmt, attStmt and authData alone");
	const struct span bytes = { data->bytes, data->len };

	if (read_data(want, bytes, &d, e) < 0)
		return err_code(e);
	if (!d.key)
		return err_set(e, ERR_INVALID, "passkey: a new one without a key");
	if (check_statement(root, &d, bytes, client, e) < 0)
		return err_code(e);
	return put_new(&d, made, e);
}

/* ---- one that is used: 7.2 ---- */

int webauthn_assert(const struct webauthn_want *want, const struct webauthn_use *use,
		    const struct webauthn_known *known, struct webauthn_used *used, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct data d CLEANUP_DATA = { .key = NULL };

	if (check_client(want, "webauthn.get", use->client, e) < 0 ||
	    read_data(want, use->data, &d, e) < 0)
		return err_code(e);
	if (d.key)
		return err_set(e, ERR_INVALID,
			       "passkey: a new one, where a known one is asked for");
	if (key_parse_spki(known->spki.bytes, known->spki.len, &key, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: the key of a passkey");
	if (check_signature(key, use->data, use->client, use->signature, e) < 0)
		return err_code(e);
	if (((d.flags & FLAG_ELIGIBLE) != 0) != known->eligible)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "passkey: whether it may be copied differs from when it was added");
	*used = (struct webauthn_used){ .count = d.count,
					.backed_up = d.flags & FLAG_BACKED_UP,
					.went_back = (d.count || known->count) &&
						     d.count <= known->count };
	return 0;
}
