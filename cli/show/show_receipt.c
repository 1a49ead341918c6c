/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show/show_receipt.h"

#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote_shown(w, text, strlen(text));
}

static void put_number(struct writer *w, const char *key, uint64_t number)
{
	json_put_key(w, key);
	writer_printf(w, "%" PRIu64, number);
}

static void open_object(struct writer *w, const char *key)
{
	json_put_key(w, key);
	writer_text(w, "{");
}

static void put_time(struct writer *w, const char *key, uint64_t seconds)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_format((int64_t)seconds, text);
	put_text(w, key, text);
}

static void put_limits(const struct receipt_limits *l, struct writer *w)
{
	open_object(w, "limits");
	put_number(w, "memory", l->memory);
	put_number(w, "processes", l->processes);
	put_number(w, "results", l->results);
	put_number(w, "scratch", l->scratch);
	put_number(w, "time_ms", l->time_ms);
	put_number(w, "processor", l->processor);
	writer_text(w, "}");
}

static void put_arguments(const struct receipt *r, struct writer *w)
{
	json_put_key(w, "arguments");
	writer_text(w, "[");
	for (size_t i = 0; i < r->arg_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, r->args[i], strlen(r->args[i]));
	}
	writer_text(w, "]");
}

/* By which leave it was used again, and whose run it came in. */
static void put_kept(const struct receipt_dataset *d, struct writer *w)
{
	if (!d->leave)
		return;
	open_object(w, "kept");
	put_text(w, "consent", d->leave);
	json_put_hex(w, "manifest", d->kept_of, SHA3_256_LEN);
	writer_text(w, "}");
}

/* ---- as we write it ---- */

static void put_inputs(const struct receipt *r, struct writer *w)
{
	open_object(w, "algorithm");
	json_put_hex(w, "sha3_256", r->algorithm, SHA3_256_LEN);
	put_text(w, "type", r->algorithm_type);
	json_put_hex(w, "owner", r->algorithm_owner, SHA3_256_LEN);
	writer_text(w, "}");
	if (r->has_requirements) {
		open_object(w, "requirements");
		json_put_hex(w, "sha3_256", r->requirements, SHA3_256_LEN);
		writer_text(w, "}");
	}
	json_put_key(w, "wheels");
	writer_text(w, "[");
	for (size_t i = 0; i < r->wheel_count; i++) {
		writer_text(w, i ? ",{" : "{");
		put_text(w, "name", r->wheels[i].name);
		json_put_hex(w, "sha256", r->wheels[i].sha256, SHA256_LEN);
		writer_text(w, "}");
	}
	writer_text(w, "]");
	json_put_key(w, "datasets");
	writer_text(w, "[");
	for (size_t i = 0; i < r->dataset_count; i++) {
		writer_text(w, i ? ",{" : "{");
		put_text(w, "name", r->datasets[i].name);
		json_put_hex(w, "sha3_256", r->datasets[i].digest, SHA3_256_LEN);
		json_put_hex(w, "owner", r->datasets[i].owner, SHA3_256_LEN);
		put_kept(&r->datasets[i], w);
		writer_text(w, "}");
	}
	writer_text(w, "]");
	put_arguments(r, w);
}

static void put_journal(const struct receipt *r, struct writer *w)
{
	open_object(w, "journal");
	put_number(w, "entries", r->journal.count);
	json_put_hex(w, "digest", r->journal.digest, SHA256_LEN);
	writer_text(w, "}");
}

void show_receipt(const struct receipt *r, struct writer *w)
{
	put_number(w, "receipt", receipt_version(r));
	put_text(w, "computation", r->computation);
	json_put_hex(w, "manifest", r->manifest, SHA3_256_LEN);
	open_object(w, "results");
	json_put_hex(w, "commitment", r->results, SHA3_256_LEN);
	if (r->is_open) {
		put_number(w, "size", r->opening.results.size);
		json_put_hex(w, "sha256", r->opening.results.sha256, SHA256_LEN);
		json_put_hex(w, "sha3_256", r->opening.results.sha3_256, SHA3_256_LEN);
	}
	writer_text(w, "}");
	put_inputs(r, w);
	put_limits(&r->limits, w);
	json_put_key(w, "exit_status");
	writer_printf(w, "%" PRId64, r->exit);
	open_object(w, "image");
	put_text(w, "kind", evidence_kind_name(r->platform));
	json_put_hex(w, "measurement", r->image, r->image_len);
	writer_text(w, "}");
	if (r->has_journal)
		put_journal(r, w);
	put_time(w, "started", r->started);
	put_time(w, "ended", r->ended);
	put_number(w, "statement_bytes", r->proof.statement.len);
	put_number(w, "evidence_bytes", r->proof.evidence.len);
	put_number(w, "event_log_bytes", r->proof.log.len);
}

/* ---- as in-toto and SLSA have it ---- */

struct dependency {
	const char *role, *name, *kind; /* the kind of digest; "" has no name but its role */
	const uint8_t *bytes, *owner;
	const struct receipt_dataset *dataset; /* or NULL */
};

/* in-toto ResourceDescriptor: name, one digest, who owns it and how it came (annotations). */
static void put_dependency(struct writer *w, const struct dependency *d)
{
	size_t last = w->len;

	writer_text(w, last && w->bytes[last - 1] == '[' ? "{" : ",{");
	put_text(w, "name", d->name[0] ? d->name : d->role);
	open_object(w, "digest");
	json_put_hex(w, d->kind, d->bytes, SHA256_LEN);
	writer_text(w, "}");
	open_object(w, "annotations");
	put_text(w, "role", d->role);
	if (d->owner)
		json_put_hex(w, "owner", d->owner, SHA3_256_LEN);
	if (d->dataset)
		put_kept(d->dataset, w);
	writer_text(w, "}}");
}

/* SLSA Provenance v1, buildDefinition.resolvedDependencies. */
static void put_dependencies(const struct receipt *r, struct writer *w)
{
	json_put_key(w, "resolvedDependencies");
	writer_text(w, "[");
	put_dependency(w, &(struct dependency){ "algorithm", "", "sha3_256", r->algorithm,
						r->algorithm_owner, NULL });
	if (r->has_requirements)
		put_dependency(w, &(struct dependency){ "requirements", "", "sha3_256",
							r->requirements, NULL, NULL });
	for (size_t i = 0; i < r->wheel_count; i++)
		put_dependency(w, &(struct dependency){ "wheel", r->wheels[i].name, "sha256",
							r->wheels[i].sha256, NULL, NULL });
	for (size_t i = 0; i < r->dataset_count; i++) {
		const struct receipt_dataset *d = &r->datasets[i];

		put_dependency(w, &(struct dependency){ "dataset", d->name, "sha3_256", d->digest,
							d->owner, d });
	}
	writer_text(w, "]");
}

static void put_build_definition(const struct receipt *r, struct writer *w)
{
	open_object(w, "buildDefinition");
	put_text(w, "buildType", "urn:cocos:computation:v1");
	open_object(w, "externalParameters");
	put_text(w, "computation", r->computation);
	open_object(w, "manifest");
	json_put_hex(w, "sha3_256", r->manifest, SHA3_256_LEN);
	writer_text(w, "}");
	put_text(w, "algorithmType", r->algorithm_type);
	put_arguments(r, w);
	writer_text(w, "}");
	open_object(w, "internalParameters");
	put_limits(&r->limits, w);
	writer_text(w, "}");
	put_dependencies(r, w);
	writer_text(w, "}");
}

/* runDetails.builder.id is a URI: who says 'this image' means this one. */
static void put_run_details(const struct receipt *r, struct writer *w)
{
	open_object(w, "runDetails");
	open_object(w, "builder");
	json_put_key(w, "id");
	writer_printf(w, "\"urn:cocos:image:%s:", evidence_kind_name(r->platform));
	writer_hex(w, r->image, r->image_len);
	writer_text(w, "\"}");
	open_object(w, "metadata");
	put_text(w, "invocationId", r->computation);
	put_time(w, "startedOn", r->started);
	put_time(w, "finishedOn", r->ended);
	writer_text(w, "}");
	json_put_key(w, "byproducts");
	writer_text(w, "[");
	if (r->has_journal) {
		writer_text(w, "{");
		put_text(w, "name", "journal");
		open_object(w, "digest");
		json_put_hex(w, "sha256", r->journal.digest, SHA256_LEN);
		writer_text(w, "}");
		open_object(w, "annotations");
		put_number(w, "entries", r->journal.count);
		writer_text(w, "}}");
	}
	writer_text(w, "]}");
}

void show_receipt_slsa(const struct receipt *r, struct writer *w)
{
	writer_text(w, "{");
	put_text(w, "_type", "https://in-toto.io/Statement/v1");
	json_put_key(w, "subject");
	writer_text(w, "[{");
	put_text(w, "name", "results.zip");
	open_object(w, "digest");
	json_put_hex(w, "sha256", r->opening.results.sha256, SHA256_LEN);
	json_put_hex(w, "sha3_256", r->opening.results.sha3_256, SHA3_256_LEN);
	writer_text(w, "}}]");
	put_text(w, "predicateType", "https://slsa.dev/provenance/v1");
	open_object(w, "predicate");
	put_build_definition(r, w);
	put_run_details(r, w);
	writer_text(w, "}}");
}
