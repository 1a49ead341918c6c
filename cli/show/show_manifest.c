/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show/show_manifest.h"

#include "cli/base/text.h"
#include "cli/show/manifest_weak.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest_extension.h"
#include "common/manifest/manifest_place.h"

#include <string.h>

static const char *const logs_words[] = {
	[MANIFEST_LOGS_ALL] = "all",
	[MANIFEST_LOGS_CONSUMERS] = "consumers",
	[MANIFEST_LOGS_PROVIDER] = "provider",
};
static const char *const logs_texts[] = {
	[MANIFEST_LOGS_ALL] = "everybody",
	[MANIFEST_LOGS_CONSUMERS] = "who fetches the results",
	[MANIFEST_LOGS_PROVIDER] = "who provides the algorithm",
};

static const char *type_of(const Cvms__Algorithm *a)
{
	return a->algo_type[0] ? a->algo_type : "bin";
}

/* ---- text ---- */

enum { LABEL = 12 };

static void label(FILE *out, const char *word)
{
	fprintf(out, "%-*s", LABEL, word);
}

static void print_text(FILE *out, const char *word, const char *text)
{
	label(out, word);
	text_print_quoted(out, text);
	fputc('\n', out);
}

static void print_hex(FILE *out, const char *word, const void *bytes, size_t len)
{
	label(out, word);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", ((const uint8_t *)bytes)[i]);
	fputs(len ? "\n" : "none\n", out);
}

static const People__KeyOwner *owner_of(const struct show_manifest *s,
					const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	for (size_t i = 0; s->owners && i < s->owners->n_owners; i++) {
		const People__KeyOwner *o = s->owners->owners[i];

		if (o->fingerprint.len == KEY_FINGERPRINT_LEN &&
		    memcmp(o->fingerprint.data, fingerprint, KEY_FINGERPRINT_LEN) == 0)
			return o;
	}
	return NULL;
}

static void print_owner(const struct show_manifest *s, FILE *out,
			const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	const People__KeyOwner *owner = owner_of(s, fingerprint);

	if (!owner)
		return;
	label(out, "");
	fputs("registered by user ", out);
	text_print_quoted(out, owner->user);
	fprintf(out, "%s, the service says\n", owner->retired ? " and retired" : "");
}

static int print_key(const struct show_manifest *s, FILE *out, const char *word,
		     const ProtobufCBinaryData *key, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char hex[2 * KEY_FINGERPRINT_LEN + 1] = "none";
	const char *name;
	size_t at = 0;

	if (key->len && key_fingerprint(key->data, key->len, fingerprint, e) < 0)
		return err_code(e);
	if (key->len)
		hex_encode(fingerprint, sizeof(fingerprint), hex);
	label(out, word);
	fputs(hex, out);
	name = own_keys_next(s->own, key->data, key->len, &at);
	if (name)
		fprintf(out, "  this is you (%s", text_plain(name).text);
	for (const char *also = name; also; also = own_keys_next(s->own, key->data, key->len, &at))
		if (also != name)
			fprintf(out, ", %s", text_plain(also).text);
	fputs(name ? ")\n" : "\n", out);
	if (key->len)
		print_owner(s, out, fingerprint);
	return 0;
}

static void print_place(const struct show_manifest *s, FILE *out, const Cvms__Dataset *d)
{
	const struct manifest_place place = manifest_place_of(
		manifest_layout(s->manifest), d->filename, d->decompress, manifest_is_cache(d));

	label(out, "  lies in");
	switch (place.kind) {
	case MANIFEST_PLACE_CACHE:
		fputs("where libraries look for downloads, unpacked\n", out);
		return;
	case MANIFEST_PLACE_UNION:
		fputs("datasets/, unpacked, with others\n", out);
		return;
	default:
		break;
	}
	if (!place.name[0]) {
		fprintf(out, "datasets/, under a name that its owner chooses%s\n",
			d->decompress ? ", unpacked" : "");
		return;
	}
	fputs("datasets/", out);
	text_print_quoted(out, place.name);
	fputs(place.kind == MANIFEST_PLACE_FOLDER ? "/, unpacked\n" : "\n", out);
}

static int print_dataset(const struct show_manifest *s, FILE *out, const Cvms__Dataset *d,
			 struct err *e)
{
	if (d->filename[0])
		print_text(out, "dataset", d->filename);
	else
		fputs("dataset     without a file name\n", out);
	if (print_key(s, out, "  key", &d->userkey, e) < 0)
		return err_code(e);
	print_hex(out, "  digest", d->hash.data, d->hash.len);
	print_place(s, out, d);
	return 0;
}

static int print_algorithm(const struct show_manifest *s, FILE *out, const Cvms__Algorithm *a,
			   struct err *e)
{
	const uint8_t *requirements = manifest_requirements_hash(s->manifest);

	print_text(out, "algorithm", type_of(a));
	if (print_key(s, out, "  key", &a->userkey, e) < 0)
		return err_code(e);
	print_hex(out, "  digest", a->hash.data, a->hash.len);
	for (size_t i = 0; i < a->n_algo_args; i++)
		print_text(out, "  argument", a->algo_args[i]);
	if (requirements)
		print_hex(out, "  packages", requirements,
			  s->manifest->cocos->requirements_hash.len);
	return 0;
}

static void print_listener(FILE *out, const Cvms__AgentConfig *c)
{
	if (!c)
		return;
	label(out, "agent");
	fprintf(out, "%s%s, port ",
		c->attested_tls   ? "attested TLS"
		: c->cert_file[0] ? "TLS with a certificate"
				  : "no TLS",
		c->client_ca_file[0] ? ", for clients with certificates" : "");
	fputs(c->port[0] ? text_plain(c->port).text : "7002", out);
	fputs(" (in no digest; the agent's run statement tells)\n", out);
}

static int print_parties(const struct show_manifest *s, FILE *out, struct err *e)
{
	const Cvms__ComputationRunReq *m = s->manifest;

	if (m->algorithm && print_algorithm(s, out, m->algorithm, e) < 0)
		return err_code(e);
	if (!m->algorithm)
		fputs("algorithm   none\n", out);
	for (size_t i = 0; i < m->n_datasets; i++)
		if (print_dataset(s, out, m->datasets[i], e) < 0)
			return err_code(e);
	if (!m->n_datasets)
		fputs("dataset     none\n", out);
	for (size_t i = 0; i < m->n_result_consumers; i++)
		if (print_key(s, out, i ? "" : "results for", &m->result_consumers[i]->userkey, e) <
		    0)
			return err_code(e);
	if (!m->n_result_consumers)
		fputs("results for nobody\n", out);
	return 0;
}

static void print_verdict(const struct show_manifest *s, FILE *out)
{
	const char *weak;

	for (size_t i = 0; (weak = manifest_weak(s->manifest, i)) != NULL; i++)
		fprintf(out, "%-*s%s\n", LABEL, i ? "" : "weakened by", weak);
	if (s->refusal)
		fprintf(out, "refused     by agents: %s\n", text_plain(s->refusal->text).text);
	if (!s->digests)
		return;
	print_hex(out, "digest", s->digests->sha3_256, sizeof(s->digests->sha3_256));
	fprintf(out,
		"            of the canonical form, as evidence shows it; this has a policy ask for it:\n"
		"            cocos-cli policy extend %s POLICY.json\n",
		s->file ? text_plain(s->file).text : "MANIFEST.json");
}

static bool is_own(const struct show_manifest *s, const ProtobufCBinaryData *key)
{
	size_t at = 0;

	return own_keys_next(s->own, key->data, key->len, &at) != NULL;
}

static void print_stranger(const struct show_manifest *s, FILE *out)
{
	const Cvms__ComputationRunReq *m = s->manifest;
	bool found = m->algorithm && is_own(s, &m->algorithm->userkey);

	for (size_t i = 0; i < m->n_datasets && !found; i++)
		found = is_own(s, &m->datasets[i]->userkey);
	for (size_t i = 0; i < m->n_result_consumers && !found; i++)
		found = is_own(s, &m->result_consumers[i]->userkey);
	if (!found)
		fprintf(out, "you         %s\n",
			s->own->count ? "none of these keys is yours"
				      : "no key of yours is here to compare: give --key");
}

int show_manifest_text(const struct show_manifest *s, FILE *out, struct err *e)
{
	const Cvms__ComputationRunReq *m = s->manifest;

	if (m->id[0])
		print_text(out, "computation", m->id);
	else
		fputs("computation has no id yet: the computation service gives it one, and with it another digest\n",
		      out);
	print_text(out, "name", m->name);
	if (m->description[0])
		print_text(out, "description", m->description);
	if (print_parties(s, out, e) < 0)
		return err_code(e);
	fprintf(out, "seen by     %s: what the algorithm writes, and why it failed\n",
		logs_texts[manifest_logs(m)]);
	print_listener(out, m->agent_config);
	print_stranger(s, out);
	print_verdict(s, out);
	return 0;
}

/* ---- JSON ---- */

static int json_key(const struct show_manifest *s, struct json_out *out,
		    const ProtobufCBinaryData *key, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	const People__KeyOwner *owner;
	const char *name;
	size_t at = 0;

	if (key_fingerprint(key->data, key->len, fingerprint, e) < 0)
		return err_code(e);
	owner = owner_of(s, fingerprint);
	json_out_hex(out, "key", fingerprint, key->len ? sizeof(fingerprint) : 0);
	json_out_list(out, "you");
	while ((name = own_keys_next(s->own, key->data, key->len, &at)) != NULL)
		json_out_text(out, NULL, name);
	json_out_end(out);
	if (owner) {
		json_out_text(out, "user", owner->user);
		json_out_bool(out, "retired", owner->retired);
	}
	return 0;
}

static int json_algorithm(const struct show_manifest *s, struct json_out *out,
			  const Cvms__Algorithm *a, struct err *e)
{
	const uint8_t *requirements = manifest_requirements_hash(s->manifest);

	json_out_object(out, "algorithm");
	json_out_text(out, "type", type_of(a));
	if (json_key(s, out, &a->userkey, e) < 0)
		return err_code(e);
	json_out_hex(out, "hash", a->hash.data, a->hash.len);
	json_out_list(out, "arguments");
	for (size_t i = 0; i < a->n_algo_args; i++)
		json_out_text(out, NULL, a->algo_args[i]);
	json_out_end(out);
	if (requirements)
		json_out_hex(out, "requirements_hash", requirements,
			     s->manifest->cocos->requirements_hash.len);
	json_out_end(out);
	return 0;
}

static int json_dataset(const struct show_manifest *s, struct json_out *out, const Cvms__Dataset *d,
			struct err *e)
{
	json_out_object(out, NULL);
	json_out_text(out, "filename", d->filename);
	if (json_key(s, out, &d->userkey, e) < 0)
		return err_code(e);
	json_out_hex(out, "hash", d->hash.data, d->hash.len);
	json_out_bool(out, "decompress", d->decompress);
	json_out_bool(out, "cache", manifest_is_cache(d));
	json_out_end(out);
	return 0;
}

static int json_parties(const struct show_manifest *s, struct json_out *out, struct err *e)
{
	const Cvms__ComputationRunReq *m = s->manifest;

	if (m->algorithm && json_algorithm(s, out, m->algorithm, e) < 0)
		return err_code(e);
	json_out_list(out, "datasets");
	for (size_t i = 0; i < m->n_datasets; i++)
		if (json_dataset(s, out, m->datasets[i], e) < 0)
			return err_code(e);
	json_out_end(out);
	json_out_list(out, "consumers");
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		json_out_object(out, NULL);
		if (json_key(s, out, &m->result_consumers[i]->userkey, e) < 0)
			return err_code(e);
		json_out_end(out);
	}
	json_out_end(out);
	return 0;
}

static void json_listener(struct json_out *out, const Cvms__AgentConfig *c)
{
	if (!c)
		return;
	json_out_object(out, "agent");
	json_out_text(out, "port", c->port[0] ? c->port : "7002");
	json_out_bool(out, "attested_tls", c->attested_tls);
	json_out_bool(out, "certificate", c->cert_file[0] != 0);
	json_out_bool(out, "client_certificates", c->client_ca_file[0] != 0);
	json_out_end(out);
}

int show_manifest_json(const struct show_manifest *s, struct json_out *out, struct err *e)
{
	const Cvms__ComputationRunReq *m = s->manifest;
	const char *weak;

	json_out_object(out, NULL);
	json_out_text(out, "id", m->id);
	json_out_text(out, "name", m->name);
	json_out_text(out, "description", m->description);
	if (json_parties(s, out, e) < 0)
		return err_code(e);
	json_out_text(out, "logs", logs_words[manifest_logs(m)]);
	json_out_text(out, "layout",
		      manifest_layout(m) == MANIFEST_LAYOUT_STOCK ? "stock" : "folders");
	json_listener(out, m->agent_config);
	json_out_list(out, "weakened_by");
	for (size_t i = 0; (weak = manifest_weak(m, i)) != NULL; i++)
		json_out_text(out, NULL, weak);
	json_out_end(out);
	if (s->refusal)
		json_out_text(out, "refused", s->refusal->text);
	if (s->digests)
		json_out_hex(out, "digest", s->digests->sha3_256, sizeof(s->digests->sha3_256));
	json_out_end(out);
	return 0;
}
