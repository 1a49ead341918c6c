/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_vcek.h"

#include "common/base/der.h"

#include <string.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."

enum needs {
	ALWAYS,
	TURIN_ONLY,
	NOT_TURIN,
	VCEK_ONLY,
	VLEK_ONLY,
};

typedef int read_fn(struct span value, void *to, struct err *e);

static int read_number(struct span value, uint64_t max, uint64_t *number, struct err *e)
{
	struct reader r = span_reader(value);

	*number = der_u64(&r);
	if (!reader_done(&r) || *number > max)
		return err_set(e, ERR_INVALID, "wanted an INTEGER from 0 to %llu",
			       (unsigned long long)max);
	return 0;
}

static int read_struct_version(struct span value, void *to, struct err *e)
{
	return read_number(value, UINT32_MAX, to, e);
}

static int read_spl(struct span value, void *to, struct err *e)
{
	uint64_t number;

	if (read_number(value, UINT8_MAX, &number, e) < 0)
		return err_code(e);
	*(uint8_t *)to = (uint8_t)number;
	return 0;
}

static int read_text(struct span value, char *text, size_t size, struct err *e)
{
	struct reader r = span_reader(value);
	struct span body = der_body(&r, DER_IA5_STRING);
	bool printable = true;

	for (size_t i = 0; i < body.len; i++)
		printable = printable && body.bytes[i] >= 0x20 && body.bytes[i] <= 0x7e;
	if (!reader_done(&r) || body.len == 0 || body.len >= size || !printable)
		return err_set(e, ERR_INVALID, "wanted an IA5String of 1 to %zu characters",
			       size - 1);
	memcpy(text, body.bytes, body.len);
	return 0;
}

static int read_product_name(struct span value, void *to, struct err *e)
{
	return read_text(value, to, SNP_VCEK_NAME_MAX, e);
}

static int read_csp_id(struct span value, void *to, struct err *e)
{
	return read_text(value, to, SNP_CSP_ID_MAX, e);
}

/* Its length is looked at when the product is known; the rest of hwid stays zero. */
static int read_hwid(struct span value, void *to, struct err *e)
{
	if (value.len != SNP_TURIN_HWID_LEN && value.len != SNP_CHIP_ID_LEN)
		return err_set(e, ERR_INVALID, "%zu bytes; wanted %d, on Turin %d", value.len,
			       SNP_CHIP_ID_LEN, SNP_TURIN_HWID_LEN);
	memcpy(to, value.bytes, value.len);
	return 0;
}

static const struct row {
	const char *name, *oid;
	enum needs needs;
	read_fn *read;
	size_t at; /* in struct snp_vcek */
} rows[] = {
	{ "structVersion", AMD_ARC "1", ALWAYS, read_struct_version,
	  offsetof(struct snp_vcek, struct_version) },
	{ "productName", AMD_ARC "2", ALWAYS, read_product_name,
	  offsetof(struct snp_vcek, product_name) },
	{ "blSPL", AMD_ARC "3.1", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.bootloader) },
	{ "teeSPL", AMD_ARC "3.2", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.tee) },
	{ "snpSPL", AMD_ARC "3.3", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.snp) },
	{ "spl4", AMD_ARC "3.4", NOT_TURIN, read_spl, offsetof(struct snp_vcek, tcb.spl[0]) },
	{ "spl5", AMD_ARC "3.5", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.spl[1]) },
	{ "spl6", AMD_ARC "3.6", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.spl[2]) },
	{ "spl7", AMD_ARC "3.7", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.spl[3]) },
	{ "ucodeSPL", AMD_ARC "3.8", ALWAYS, read_spl, offsetof(struct snp_vcek, tcb.microcode) },
	{ "fmcSPL", AMD_ARC "3.9", TURIN_ONLY, read_spl, offsetof(struct snp_vcek, tcb.fmc) },
	{ "hwID", AMD_ARC "4", VCEK_ONLY, read_hwid, offsetof(struct snp_vcek, hwid) },
	{ "cspID", AMD_ARC "5", VLEK_ONLY, read_csp_id, offsetof(struct snp_vcek, csp_id) },
};

static bool called_for(enum needs needs, const struct snp_vcek *v)
{
	switch (needs) {
	case TURIN_ONLY:
		return v->product == SNP_TURIN;
	case NOT_TURIN:
		return v->product != SNP_TURIN;
	case VCEK_ONLY:
		return v->kind == SNP_KEY_VCEK;
	case VLEK_ONLY:
		return v->kind == SNP_KEY_VLEK;
	default:
		return true;
	}
}

static int read_row(const struct x509 *cert, const struct row *row, struct snp_vcek *v,
		    struct err *e)
{
	const struct x509_extension *x = x509_extension_of(cert, row->oid);

	if (!x != !called_for(row->needs, v))
		return err_set(e, ERR_INVALID, "extension %s (%s) %s", row->name, row->oid,
			       x ? "does not belong here" : "is missing");
	if (x && row->read(x->value, (uint8_t *)v + row->at, e) < 0)
		return err_wrap(e, "extension %s (%s)", row->name, row->oid);
	if (x && row->at == offsetof(struct snp_vcek, hwid))
		v->hwid_len = x->value.len;
	/* Rows after this one depend on the product. */
	if (row->at == offsetof(struct snp_vcek, product_name)) {
		v->product = snp_product_of_extension(v->product_name);
		if (v->product == SNP_PRODUCT_ANY)
			return err_set(e, ERR_INVALID, "extension productName: '%s' is unknown",
				       v->product_name);
	}
	return 0;
}

int snp_vcek_kind(const struct x509 *cert, enum snp_signing_key *kind, struct err *e)
{
	char name[SNP_VCEK_NAME_MAX];

	if (x509_common_name(cert->subject, name, sizeof(name), e) < 0)
		return err_wrap(e, "subject");
	if (strcmp(name, "SEV-VCEK") == 0)
		*kind = SNP_KEY_VCEK;
	else if (strcmp(name, "SEV-VLEK") == 0)
		*kind = SNP_KEY_VLEK;
	else
		return err_set(e, ERR_INVALID, "subject '%s'; wanted SEV-VCEK or SEV-VLEK", name);
	return 0;
}

int snp_vcek_read(const struct x509 *cert, struct snp_vcek *out, struct err *e)
{
	struct snp_vcek v = { 0 };
	uint64_t version_wanted;

	if (snp_vcek_kind(cert, &v.kind, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (read_row(cert, &rows[i], &v, e) < 0)
			return err_code(e);
	version_wanted = v.product == SNP_TURIN ? 1 : 0;
	if (v.struct_version != version_wanted)
		return err_set(e, ERR_INVALID, "structVersion %llu; wanted %llu",
			       (unsigned long long)v.struct_version,
			       (unsigned long long)version_wanted);
	if (v.hwid_len &&
	    v.hwid_len != (v.product == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN))
		return err_set(e, ERR_INVALID, "extension hwID: %zu bytes on %s", v.hwid_len,
			       snp_product_name(v.product));
	*out = v;
	return 0;
}
