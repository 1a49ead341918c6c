/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_pck.h"

#include "common/base/cleanup.h"
#include "common/base/der.h"

#include <stdio.h>
#include <string.h>

/* A member of a SEQUENCE OF { OID, value } and how its value is read. */
struct member {
	unsigned arc; /* the last number of its OID */
	bool optional;
	/* False for another type, length or range; one that reads members inside says more in `e`. */
	bool (*read)(struct reader *r, struct tdx_pck *pck, struct err *e);
};

static bool read_octets(struct reader *r, uint8_t *out, size_t len)
{
	struct span s = der_body(r, DER_OCTET_STRING);

	if (s.len != len || !reader_ok(r))
		return false;
	memcpy(out, s.bytes, len);
	return true;
}

static bool read_ppid(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	return read_octets(r, pck->ppid, sizeof(pck->ppid));
}

static bool read_cpusvn(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	return read_octets(r, pck->cpusvn, sizeof(pck->cpusvn));
}

static bool read_pceid(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	return read_octets(r, pck->pceid, sizeof(pck->pceid));
}

static bool read_fmspc(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	return read_octets(r, pck->fmspc, sizeof(pck->fmspc));
}

static bool read_instance(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	pck->has_instance = read_octets(r, pck->instance, sizeof(pck->instance));
	return pck->has_instance;
}

static bool read_sgx_type(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	struct span s = der_body(r, DER_ENUMERATED);

	if (s.len != 1 || !reader_ok(r) || s.bytes[0] > 2)
		return false;
	pck->sgx_type = s.bytes[0];
	return true;
}

static bool read_pcesvn(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	uint64_t svn = der_u64(r);

	pck->pcesvn = (uint16_t)svn;
	return reader_ok(r) && svn <= UINT16_MAX;
}

static bool read_dynamic(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	pck->dynamic_platform = der_bool(r);
	return reader_ok(r);
}

static bool read_cached(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	pck->cached_keys = der_bool(r);
	return reader_ok(r);
}

static bool read_smt(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	pck->smt_enabled = der_bool(r);
	return reader_ok(r);
}

/* The members of one SEQUENCE, in any order, each at most once. `prefix` is the OID without its
 * last arc; `components` is where values of arcs 1 to 16 go instead, if not NULL. */
static int members_parse(struct reader *r, const char *prefix, const struct member *table,
			 size_t count, struct tdx_pck *pck, struct err *e);

static const struct member configuration_members[] = {
	{ 1, true, read_dynamic },
	{ 2, true, read_cached },
	{ 3, true, read_smt },
};

static bool oid_last_arc(struct span oid, const char *prefix, unsigned *arc)
{
	uint8_t wanted[DER_OID_MAX];
	size_t len = der_oid(prefix, wanted);

	/* Every last arc in this extension is below 128: one byte. */
	if (!len || oid.len != len + 1 || memcmp(oid.bytes, wanted, len) != 0 ||
	    oid.bytes[len] >= 0x80)
		return false;
	*arc = oid.bytes[len];
	return true;
}

/* One { OID, value }; a reader over the value. */
static int member_open(struct reader *r, const char *prefix, unsigned *arc, struct reader *value,
		       struct err *e)
{
	*value = der_enter(r, DER_SEQUENCE);

	struct span oid = der_body(value, DER_OID);

	if (!reader_ok(r) || !reader_ok(value))
		return err_set(e, ERR_INVALID, "PCK extension: %s holds no {OID, value}", prefix);
	if (!oid_last_arc(oid, prefix, arc))
		return err_set(e, ERR_INVALID, "PCK extension: %s holds an OID that is not its own",
			       prefix);
	return 0;
}

static int value_error(struct err *e, const char *prefix, unsigned arc)
{
	return err_set(e, ERR_INVALID,
		       "PCK extension: %s.%u has a value of another type, length or range", prefix,
		       arc);
}

static int twice_error(struct err *e, const char *prefix, unsigned arc)
{
	return err_set(e, ERR_INVALID, "PCK extension: %s.%u stands there twice", prefix, arc);
}

static int missing_error(struct err *e, const char *prefix, unsigned arc)
{
	return err_set(e, ERR_INVALID, "PCK extension: %s.%u is missing", prefix, arc);
}

enum { TCB_PCESVN = 17, TCB_CPUSVN = 18 };
#define TCB_OID    TDX_PCK_EXTENSION ".2"
#define CONFIG_OID TDX_PCK_EXTENSION ".7"

static bool read_tcb_value(struct reader *value, unsigned arc, struct tdx_pck *pck, struct err *e)
{
	if (arc == TCB_PCESVN)
		return read_pcesvn(value, pck, e);
	if (arc == TCB_CPUSVN)
		return read_cpusvn(value, pck, e);

	uint64_t svn = der_u64(value);

	pck->components[arc - 1] = (uint8_t)svn;
	return reader_ok(value) && svn <= UINT8_MAX;
}

/* Arcs 1 to 16 are the components, 17 PCESVN, 18 CPUSVN; all have to be there. */
static int tcb_parse(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	uint32_t seen = 0;

	while (reader_left(r)) {
		unsigned arc;
		struct reader value;

		if (member_open(r, TCB_OID, &arc, &value, e) < 0)
			return err_code(e);
		if (arc < 1 || arc > TCB_CPUSVN)
			return err_set(e, ERR_INVALID, "PCK extension: %s.%u is unknown", TCB_OID,
				       arc);
		if (seen & (1u << arc))
			return twice_error(e, TCB_OID, arc);
		seen |= 1u << arc;
		if (!read_tcb_value(&value, arc, pck, e) || !reader_done(&value))
			return value_error(e, TCB_OID, arc);
	}
	for (unsigned arc = 1; arc <= TCB_CPUSVN; arc++)
		if (!(seen & (1u << arc)))
			return missing_error(e, TCB_OID, arc);
	return 0;
}

static bool read_tcb(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	struct reader members = der_enter(r, DER_SEQUENCE);

	return reader_ok(r) && tcb_parse(&members, pck, e) == 0;
}

static bool read_configuration(struct reader *r, struct tdx_pck *pck, struct err *e)
{
	struct reader members = der_enter(r, DER_SEQUENCE);

	pck->has_configuration = true;
	return reader_ok(r) && members_parse(&members, CONFIG_OID, configuration_members,
					     ARRAY_LEN(configuration_members), pck, e) == 0;
}

static const struct member extension_members[] = {
	{ 1, false, read_ppid },         { 2, false, read_tcb },      { 3, false, read_pceid },
	{ 4, false, read_fmspc },        { 5, false, read_sgx_type }, { 6, true, read_instance },
	{ 7, true, read_configuration },
};

static const struct member *member_find(const struct member *table, size_t count, unsigned arc)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].arc == arc)
			return &table[i];
	return NULL;
}

static int members_parse(struct reader *r, const char *prefix, const struct member *table,
			 size_t count, struct tdx_pck *pck, struct err *e)
{
	uint32_t seen = 0;

	while (reader_left(r)) {
		unsigned arc;
		struct reader value;

		if (member_open(r, prefix, &arc, &value, e) < 0)
			return err_code(e);

		const struct member *m = member_find(table, count, arc);

		if (!m)
			return err_set(e, ERR_INVALID, "PCK extension: %s.%u is unknown", prefix,
				       arc);
		if (seen & (1u << arc))
			return twice_error(e, prefix, arc);
		seen |= 1u << arc;
		e->code = ERR_OK;
		if (!m->read(&value, pck, e) || !reader_done(&value))
			return e->code ? err_code(e) : value_error(e, prefix, arc);
	}
	for (size_t i = 0; i < count; i++)
		if (!table[i].optional && !(seen & (1u << table[i].arc)))
			return missing_error(e, prefix, table[i].arc);
	return 0;
}

int tdx_pck_parse(struct span extension, struct tdx_pck *pck, struct err *e)
{
	if (der_check(extension.bytes, extension.len, e) < 0)
		return err_wrap(e, "PCK extension");

	struct tdx_pck parsed = { 0 };
	struct reader r = span_reader(extension);
	struct reader members = der_enter(&r, DER_SEQUENCE);

	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "PCK extension: not one SEQUENCE");
	if (members_parse(&members, TDX_PCK_EXTENSION, extension_members,
			  ARRAY_LEN(extension_members), &parsed, e) < 0)
		return err_code(e);
	*pck = parsed;
	return 0;
}
