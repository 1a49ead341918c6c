/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show/manifest_facts.h"

#include "cli/base/text.h"
#include "cli/show/manifest_weak.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest_extension.h"
#include "common/manifest/manifest_place.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void manifest_facts_done(struct manifest_facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->list[i].what);
		free(facts->list[i].value);
	}
	free(facts->list);
	*facts = (struct manifest_facts){ .list = NULL };
}

const char *manifest_facts_get(const struct manifest_facts *facts, const char *what)
{
	for (size_t i = 0; i < facts->count; i++)
		if (strcmp(facts->list[i].what, what) == 0)
			return facts->list[i].value;
	return NULL;
}

static bool has_room(struct manifest_facts *f)
{
	size_t room = f->room ? 2 * f->room : 64;
	struct manifest_fact *list;

	if (f->count < f->room)
		return true;
	list = reallocarray(f->list, room, sizeof(*list));
	if (!list)
		return false;
	f->list = list;
	f->room = room;
	return true;
}

/* Takes the value over; NULL: there was no memory for it. */
static void add(struct manifest_facts *f, char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void add(struct manifest_facts *f, char *value, const char *fmt, ...)
{
	char *what = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&what, fmt, args) < 0)
		what = NULL;
	va_end(args);
	if (!what || !value || !has_room(f)) {
		free(what);
		free(value);
		f->bad = true;
		return;
	}
	f->list[f->count++] = (struct manifest_fact){ what, value };
}

static char *quoted(const char *text)
{
	char *made = NULL;
	size_t len;
	FILE *out = open_memstream(&made, &len);

	if (!out)
		return NULL;
	text_print_quoted(out, text);
	if (fclose(out) == 0)
		return made;
	free(made);
	return NULL;
}

static char *hex(const ProtobufCBinaryData *bytes)
{
	char *text = malloc(2 * bytes->len + 1);

	if (text)
		hex_encode(bytes->data, bytes->len, text);
	return text;
}

/* Of one of several that have the same label. */
struct place {
	char text[24];
};

static struct place place(size_t nth)
{
	struct place p = { "" };

	if (nth > 1)
		snprintf(p.text, sizeof(p.text), " (%zu)", nth);
	return p;
}

static char *yes(bool is)
{
	return strdup(is ? "yes" : "no");
}

static char *digest_hex(const void *bytes, size_t len)
{
	uint8_t sum[SHA3_256_LEN];
	struct err e;

	if (digest(DIGEST_SHA3_256, bytes, len, sum, &e) < 0)
		return NULL;
	return hex(&(const ProtobufCBinaryData){ sizeof(sum), sum });
}

static char *key_of(const ProtobufCBinaryData *spki)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct err e;

	if (!spki->len)
		return strdup("none");
	if (key_fingerprint(spki->data, spki->len, fingerprint, &e) < 0)
		return NULL;
	return hex(&(const ProtobufCBinaryData){ sizeof(fingerprint), fingerprint });
}

/* Where an agent would fetch it, of what is not empty. */
static void add_remote(struct manifest_facts *f, const char *what, const Cvms__Source *source,
		       const Cvms__KBSConfig *kbs)
{
	if (source && source->type[0])
		add(f, quoted(source->type), "%s: source type", what);
	if (source && source->url[0])
		add(f, quoted(source->url), "%s: source", what);
	if (source && source->kbs_resource_path[0])
		add(f, quoted(source->kbs_resource_path), "%s: key's place", what);
	if (source && source->encrypted)
		add(f, yes(true), "%s: encrypted", what);
	if (kbs && kbs->url[0])
		add(f, quoted(kbs->url), "%s: key broker", what);
	if (kbs && kbs->enabled)
		add(f, yes(true), "%s: asks a key broker", what);
}

static void add_algorithm(struct manifest_facts *f, const Cvms__Algorithm *a)
{
	add(f, quoted(a->algo_type[0] ? a->algo_type : "bin"), "algorithm: type");
	add(f, key_of(&a->userkey), "algorithm: key");
	add(f, hex(&a->hash), "algorithm: digest");
	for (size_t i = 0; i < a->n_algo_args; i++)
		add(f, quoted(a->algo_args[i]), "algorithm: argument %zu", i + 1);
	add_remote(f, "algorithm", a->source, a->kbs);
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* " (2)" for the second of those that have the same name, or none and the same content: each is told of. */
static struct place place_of_dataset(const Cvms__ComputationRunReq *m, size_t at)
{
	const Cvms__Dataset *d = m->datasets[at];
	size_t nth = 1;

	for (size_t i = 0; i < at; i++)
		nth += strcmp(m->datasets[i]->filename, d->filename) == 0 &&
		       (d->filename[0] || same_bytes(&m->datasets[i]->hash, &d->hash));
	return place(nth);
}

static struct place place_of_consumer(const Cvms__ComputationRunReq *m, size_t at)
{
	size_t nth = 1;

	for (size_t i = 0; i < at; i++)
		nth += same_bytes(&m->result_consumers[i]->userkey,
				  &m->result_consumers[at]->userkey);
	return place(nth);
}

/* By its name, or where it has none by its content. */
static void add_dataset(struct manifest_facts *f, const Cvms__ComputationRunReq *m, size_t at)
{
	const Cvms__Dataset *d = m->datasets[at];
	CLEANUP(free) char *name = d->filename[0] ? quoted(d->filename) : hex(&d->hash);
	CLEANUP(free) char *what = NULL;

	if (!name || asprintf(&what, "dataset %s%s", name, place_of_dataset(m, at).text) < 0) {
		what = NULL;
		f->bad = true;
		return;
	}
	add(f, key_of(&d->userkey), "%s: key", what);
	add(f, hex(&d->hash), "%s: digest", what);
	add(f, yes(d->decompress), "%s: unpacked", what);
	add(f, yes(manifest_is_cache(d)), "%s: cache", what);
	add_remote(f, what, d->source, d->kbs);
}

static void add_extension(struct manifest_facts *f, const Cvms__ComputationRunReq *m)
{
	static const char *const logs[] = {
		[MANIFEST_LOGS_ALL] = "all",
		[MANIFEST_LOGS_CONSUMERS] = "consumers",
		[MANIFEST_LOGS_PROVIDER] = "provider",
	};

	add(f, strdup(logs[manifest_logs(m)]), "logs");
	add(f, strdup(manifest_layout(m) == MANIFEST_LAYOUT_STOCK ? "stock" : "folders"), "layout");
	if (manifest_requirements_hash(m))
		add(f, hex(&m->cocos->requirements_hash), "algorithm: packages");
	if (manifest_may_replace(m))
		add(f, yes(true), "algorithm: may be replaced");
}

static void add_pem(struct manifest_facts *f, const char *what, const char *text)
{
	if (text[0])
		add(f, digest_hex(text, strlen(text)), "agent: %s (SHA3-256 of the text)", what);
}

/* Nothing of the private key but whether it is another one. */
static void add_listener(struct manifest_facts *f, const Cvms__AgentConfig *c)
{
	if (!c)
		return;
	add(f, yes(c->attested_tls), "agent: attested TLS");
	add(f, quoted(c->port[0] ? c->port : "7002"), "agent: port");
	if (c->log_level[0])
		add(f, quoted(c->log_level), "agent: log_level");
	add_pem(f, "cert_file", c->cert_file);
	add_pem(f, "key_file", c->key_file);
	add_pem(f, "client_ca_file", c->client_ca_file);
	add_pem(f, "server_ca_file", c->server_ca_file);
}

int manifest_facts_of(const Cvms__ComputationRunReq *m, struct manifest_facts *facts, struct err *e)
{
	const char *weak;

	add(facts, quoted(m->id), "id");
	add(facts, quoted(m->name), "name");
	add(facts, quoted(m->description), "description");
	if (m->algorithm)
		add_algorithm(facts, m->algorithm);
	for (size_t i = 0; i < m->n_datasets; i++)
		add_dataset(facts, m, i);
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		CLEANUP(free) char *key = key_of(&m->result_consumers[i]->userkey);

		add(facts, key ? yes(true) : NULL, "results for %s%s", key ? key : "",
		    place_of_consumer(m, i).text);
	}
	add_extension(facts, m);
	add_listener(facts, m->agent_config);
	for (size_t i = 0; (weak = manifest_weak(m, i)) != NULL; i++)
		add(facts, yes(true), "weakened by %s", weak);
	return facts->bad ? err_nomem(e) : 0;
}
