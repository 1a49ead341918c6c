/* SPDX-License-Identifier: Apache-2.0 */
/* The older form's policy for TDX: go-tdx-guest's checkconfig.Policy. */
#include "attestation/policy/policy_fields.h"

#include <string.h>

#define TDX(member) offsetof(struct policy, tdx.member)

enum { MR_LEN = 48, QE_VENDOR_ID_LEN = 16 };

static int read_qe_vendor(struct policy_reading *r, const struct json *value)
{
	/* Intel's, which every quote has to name (Intel TDX DCAP quoting library API, A.3.1). */
	static const uint8_t intel[QE_VENDOR_ID_LEN] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
							 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3,
							 0x95, 0x7f, 0x06, 0x07 };
	uint8_t id[QE_VENDOR_ID_LEN];

	if (policy_read_bytes(r, value, sizeof(id), id) < 0)
		return err_code(r->e);
	if (memcmp(id, intel, sizeof(id)) != 0)
		return err_set(r->e, ERR_INVALID, "is not Intel's, and no other is known");
	return 0;
}

static int read_mrtd(struct policy_reading *r, const struct json *value)
{
	uint8_t *mr = policy_alloc(r, MR_LEN);

	r->mr_td = mr;
	return mr ? policy_read_bytes(r, value, MR_LEN, mr) : err_code(r->e);
}

static int add_mrtd(struct policy_reading *r, const struct json *value)
{
	uint8_t mr[MR_LEN];

	if (policy_read_bytes(r, value, sizeof(mr), mr) < 0)
		return err_code(r->e);
	return policy_add_value(r, &r->policy->tdx.mrtd, mr, sizeof(mr));
}

static int add_mrtds(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_ARRAY || value->count > POLICY_LIST_MAX)
		return policy_wrong(r, value, "an array");
	for (size_t i = 0; i < value->count; i++)
		if (add_mrtd(r, &value->items[i]) < 0)
			return err_wrap(r->e, "value %zu", i + 1);
	return 0;
}

/* go-tdx-guest asks both: equal to the one, and among the others. */
int policy_finish_older_mrtd(struct policy_reading *r)
{
	struct value_set *set = &r->policy->tdx.mrtd;
	bool among = set->count == 0;

	if (!r->mr_td)
		return 0;
	for (size_t i = 0; i < set->count; i++)
		among = among || memcmp(set->values + i * MR_LEN, r->mr_td, MR_LEN) == 0;
	if (!among)
		return err_set(r->e, ERR_INVALID, "mr_td is none of any_mr_td: nothing meets both");
	*set = (struct value_set){ r->mr_td, 1 };
	return 0;
}

static int read_rtmrs(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_ARRAY || value->count != TDX_RTMR_COUNT)
		return policy_wrong(r, value, "an array of four values");
	uint8_t *bytes = policy_alloc(r, TDX_RTMR_COUNT * MR_LEN);
	if (!bytes)
		return err_code(r->e);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++) {
		if (policy_read_bytes(r, &value->items[i], MR_LEN, bytes + i * MR_LEN) < 0)
			return err_wrap(r->e, "value %zu", i + 1);
		r->policy->tdx.rtmr[i] = (struct value_set){ bytes + i * MR_LEN, 1 };
	}
	return 0;
}

static int read_report_data(struct policy_reading *r, const struct json *value)
{
	r->policy->has_report_data = true;
	return policy_read_bytes(r, value, sizeof(r->policy->report_data), r->policy->report_data);
}

static int read_debug(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	if (value->boolean)
		return err_set(r->e, ERR_INVALID, "a debug TD is never accepted");
	return 0;
}

static const struct policy_row header_rows[] = {
	{ "minimum_qe_svn", POLICY_U16, TDX(min_qe_svn), 0, NULL, NULL },
	{ "minimum_pce_svn", POLICY_U16, TDX(min_pce_svn), 0, NULL, NULL },
	{ "qe_vendor_id", POLICY_CUSTOM, 0, QE_VENDOR_ID_LEN, read_qe_vendor, NULL },
	{ .key = NULL },
};

static const struct policy_row body_rows[] = {
	{ "minimum_tee_tcb_svn", POLICY_BYTES, TDX(min_tee_tcb_svn), TDX_SVN_LEN, NULL, NULL },
	{ "mr_seam", POLICY_ONE, TDX(mrseam), MR_LEN, NULL, NULL },
	{ "td_attributes", POLICY_CUSTOM, 0, 8, policy_read_attributes, NULL },
	{ "xfam", POLICY_CUSTOM, 0, 8, policy_read_xfam, NULL },
	{ "mr_td", POLICY_CUSTOM, 0, MR_LEN, read_mrtd, NULL },
	{ "any_mr_td", POLICY_CUSTOM, 0, MR_LEN, add_mrtds, NULL },
	{ "mr_config_id", POLICY_ONE, TDX(mrconfigid), MR_LEN, NULL, NULL },
	{ "mr_owner", POLICY_ONE, TDX(mrowner), MR_LEN, NULL, NULL },
	{ "mr_owner_config", POLICY_ONE, TDX(mrownerconfig), MR_LEN, NULL, NULL },
	{ "rtmrs", POLICY_CUSTOM, 0, MR_LEN, read_rtmrs, NULL },
	{ "report_data", POLICY_CUSTOM, 0, 64, read_report_data, NULL },
	{ "tdattributes_debug", POLICY_CUSTOM, 0, 0, read_debug, NULL },
	{ .key = NULL },
};

const struct policy_row policy_older_tdx_rows[] = {
	{ "header_policy", POLICY_OBJECT, 0, 0, NULL, header_rows },
	{ "td_quote_body_policy", POLICY_OBJECT, 0, 0, NULL, body_rows },
	{ .key = NULL },
};
