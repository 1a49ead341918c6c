/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/device.h"

#include "attestation/formats/ecdsa.h"
#include "common/base/log.h"
#include "common/crypto/key.h"
#include "tests/forge/must.h"

#include <errno.h>
#include <string.h>

static int read_key(const char *pem, EVP_PKEY **key, struct err *e)
{
	return key_from_private_pem(pem, strlen(pem), NULL, NULL, key, e);
}

static int take_credentials(struct device *d, struct err *e)
{
	struct facts_credentials *c = &d->facts.credentials;

	if (read_key(c->leaf_key, &d->leaf, e) < 0 ||
	    (c->attestation_key && read_key(c->attestation_key, &d->attestation, e) < 0))
		return err_wrap(e, "credentials");
	d->pck_chain = TAKE_PTR(c->pck_chain);
	d->table = writer_up_to(c->table_len);
	writer_bytes(&d->table, c->table, c->table_len);
	return writer_check(&d->table, "the certificate table", e);
}

int device_open(struct device *d, struct facts *facts, struct vendor *vendor,
		const char *faults_file, struct err *e)
{
	*d = (struct device){ .facts = *facts, .vendor = vendor, .faults_file = faults_file };
	memset(facts, 0, sizeof(*facts));
	if (!d->facts.has_credentials && !vendor)
		return err_set(e, ERR_INVALID,
			       "the facts have no credentials, and --keys is missing");
	if (!d->facts.has_credentials && vendor_credentials(vendor, &d->facts, e) < 0)
		return err_code(e);
	return take_credentials(d, e);
}

void device_done(struct device *d)
{
	facts_done(&d->facts);
	EVP_PKEY_free(d->leaf);
	EVP_PKEY_free(d->attestation);
	free(d->pck_chain);
	writer_done(&d->table);
	free(d->last);
	memset(d, 0, sizeof(*d));
}

/* ---- SEV-SNP ---- */

static void set_tcb(struct snp_report *r, const struct forge_chip *chip)
{
	snp_tcb_bytes(&chip->tcb, chip->product, r->reported_tcb);
	memcpy(r->committed_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->current_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->launch_tcb, r->reported_tcb, SNP_TCB_LEN);
}

/* Faults that change the chip itself; its certificates follow, or do not. */
static int change_chip(struct device *d, const struct faults *f, struct snp_report *r,
		       struct writer *table)
{
	struct forge_chip chip = d->facts.chip;
	CLEANUP_VENDOR_CHAIN struct vendor_chain chain = { 0 };
	struct err e;

	if (f->on[FAULT_TCB_CLAIM]) {
		chip.tcb.snp++;
		set_tcb(r, &chip);
		return 0;
	}
	if (!f->on[FAULT_OTHER_CHIP] && !f->on[FAULT_TCB_CHANGE])
		return 0;
	if (f->on[FAULT_TCB_CHANGE])
		chip.tcb.snp--;
	else
		chip.chip_id[0] ^= 1;
	if (!d->vendor || vendor_chain(d->vendor, &chip, &chain, &e) < 0)
		return -EIO; /* only with the keys */
	set_tcb(r, &chip);
	memcpy(r->chip_id, chip.chip_id, sizeof(r->chip_id));
	table->len = 0;
	table->max = chain.table.len;
	writer_bytes(table, chain.table.bytes, chain.table.len);
	return table->bad ? -ENOMEM : 0;
}

static void change_report(const struct faults *f, struct snp_report *r)
{
	r->vmpl = f->on[FAULT_OTHER_VMPL] ? (r->vmpl + 1) & 3 : r->vmpl;
	r->measurement[0] ^= f->on[FAULT_OTHER_MEASUREMENT];
	r->report_id[0] ^= f->on[FAULT_OTHER_REPORT_ID];
	r->host_data[0] ^= f->on[FAULT_OTHER_HOST_DATA];
	r->report_data[0] ^= f->on[FAULT_WRONG_REPORT_DATA];
	r->policy |= f->on[FAULT_DEBUG] ? SNP_POLICY_DEBUG : 0;
}

static int report_snp(struct device *d, const struct faults *f, const uint8_t *report_data,
		      unsigned privlevel, struct device_answer *a)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *stranger = NULL;
	CLEANUP_WRITER struct writer table = writer_up_to(d->table.len);
	struct snp_report r = d->facts.report;

	memcpy(r.report_data, report_data, sizeof(r.report_data));
	r.vmpl = privlevel;
	writer_bytes(&table, d->table.bytes, d->table.len);
	int failed = change_chip(d, f, &r, &table);
	if (failed)
		return failed;
	change_report(f, &r);
	if (f->on[FAULT_WRONG_KEY])
		MUST(stranger = EVP_EC_gen("P-384"));
	MUST(a->report = malloc(SNP_REPORT_LEN + 1));
	forge_sign(&r, stranger ? stranger : d->leaf, a->report);
	a->len = SNP_REPORT_LEN;
	if (f->on[FAULT_WRONG_SIGNATURE]) {
		r.signature_r[0] ^= 1;
		snp_report_write(&r, a->report);
	}
	if (!f->on[FAULT_NO_CERTIFICATES])
		a->table = writer_take(&table, &a->table_len);
	return 0;
}

/* ---- TDX ---- */

static void change_quote(const struct faults *f, struct forge_quote *q)
{
	q->body.mrtd[0] ^= f->on[FAULT_OTHER_MEASUREMENT];
	q->body.mrconfigid[0] ^= f->on[FAULT_OTHER_HOST_DATA];
	q->body.reportdata[0] ^= f->on[FAULT_WRONG_REPORT_DATA];
	q->body.tdattributes[0] |= f->on[FAULT_DEBUG];
	if (f->on[FAULT_TCB_CHANGE]) { /* a module that the TCB info calls out of date */
		q->body.tee_tcb_svn[0] = 3;
		if (q->body_type == TDX_BODY_15)
			q->body.tee_tcb_svn2[0] = 3;
	}
}

/* A fault that only SNP has, or that the forge can't make, is refused and not ignored. */
static bool tdx_can(const struct faults *f)
{
	static const enum fault none[] = { FAULT_OTHER_REPORT_ID, FAULT_TCB_CLAIM, FAULT_OTHER_VMPL,
					   FAULT_NO_CERTIFICATES };

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (f->on[none[i]])
			return false;
	return true;
}

static int spoil_signature(const struct faults *f, uint8_t *bytes, size_t len)
{
	struct tdx_quote q;
	struct err e;

	if (tdx_quote_parse(bytes, len, &q, &e) < 0)
		return -EIO;
	if (f->on[FAULT_WRONG_SIGNATURE])
		bytes[q.signature.bytes - bytes] ^= 1;
	if (f->on[FAULT_WRONG_KEY]) /* another attestation key signs than the named one */
		bytes[q.key.bytes - bytes] ^= 1;
	return 0;
}

static int report_tdx(struct device *d, const struct faults *f, const uint8_t *report_data,
		      struct device_answer *a)
{
	struct tdx_forge forge = { 0 };
	struct forge_quote q = d->facts.quote;
	struct err e;

	if (!tdx_can(f))
		return -EINVAL;
	memcpy(q.body.reportdata, report_data, sizeof(q.body.reportdata));
	change_quote(f, &q);
	MUST(a->report = malloc(FORGE_QUOTE_MAX + 1));
	if (f->on[FAULT_OTHER_CHIP]) {
		if (!d->vendor || vendor_tdx_platform(d->vendor, 0x5a, &forge, &e) < 0)
			return -EIO;
		a->len = tdx_forge_quote(&forge, &q, a->report);
		tdx_forge_done(&forge);
	} else {
		forge.keys[FORGE_PCK] = d->leaf;
		forge.keys[FORGE_ATTESTATION] = d->attestation;
		forge.pck_chain = d->pck_chain;
		a->len = tdx_forge_quote(&forge, &q, a->report);
	}
	return spoil_signature(f, a->report, a->len);
}

/* ---- both ---- */

static void remember(struct device *d, const struct device_answer *a)
{
	free(d->last);
	MUST(d->last = malloc(a->len));
	memcpy(d->last, a->report, a->len);
	d->last_len = a->len;
}

static void answer_with_last(struct device *d, struct device_answer *a)
{
	free(a->report);
	MUST(a->report = malloc(d->last_len + 1));
	memcpy(a->report, d->last, d->last_len);
	a->len = d->last_len;
}

int device_report(struct device *d, const uint8_t report_data[DEVICE_REPORT_DATA_LEN],
		  unsigned privlevel, struct device_answer *a)
{
	struct faults f;
	struct err e;
	int failed;

	memset(a, 0, sizeof(*a));
	if (faults_read(d->faults_file, &f, &e) < 0) {
		log_error("faults: %s", e.text);
		return -EINVAL;
	}
	if (f.on[FAULT_BUSY] || f.on[FAULT_TIMEOUT] || f.on[FAULT_IO])
		return f.on[FAULT_BUSY] ? -EBUSY : f.on[FAULT_TIMEOUT] ? -ETIMEDOUT : -EIO;
	failed = d->facts.tee == FACTS_TDX ? report_tdx(d, &f, report_data, a)
					   : report_snp(d, &f, report_data, privlevel, a);
	if (failed) {
		free(a->report);
		free(a->table);
		return failed;
	}
	if (f.on[FAULT_STALE_REPORT] && d->last)
		answer_with_last(d, a);
	remember(d, a);
	if (f.on[FAULT_TRUNCATED])
		a->len /= 2;
	if (f.on[FAULT_TRAILING])
		a->report[a->len++] = 1;
	a->raced = f.on[FAULT_STALE_GENERATION];
	return 0;
}

int device_extend(struct device *d, size_t rtmr, const uint8_t value[SHA384_LEN])
{
	uint8_t *at = d->facts.quote.body.rtmr[rtmr];
	const struct digest_part parts[] = { { at, SHA384_LEN }, { value, SHA384_LEN } };
	uint8_t extended[SHA384_LEN];
	struct err e;

	if (digest_parts(DIGEST_SHA384, parts, ARRAY_LEN(parts), extended, &e) < 0)
		return -EIO;
	memcpy(at, extended, sizeof(extended));
	return 0;
}
