/* SPDX-License-Identifier: Apache-2.0 */
/* receipt_write.c — a receipt's parts in their one encoding. */
#include "attestation/receipt/receipt.h"
#include "common/base/writer.h"

static int check_counts(const struct receipt *r, struct err *e)
{
	const struct {
		const char *what;
		size_t count, max;
	} rows[] = {
		{ "datasets", r->dataset_count, RECEIPT_DATASETS_MAX },
		{ "wheels", r->wheel_count, RECEIPT_WHEELS_MAX },
		{ "arguments", r->arg_count, RECEIPT_ARGS_MAX },
		{ "bytes of a measurement", r->image_len, RECEIPT_IMAGE_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].count > rows[i].max)
			return err_set(e, ERR_EXHAUSTED, "receipt: %zu %s; at most %zu",
				       rows[i].count, rows[i].what, rows[i].max);
	if ((unsigned)r->platform >= EVIDENCE_HARDWARE_COUNT)
		return err_set(e, ERR_INVALID, "receipt: of no kind of evidence");
	return 0;
}

unsigned receipt_version(const struct receipt *r)
{
	for (size_t i = 0; i < r->dataset_count; i++)
		if (r->datasets[i].leave)
			return RECEIPT_VERSION_KEPT;
	return RECEIPT_VERSION;
}

static void put_results(const struct receipt *r, struct writer *w)
{
	datum_put_bytes(w, r->results, SHA3_256_LEN);
}

static void put_algorithm(const struct receipt *r, struct writer *w)
{
	datum_put_array(w, 3);
	datum_put_bytes(w, r->algorithm, SHA3_256_LEN);
	datum_put_text(w, r->algorithm_type);
	datum_put_bytes(w, r->algorithm_owner, SHA3_256_LEN);
}

static void put_requirements(const struct receipt *r, struct writer *w)
{
	if (r->has_requirements)
		datum_put_bytes(w, r->requirements, SHA3_256_LEN);
	else
		datum_put_null(w);
}

static void put_wheels(const struct receipt *r, struct writer *w)
{
	datum_put_array(w, r->wheel_count);
	for (size_t i = 0; i < r->wheel_count; i++) {
		datum_put_array(w, 2);
		datum_put_text(w, r->wheels[i].name);
		datum_put_bytes(w, r->wheels[i].sha256, SHA256_LEN);
	}
}

static void put_datasets(const struct receipt *r, struct writer *w)
{
	datum_put_array(w, r->dataset_count);
	for (size_t i = 0; i < r->dataset_count; i++) {
		const struct receipt_dataset *d = &r->datasets[i];

		datum_put_array(w, d->leave ? 4 : 3);
		datum_put_text(w, d->name);
		datum_put_bytes(w, d->digest, SHA3_256_LEN);
		datum_put_bytes(w, d->owner, SHA3_256_LEN);
		if (!d->leave)
			continue;
		datum_put_array(w, 2);
		datum_put_text(w, d->leave);
		datum_put_bytes(w, d->kept_of, SHA3_256_LEN);
	}
}

static void put_arguments(const struct receipt *r, struct writer *w)
{
	datum_put_array(w, r->arg_count);
	for (size_t i = 0; i < r->arg_count; i++)
		datum_put_text(w, r->args[i]);
}

static void put_limits(const struct receipt *r, struct writer *w)
{
	const struct receipt_limits *l = &r->limits;

	datum_put_array(w, 6);
	datum_put_uint(w, l->memory);
	datum_put_uint(w, l->processes);
	datum_put_uint(w, l->results);
	datum_put_uint(w, l->scratch);
	datum_put_uint(w, l->time_ms);
	datum_put_uint(w, l->processor);
}

static void put_image(const struct receipt *r, struct writer *w)
{
	datum_put_array(w, 2);
	datum_put_text(w, evidence_kind_name(r->platform));
	datum_put_bytes(w, r->image, r->image_len);
}

static void put_journal(const struct receipt *r, struct writer *w)
{
	if (!r->has_journal) {
		datum_put_null(w);
		return;
	}
	datum_put_array(w, 2);
	datum_put_uint(w, r->journal.count);
	datum_put_bytes(w, r->journal.digest, SHA256_LEN);
}

static void put_version(const struct receipt *r, struct writer *w)
{
	datum_put_uint(w, receipt_version(r));
}

static void put_computation(const struct receipt *r, struct writer *w)
{
	datum_put_text(w, r->computation);
}

static void put_manifest(const struct receipt *r, struct writer *w)
{
	datum_put_bytes(w, r->manifest, SHA3_256_LEN);
}

static void put_exit(const struct receipt *r, struct writer *w)
{
	datum_put_int(w, r->exit);
}

static void put_started(const struct receipt *r, struct writer *w)
{
	datum_put_uint(w, r->started);
}

static void put_ended(const struct receipt *r, struct writer *w)
{
	datum_put_uint(w, r->ended);
}

static void put_proof(const struct receipt *r, struct writer *w)
{
	datum_put_bytes(w, r->proof_digest, SHA256_LEN);
}

static void (*const writers[])(const struct receipt *r, struct writer *w) = {
	[RECEIPT_KEY_VERSION] = put_version,     [RECEIPT_KEY_COMPUTATION] = put_computation,
	[RECEIPT_KEY_MANIFEST] = put_manifest,   [RECEIPT_KEY_RESULTS] = put_results,
	[RECEIPT_KEY_ALGORITHM] = put_algorithm, [RECEIPT_KEY_REQUIREMENTS] = put_requirements,
	[RECEIPT_KEY_WHEELS] = put_wheels,       [RECEIPT_KEY_DATASETS] = put_datasets,
	[RECEIPT_KEY_ARGUMENTS] = put_arguments, [RECEIPT_KEY_LIMITS] = put_limits,
	[RECEIPT_KEY_EXIT] = put_exit,           [RECEIPT_KEY_IMAGE] = put_image,
	[RECEIPT_KEY_JOURNAL] = put_journal,     [RECEIPT_KEY_STARTED] = put_started,
	[RECEIPT_KEY_ENDED] = put_ended,         [RECEIPT_KEY_PROOF] = put_proof,
};
_Static_assert(ARRAY_LEN(writers) == RECEIPT_KEYS, "one for each key");

int receipt_payload_write(const struct receipt *r, struct writer *out, struct err *e)
{
	if (check_counts(r, e) < 0)
		return err_code(e);
	datum_put_map(out, RECEIPT_KEYS);
	for (size_t i = 0; i < RECEIPT_KEYS; i++) {
		datum_put_uint(out, i);
		writers[i](r, out);
	}
	return writer_check(out, "receipt", e);
}

int receipt_proof_write(const struct receipt_proof *proof, struct writer *out, struct err *e)
{
	datum_put_array(out, 3);
	datum_put_bytes(out, proof->statement.bytes, proof->statement.len);
	datum_put_bytes(out, proof->evidence.bytes, proof->evidence.len);
	datum_put_bytes(out, proof->log.bytes, proof->log.len);
	return writer_check(out, "a receipt's evidence", e);
}

int receipt_opening_write(const struct receipt_opening *opening, struct writer *out, struct err *e)
{
	datum_put_array(out, 4);
	datum_put_bytes(out, opening->salt, RECEIPT_SALT_LEN);
	datum_put_uint(out, opening->results.size);
	datum_put_bytes(out, opening->results.sha256, SHA256_LEN);
	datum_put_bytes(out, opening->results.sha3_256, SHA3_256_LEN);
	return writer_check(out, "a receipt's opening", e);
}

int receipt_commit(struct span opening, uint8_t commitment[SHA3_256_LEN], struct err *e)
{
	static const char label[] = "cocos-receipt-results-v1"; /* its final zero belongs to it */
	const struct digest_part parts[] = { { label, sizeof(label) },
					     { opening.bytes, opening.len } };

	return digest_parts(DIGEST_SHA3_256, parts, ARRAY_LEN(parts), commitment, e);
}

int receipt_put(struct span signed_message, struct span proof, struct span opening,
		struct writer *out, struct err *e)
{
	const struct cose_beside headers[] = {
		{ RECEIPT_LABEL_PROOF, proof.bytes, proof.len },
		{ RECEIPT_LABEL_OPENING, opening.bytes, opening.len },
	};
	struct cose message = { 0 };
	int failed = cose_parse(signed_message.bytes, signed_message.len, NULL, 0, &message, e);

	if (!failed)
		failed = cose_put_beside(&message, headers, opening.len ? 2 : 1, out, e);
	cose_done(&message);
	return failed ? err_wrap(e, "receipt") : 0;
}
