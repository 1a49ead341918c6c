/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim_values.h"

#include "common/base/bytes.h"

#include <stdio.h>
#include <string.h>

enum { ALG_SHA384 = 7, KEY_MEASUREMENT = 641 };

/* ---- reading ---- */

static bool text_is(const struct corim_bytes *value, const char *text)
{
	return value->len == strlen(text) && memcmp(value->bytes, text, value->len) == 0;
}

static bool begins_with(const struct corim_id *id, const char *prefix)
{
	return id->kind == CORIM_ID_TEXT && id->value.len > strlen(prefix) &&
	       memcmp(id->value.bytes, prefix, strlen(prefix)) == 0;
}

/* It says something that is not understood, and so may ask for more than is compared. */
static bool says_more(const struct corim_measurement *m)
{
	return m->other_count || m->has_more;
}

/* Nothing in it but one digest of that length, and perhaps an SVN. */
static bool take_digest(const struct corim_measurement *m, uint8_t out[SNP_DIGEST_LEN])
{
	if (m->digest_count != 1 || m->digests[0].algorithm != ALG_SHA384 || m->raw_value.bytes ||
	    m->version.bytes || says_more(m))
		return false;
	memcpy(out, m->digests[0].value.bytes, SNP_DIGEST_LEN);
	return true;
}

static bool take_raw(const struct corim_measurement *m, uint8_t *out, size_t len)
{
	if (m->raw_value.len != len || m->digest_count || m->version.bytes || says_more(m) ||
	    m->svn_kind != CORIM_SVN_NONE)
		return false;
	memcpy(out, m->raw_value.bytes, len);
	return true;
}

/* False for one twice. */
static bool take_svn(const struct corim_measurement *m, struct corim_svn *svn)
{
	if (m->svn_kind == CORIM_SVN_NONE)
		return true;
	if (svn->given)
		return false;
	*svn = (struct corim_svn){ true, m->svn_kind == CORIM_SVN_MIN, m->svn };
	return true;
}

static bool take_launch_tcb(const struct corim_measurement *m, struct corim_entry *e)
{
	return m->svn_kind != CORIM_SVN_NONE && !m->digest_count && !m->raw_value.bytes &&
	       !m->version.bytes && !says_more(m) && take_svn(m, &e->launch_tcb);
}

static bool take_policy(const struct corim_measurement *m, struct corim_entry *e)
{
	uint8_t bytes[8] = { 0 };
	struct reader r = reader_over(bytes, sizeof(bytes));

	if (e->has_policy || !take_raw(m, bytes, sizeof(bytes)))
		return false;
	e->has_policy = true;
	e->policy = reader_le64(&r);
	return true;
}

static bool take_host_data(const struct corim_measurement *m, struct corim_entry *e)
{
	if (e->has_host_data || !take_raw(m, e->host_data, sizeof(e->host_data)))
		return false;
	e->has_host_data = true;
	return true;
}

static bool read_snp_measurement(const struct corim_measurement *m, struct corim_entry *e,
				 bool *measured)
{
	bool generated = m->key.kind == CORIM_ID_UUID; /* Cocos's: one per triple, made at random */

	if (generated || (m->key.kind == CORIM_ID_UINT && m->key.number == KEY_MEASUREMENT)) {
		if (*measured || !take_digest(m, e->measurement) || !take_svn(m, &e->svn))
			return false;
		*measured = true;
		return true;
	}
	if (m->key.kind != CORIM_ID_UINT)
		return false;
	switch (m->key.number) {
	case CORIM_KEY_POLICY:
		return take_policy(m, e);
	case CORIM_KEY_HOST_DATA:
		return take_host_data(m, e);
	case CORIM_KEY_LAUNCH_TCB:
		return take_launch_tcb(m, e);
	default:
		return false;
	}
}

/* The instance says which product; the class is a random UUID in every file and says nothing. */
static enum snp_product product_of(const struct corim_reference *ref)
{
	uint8_t uuid[CORIM_UUID_LEN];
	struct err ignored;

	for (enum snp_product p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		if (ref->instance.kind == CORIM_ID_UUID &&
		    corim_product_uuid(snp_product_name(p), uuid, &ignored) == 0 &&
		    memcmp(ref->instance.value.bytes, uuid, sizeof(uuid)) == 0)
			return p;
	return SNP_PRODUCT_ANY;
}

static bool read_snp(const struct corim_reference *ref, struct corim_entry *e)
{
	bool measured = false;

	e->product = product_of(ref);
	for (size_t i = 0; i < ref->count; i++)
		if (!read_snp_measurement(&ref->measurements[i], e, &measured))
			return false;
	return measured && e->product != SNP_PRODUCT_ANY;
}

/* By name; or all six under random UUIDs, told apart by their order alone. */
static size_t place_of(const struct corim_reference *ref, size_t i)
{
	const struct corim_id *key = &ref->measurements[i].key;

	if (key->kind == CORIM_ID_UUID)
		return ref->count == CORIM_MRS ? i : CORIM_MRS;
	for (size_t k = 0; k < CORIM_MRS; k++)
		if (key->kind == CORIM_ID_TEXT && text_is(&key->value, corim_mr_names[k]))
			return k;
	return CORIM_MRS;
}

static bool read_tdx(const struct corim_reference *ref, struct corim_entry *e)
{
	e->tdx = true;
	for (size_t i = 0; i < ref->count; i++) {
		const struct corim_measurement *m = &ref->measurements[i];
		size_t place = place_of(ref, i);

		/* Only MRTD has an SVN beside it. */
		if (place == CORIM_MRS || e->has_mr[place] || !take_digest(m, e->mr[place]) ||
		    (place && m->svn_kind != CORIM_SVN_NONE) || !take_svn(m, &e->svn))
			return false;
		e->has_mr[place] = true;
	}
	return e->has_mr[0];
}

static bool read_entry(const struct corim_tag *tag, const struct corim_reference *ref,
		       struct corim_entry *e)
{
	*e = (struct corim_entry){ .tdx = false };
	if (ref->group.kind != CORIM_ID_NONE || ref->vendor.bytes || ref->model.bytes ||
	    ref->has_layer || ref->has_more || ref->class_id.kind != CORIM_ID_UUID)
		return false;
	if (begins_with(&tag->id, "snp-tag-"))
		return read_snp(ref, e);
	return begins_with(&tag->id, "tdx-tag-") && ref->instance.kind == CORIM_ID_NONE &&
	       read_tdx(ref, e);
}

/* A profile would change what the rest means. */
static int read_entries(const struct corim *c, struct corim_values *values, struct err *e)
{
	size_t room = 0;

	for (size_t i = 0; i < c->count; i++)
		room += c->tags[i].count;
	values->entries = calloc(room + 1, sizeof(*values->entries));
	if (!values->entries)
		return err_nomem(e);
	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < c->tags[i].count; k++)
			if (c->profile.kind == CORIM_ID_NONE && c->tags[i].triple_count == 1 &&
			    read_entry(&c->tags[i], &c->tags[i].references[k],
				       &values->entries[values->count]))
				values->count++;
			else
				values->unusable++;
	return 0;
}

int corim_values_read(struct span file, EVP_PKEY *key, int64_t at, struct corim_values *values,
		      struct err *e)
{
	struct corim *c = calloc(1, sizeof(*c));
	int failed = 0;

	memset(values, 0, sizeof(*values));
	values->is_signed = key != NULL;
	if (!c)
		return err_nomem(e);
	if (corim_parse(file.bytes, file.len, key, at, c, e) < 0) {
		snprintf(values->problem, sizeof(values->problem), "%s", e->text);
	} else {
		failed = read_entries(c, values, e);
		corim_done(c);
	}
	free(c);
	return failed ? failed : digest(DIGEST_SHA256, file.bytes, file.len, values->digest, e);
}

void corim_values_done(struct corim_values *values)
{
	for (size_t i = 0; i < values->set_count; i++)
		free(values->sets[i]);
	free(values->entries);
	memset(values, 0, sizeof(*values));
}

/* ---- as a policy ---- */

static int set_make(struct corim_values *values, bool tdx, size_t at, size_t len, size_t flag,
		    const uint8_t **set, size_t *count, struct err *e)
{
	uint8_t *made = calloc(values->count + 1, len);
	size_t n = 0;

	if (!made)
		return err_nomem(e);
	for (size_t i = 0; i < values->count; i++) {
		const uint8_t *entry = (const uint8_t *)&values->entries[i];

		if (values->entries[i].tdx == tdx && (!flag || *(const bool *)(entry + flag)))
			memcpy(made + len * n++, entry + at, len);
	}
	values->sets[values->set_count++] = made;
	*set = made;
	*count = n;
	return 0;
}

#define ALLOWING (SNP_POLICY_SMT | SNP_POLICY_MIGRATE_MA | SNP_POLICY_CXL_ALLOW)

static int policy_snp(struct corim_values *values, struct policy *p, struct err *e)
{
	bool host_data = false;

	for (size_t i = 0; i < values->count; i++)
		host_data = host_data || values->entries[i].has_host_data;
	values->fills_host_data = host_data && !p->snp.host_data.count && !p->snp.host_data_of_run;
	values->fills_policy = !p->has_snp;
	if (!p->snp.measurements.count &&
	    set_make(values, false, offsetof(struct corim_entry, measurement), SNP_DIGEST_LEN, 0,
		     &p->snp.measurements.values, &p->snp.measurements.count, e) < 0)
		return err_code(e);
	if (values->fills_host_data &&
	    set_make(values, false, offsetof(struct corim_entry, host_data), SNP_HOST_DATA_LEN, 0,
		     &p->snp.host_data.values, &p->snp.host_data.count, e) < 0)
		return err_code(e);
	/* A POLICY that a reference demands exactly is allowed, but for debug, which nothing
	 * allows. */
	for (size_t i = 0; i < values->count && values->fills_policy; i++)
		if (values->entries[i].has_policy)
			p->snp.guest_policy |= values->entries[i].policy & ALLOWING;
	p->has_snp = true;
	return 0;
}

static int policy_tdx(struct corim_values *values, struct policy *p, struct err *e)
{
	/* A module that nobody names is Intel's to vouch for: MRSEAM is compared, no set is made.
	 */
	struct value_set *const sets[CORIM_MRS] = { &p->tdx.mrtd,    NULL,
						    &p->tdx.rtmr[0], &p->tdx.rtmr[1],
						    &p->tdx.rtmr[2], &p->tdx.rtmr[3] };

	for (size_t i = 0; i < CORIM_MRS; i++) {
		if (!sets[i] || sets[i]->count || (i == CORIM_MRS - 1 && p->tdx.of_run))
			continue;
		if (set_make(values, true, offsetof(struct corim_entry, mr) + i * TDX_MR_LEN,
			     TDX_MR_LEN, offsetof(struct corim_entry, has_mr) + i * sizeof(bool),
			     &sets[i]->values, &sets[i]->count, e) < 0)
			return err_code(e);
		values->fills_mr[i] = sets[i]->count > 0;
	}
	p->has_tdx = true;
	return 0;
}

int corim_values_policy(struct corim_values *values, struct policy *policy, struct err *e)
{
	bool snp = false, tdx = false;

	for (size_t i = 0; i < values->count; i++) {
		snp = snp || !values->entries[i].tdx;
		tdx = tdx || values->entries[i].tdx;
	}
	if (snp && policy_snp(values, policy, e) < 0)
		return err_code(e);
	return tdx ? policy_tdx(values, policy, e) : 0;
}

/* ---- judging ---- */

static bool svn_holds(const struct corim_svn *wanted, uint64_t found)
{
	return !wanted->given ||
	       (wanted->at_least ? found >= wanted->number : found == wanted->number);
}

static bool tcb_holds(const struct corim_svn *wanted, const uint8_t found[SNP_TCB_LEN],
		      enum snp_product product)
{
	uint8_t bytes[SNP_TCB_LEN];

	bytes_put_le(bytes, wanted->number, sizeof(bytes));
	if (!wanted->given || memcmp(found, bytes, sizeof(bytes)) == 0)
		return true;
	const struct snp_tcb floor = snp_tcb_of(bytes, product), has = snp_tcb_of(found, product);
	return wanted->at_least && snp_tcb_at_least(&has, &floor);
}

/* What another entry says must not speak for this one. */
static bool silent_snp(const struct corim_values *values, const struct corim_entry *e,
		       const struct snp_report *r)
{
	return (e->has_policy || !values->fills_policy || !(r->policy & ALLOWING)) &&
	       (e->has_host_data || !values->fills_host_data ||
		bytes_are(r->host_data, SNP_HOST_DATA_LEN, 0));
}

static bool describes_snp(const struct corim_values *values, const struct corim_entry *e,
			  const struct snp_result *result)
{
	const struct snp_report *r = &result->report;

	return !e->tdx && e->product == result->product &&
	       memcmp(e->measurement, r->measurement, SNP_DIGEST_LEN) == 0 &&
	       svn_holds(&e->svn, r->guest_svn) && (!e->has_policy || e->policy == r->policy) &&
	       (!e->has_host_data || memcmp(e->host_data, r->host_data, SNP_HOST_DATA_LEN) == 0) &&
	       tcb_holds(&e->launch_tcb, r->launch_tcb, result->product) &&
	       silent_snp(values, e, r);
}

static bool describes_tdx(const struct corim_values *values, const struct corim_entry *e,
			  const struct tdx_body *b)
{
	const uint8_t *const found[CORIM_MRS] = { b->mrtd,    b->mrseam,  b->rtmr[0],
						  b->rtmr[1], b->rtmr[2], b->rtmr[3] };

	if (!e->tdx)
		return false;
	for (size_t i = 0; i < CORIM_MRS; i++)
		if (e->has_mr[i] ? memcmp(e->mr[i], found[i], TDX_MR_LEN) != 0
				 : values->fills_mr[i])
			return false;
	return svn_holds(&e->svn, b->tee_tcb_svn[0]);
}

void corim_judge_file(const struct corim_values *values, struct verdict *v)
{
	bool good = !values->problem[0];

	verdict_check(v, CHECK_CORIM_ACCEPTED, good, good ? "" : values->problem,
		      values->is_signed
			      ? "a CoRIM signed by the key that was named"
			      : "an unsigned CoRIM, or the key of a signed one (--corim_key)");
}

static void conclude(const struct corim_values *values, bool described, struct verdict *v)
{
	verdict_checkf(v, CHECK_CORIM_REFERENCE, described, "one that describes this evidence",
		       described ? "one of %zu entries; %zu are not understood"
				 : "none of %zu entries; %zu more are not understood",
		       values->count, values->unusable);
}

void corim_judge_snp(const struct corim_values *values, const struct snp_result *result,
		     struct verdict *v)
{
	bool described = false;

	for (size_t i = 0; i < values->count; i++)
		described = described || describes_snp(values, &values->entries[i], result);
	conclude(values, described, v);
}

void corim_judge_tdx(const struct corim_values *values, const struct tdx_result *result,
		     struct verdict *v)
{
	bool described = false;

	for (size_t i = 0; i < values->count; i++)
		described = described ||
			    describes_tdx(values, &values->entries[i], &result->quote.body);
	conclude(values, described, v);
}
