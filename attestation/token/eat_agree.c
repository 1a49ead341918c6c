/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat_agree.h"

#include "attestation/tdx/tdx_policy.h"
#include "attestation/token/eat_log.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { CLAIM_UEID = 256, CLAIM_DBGSTAT = 263, CLAIM_MEASUREMENTS = 265 };

/* RFC 9711, 4.2.9: the others say in which way it is disabled. */
enum { DBGSTAT_ENABLED = 0, DBGSTAT_LAST = 4 };

enum kind { BYTES, LE64, HOST32, HOST64 };

/* Where the parsed report has a claim's value. */
struct row {
	const char *key;
	enum kind kind;
	size_t offset, len;
};

#define SNP(key_, kind_, member_)                            \
	{ key_, kind_, offsetof(struct snp_report, member_), \
	  sizeof(((struct snp_report *)NULL)->member_) }
#define TDX(key_, kind_, member_)                          \
	{ key_, kind_, offsetof(struct tdx_body, member_), \
	  sizeof(((struct tdx_body *)NULL)->member_) }

static const struct row snp_rows[] = {
	SNP("measurement", BYTES, measurement),
	SNP("platform_info", HOST64, platform_info),
	SNP("policy", HOST64, policy),
	SNP("family_id", BYTES, family_id),
	SNP("image_id", BYTES, image_id),
	SNP("vmpl", HOST32, vmpl),
	SNP("signature_algo", HOST32, signature_algo),
	SNP("current_tcb", LE64, current_tcb),
	SNP("reported_tcb", LE64, reported_tcb),
	SNP("chip_id", BYTES, chip_id),
	SNP("committed_tcb", LE64, committed_tcb),
	SNP("launch_tcb", LE64, launch_tcb),
};

static const struct row tdx_rows[] = {
	TDX("tdx_mrtd", BYTES, mrtd),
	TDX("tdx_rtmr0", BYTES, rtmr[0]),
	TDX("tdx_rtmr1", BYTES, rtmr[1]),
	TDX("tdx_rtmr2", BYTES, rtmr[2]),
	TDX("tdx_rtmr3", BYTES, rtmr[3]),
	TDX("tdx_xfam", LE64, xfam),
	TDX("tdx_td_attributes", LE64, tdattributes),
	TDX("tdx_mrconfigid", BYTES, mrconfigid),
	TDX("tdx_mrowner", BYTES, mrowner),
	TDX("tdx_mrownerconfig", BYTES, mrownerconfig),
	TDX("tdx_mrseam", BYTES, mrseam),
};

static uint64_t number_at(const struct row *row, const uint8_t *at)
{
	uint64_t v = 0;
	uint32_t small;

	if (row->kind == HOST64) {
		memcpy(&v, at, sizeof(v));
	} else if (row->kind == HOST32) {
		memcpy(&small, at, sizeof(small));
		v = small;
	} else {
		v = bytes_le(at, 8);
	}
	return v;
}

static bool agrees(const struct row *row, const struct datum *claim, const void *report)
{
	const uint8_t *at = (const uint8_t *)report + row->offset;

	if (row->kind == BYTES)
		return claim->type == DATUM_BYTES && claim->len == row->len &&
		       memcmp(claim->bytes, at, row->len) == 0;
	return claim->type == DATUM_UINT && claim->value == number_at(row, at);
}

static int disagree(struct err *e, const char *name)
{
	return err_set(e, ERR_DENIED, "token: claim '%s' says something else than the report",
		       name);
}

static int agree_map(const struct datum *map, const char *name, const struct row *rows,
		     size_t count, const void *report, struct err *e)
{
	if (datum_absent(map))
		return 0;
	if (map->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "token: '%s' is %s, not a map", name,
			       datum_type_name(map->type));
	for (size_t i = 0; i < count; i++) {
		const struct datum *claim = datum_get_text(map, rows[i].key);

		if (!datum_absent(claim) && !agrees(&rows[i], claim, report))
			return disagree(e, rows[i].key);
	}
	return 0;
}

static int agree_bytes(const struct eat *token, int64_t key, const char *name,
		       const uint8_t *wanted, size_t len, struct err *e)
{
	const struct datum *claim = datum_get(token->claims, key);

	if (datum_absent(claim))
		return 0;
	if (claim->type != DATUM_BYTES || claim->len != len ||
	    memcmp(claim->bytes, wanted, len) != 0)
		return disagree(e, name);
	return 0;
}

/* The hardware says whether debugging is on, not since when it is off. */
static int agree_dbgstat(const struct eat *token, bool debug, struct err *e)
{
	const struct datum *claim = datum_get(token->claims, CLAIM_DBGSTAT);

	if (datum_absent(claim) || (claim->type == DATUM_UINT && claim->value <= DBGSTAT_LAST &&
				    (claim->value == DBGSTAT_ENABLED) == debug))
		return 0;
	return disagree(e, "dbgstat");
}

/* A claim of bytes, or of text, that a map has to say if it says anything. */
static int agree_member(const struct datum *map, const char *key, enum datum_type type,
			struct span wanted, struct err *e)
{
	const struct datum *claim = datum_get_text(map, key);

	if (datum_absent(claim) ||
	    (claim->type == type && span_equal((struct span){ claim->bytes, claim->len }, wanted)))
		return 0;
	return disagree(e, key);
}

/* A report beside raw_report is for SNP-vTPM, whose raw_report is the TPM's; in an SNP token it could
 * only be the same again. */
static int agree_beside(const struct eat *token, struct err *e)
{
	const struct eat_bytes *raw = &token->raw_report, *beside = &token->tee_report;
	bool same = beside->len >= SNP_REPORT_LEN && raw->len >= SNP_REPORT_LEN &&
		    memcmp(beside->bytes, raw->bytes, SNP_REPORT_LEN) == 0;

	if (!beside->len || token->platform == EVIDENCE_SNP_VTPM ||
	    (token->platform == EVIDENCE_SNP && same))
		return 0;
	return disagree(e, "x-cocos-tee-report");
}

/* Each TEE's map, and a TPM's. */
static const char *const tee_maps[] = {
	[TEE_SNP] = "x-cocos-sevsnp",
	[TEE_TDX] = "x-cocos-tdx",
};
_Static_assert(ARRAY_LEN(tee_maps) == TEES, "one for each TEE");
static const char tpm_map[] = "x-cocos-vtpm";

/* No report of this platform could say what another's map says. */
static int agree_platform(const struct eat *token, struct err *e)
{
	const struct evidence_kind_row *row = &evidence_kind_rows[token->platform];

	for (size_t i = TEE_NONE + 1; i < ARRAY_LEN(tee_maps); i++)
		if (row->tee != i && !datum_absent(datum_get_text(token->claims, tee_maps[i])))
			return disagree(e, tee_maps[i]);
	if (!row->tpm && !datum_absent(datum_get_text(token->claims, tpm_map)))
		return disagree(e, tpm_map);
	return agree_beside(token, e);
}

/* The two members that no single field of the report spells. */
static int agree_snp_rest(const struct datum *map, const struct snp_report *report, struct err *e)
{
	enum { SIGNATURE_LEN = SNP_REPORT_LEN - SNP_REPORT_SIGNED_LEN };
	const struct row current = SNP("", LE64, current_tcb);
	const struct row reported = SNP("", LE64, reported_tcb);
	uint8_t bytes[SNP_REPORT_LEN];
	char tcb[64];

	snp_report_write(report, bytes);
	snprintf(tcb, sizeof(tcb), "current:%" PRIu64 ",reported:%" PRIu64,
		 number_at(&current, report->current_tcb),
		 number_at(&reported, report->reported_tcb));
	if (agree_member(map, "tcb", DATUM_TEXT, (struct span){ (uint8_t *)tcb, strlen(tcb) }, e) <
	    0)
		return err_code(e);
	return agree_member(map, "signature", DATUM_BYTES,
			    (struct span){ bytes + SNP_REPORT_SIGNED_LEN, SIGNATURE_LEN }, e);
}

int eat_agree_snp(const struct eat *token, const struct snp_report *report, struct err *e)
{
	const struct datum *map = datum_get_text(token->claims, tee_maps[TEE_SNP]);

	if (agree_platform(token, e) < 0 ||
	    agree_bytes(token, CLAIM_MEASUREMENTS, "measurements", report->measurement,
			sizeof(report->measurement), e) < 0 ||
	    agree_bytes(token, CLAIM_UEID, "ueid", report->chip_id, sizeof(report->chip_id), e) <
		    0 ||
	    agree_dbgstat(token, report->policy & SNP_POLICY_DEBUG, e) < 0 ||
	    agree_map(map, tee_maps[TEE_SNP], snp_rows, ARRAY_LEN(snp_rows), report, e) < 0)
		return err_code(e);
	return agree_snp_rest(map, report, e);
}

int eat_agree_tdx(const struct eat *token, const struct tdx_quote *quote, struct err *e)
{
	enum { STOCK_UEID_LEN = 32 }; /* stock tokens take the first half of MRTD */
	const struct datum *map = datum_get_text(token->claims, tee_maps[TEE_TDX]);
	const struct tdx_body *body = &quote->body;

	if (agree_platform(token, e) < 0 ||
	    agree_bytes(token, CLAIM_MEASUREMENTS, "measurements", body->mrtd, sizeof(body->mrtd),
			e) < 0 ||
	    agree_bytes(token, CLAIM_UEID, "ueid", body->mrtd, STOCK_UEID_LEN, e) < 0 ||
	    agree_dbgstat(token, bytes_le(body->tdattributes, 8) & TDX_ATTR_DEBUG, e) < 0 ||
	    agree_map(map, tee_maps[TEE_TDX], tdx_rows, ARRAY_LEN(tdx_rows), body, e) < 0 ||
	    eat_log_agree_tdx(token, quote, e) < 0)
		return err_code(e);
	return agree_member(map, "tdx_signature", DATUM_BYTES, quote->signature, e);
}

/* ---- a TPM's message ---- */

/* The hexadecimal value that the message has under a name such as "sha256:16", or false. */
static bool pcr_named(const struct tpm_evidence *m, const struct datum *name,
		      char hex[2 * DIGEST_MAX + 1])
{
	char text[32];

	for (size_t q = 0; q < m->quote_count; q++)
		for (size_t b = 0; b < m->quotes[q].pcrs.count; b++) {
			const struct tpm_pcr_bank *bank = &m->quotes[q].pcrs.banks[b];

			for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
				if (!(bank->present & UINT32_C(1) << pcr))
					continue;
				snprintf(text, sizeof(text), "%s:%u", tpm_bank_name(bank->kind),
					 pcr);
				if (!datum_is_text(name, text))
					continue;
				hex_encode(bank->values[pcr], digest_len(bank->kind), hex);
				return true;
			}
		}
	return false;
}

static int agree_pcrs(const struct datum *pcrs, const struct tpm_evidence *m, struct err *e)
{
	char hex[2 * DIGEST_MAX + 1];

	if (datum_absent(pcrs))
		return 0;
	if (pcrs->type != DATUM_MAP)
		return disagree(e, "pcrs");
	for (size_t i = 0; i < pcrs->count; i++)
		if (!pcr_named(m, &pcrs->items[2 * i], hex) ||
		    !datum_is_text(&pcrs->items[2 * i + 1], hex))
			return disagree(e, "pcrs");
	return 0;
}

/* Stock tokens repeat one of the quotes. */
static int agree_quote(const struct datum *map, const struct tpm_evidence *m, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < m->quote_count; i++) {
		failed = agree_member(map, "quote", DATUM_BYTES, m->quotes[i].quote, e);
		if (!failed)
			break;
	}
	return failed;
}

int eat_agree_tpm(const struct eat *token, const struct tpm_evidence *message, struct err *e)
{
	const struct datum *map = datum_get_text(token->claims, tpm_map);

	if (agree_platform(token, e) < 0 || eat_log_agree_tpm(token, message, e) < 0)
		return err_code(e);
	if (token->platform == EVIDENCE_VTPM &&
	    (!datum_absent(datum_get(token->claims, CLAIM_MEASUREMENTS)) ||
	     !datum_absent(datum_get(token->claims, CLAIM_UEID))))
		return err_set(e, ERR_DENIED,
			       "token: a TPM's quote has nothing that ueid or measurements repeat");
	if (datum_absent(map))
		return 0;
	if (map->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "token: 'x-cocos-vtpm' is %s, not a map",
			       datum_type_name(map->type));
	if (agree_pcrs(datum_get_text(map, "pcrs"), message, e) < 0 ||
	    agree_quote(map, message, e) < 0)
		return err_code(e);
	return agree_member(map, "event_log", DATUM_BYTES, message->event_log, e);
}

/* ---- what nothing is compared with ---- */

/* Claims that are judged elsewhere, or compared above. */
static const int64_t used_numbers[] = { 4, 5, 6, 8, 10, CLAIM_UEID, CLAIM_MEASUREMENTS };
static const char *const used_texts[] = {
	"platform_type",      "raw_report",  "x-cocos-nonce-use",
	"x-cocos-tee-report", "x-cocos-run", "x-cocos-run-evidence",
	"x-cocos-sevsnp",     "x-cocos-tdx", "x-cocos-vtpm",
};
static const char *const snp_rest[] = { "tcb", "signature" };
static const char *const tdx_rest[] = { "tdx_signature" };
static const char *const tpm_members[] = { "pcrs", "quote", "event_log" };

static const struct {
	int64_t key;
	const char *name;
} numbered[] = {
	{ 1, "iss" },
	{ 2, "sub" },
	{ 258, "oemid" },
	{ 259, "hwmodel" },
	{ 260, "hwversion" },
	{ 262, "intuse" },
	{ CLAIM_DBGSTAT, "dbgstat" },
	{ 266, "submods" },
	{ 270, "swname" },
	{ 271, "swversion" },
};

static bool is_one_of(const struct datum *key, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (datum_is_text(key, names[i]))
			return true;
	return false;
}

static bool has_row(const struct datum *key, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (datum_is_text(key, rows[i].key))
			return true;
	return false;
}

/* The list in the making: what does not fit is counted. */
struct list {
	char *text;
	size_t more;
};

/* Room for the mark of a list that is cut. */
enum { MORE_MAX = sizeof(", and 18446744073709551615 more") };

static void put(struct list *list, const char *name)
{
	size_t used = strlen(list->text);
	const char *comma = used ? ", " : "";

	/* Once one is left out, all that follow are. */
	if (list->more || used + strlen(comma) + strlen(name) + MORE_MAX > EAT_UNCOMPARED_MAX)
		list->more++;
	else
		snprintf(list->text + used, EAT_UNCOMPARED_MAX - used, "%s%s", comma, name);
}

static void put_more(const struct list *list)
{
	size_t used = strlen(list->text);

	if (list->more)
		snprintf(list->text + used, EAT_UNCOMPARED_MAX - used, "%s%zu more",
			 used ? ", and " : "", list->more);
}

/* Both names may be a peer's. */
static void put_name(struct list *list, const char *map, const struct datum *key)
{
	const char *dot = map ? "." : "", *known = NULL;
	char name[2 * EAT_UNCOMPARED_MAX];
	int64_t number;

	if (key->type == DATUM_TEXT) {
		snprintf(name, sizeof(name), "%s%s%s", map ? map : "", dot,
			 log_quote_bytes(key->bytes, key->len).text);
	} else if (datum_int(key, &number)) {
		for (size_t i = 0; !map && i < ARRAY_LEN(numbered); i++)
			if (numbered[i].key == number)
				known = numbered[i].name;
		if (known)
			snprintf(name, sizeof(name), "%s", known);
		else
			snprintf(name, sizeof(name), "%s%s%" PRId64, map ? map : "", dot, number);
	} else {
		snprintf(name, sizeof(name), "%s%sa key that is %s", map ? map : "", dot,
			 datum_type_name(key->type));
	}
	put(list, name);
}

/* Members of a platform's map. */
static bool is_compared(const char *map, const struct datum *key)
{
	if (map == tee_maps[TEE_SNP])
		return has_row(key, snp_rows, ARRAY_LEN(snp_rows)) ||
		       is_one_of(key, snp_rest, ARRAY_LEN(snp_rest));
	if (map == tee_maps[TEE_TDX])
		return has_row(key, tdx_rows, ARRAY_LEN(tdx_rows)) ||
		       is_one_of(key, tdx_rest, ARRAY_LEN(tdx_rest));
	return is_one_of(key, tpm_members, ARRAY_LEN(tpm_members));
}

static void uncompared_members(const struct eat *token, const char *name, struct list *list)
{
	const struct datum *map = datum_get_text(token->claims, name);

	for (size_t i = 0; map && map->type == DATUM_MAP && i < map->count; i++)
		if (!datum_absent(&map->items[2 * i + 1]) && !is_compared(name, &map->items[2 * i]))
			put_name(list, name, &map->items[2 * i]);
}

static bool is_used(const struct eat *token, const struct tpm_evidence *message,
		    const struct datum *key)
{
	int64_t number;

	if (datum_is_text(key, "x-cocos-event-log"))
		return eat_log_is_compared(token, message);
	if (!datum_int(key, &number))
		return is_one_of(key, used_texts, ARRAY_LEN(used_texts));
	/* A TPM says nothing of debugging. */
	if (number == CLAIM_DBGSTAT)
		return evidence_kind_rows[token->platform].tee != TEE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(used_numbers); i++)
		if (number == used_numbers[i])
			return true;
	return false;
}

void eat_uncompared(const struct eat *token, const struct tpm_evidence *message,
		    char text[EAT_UNCOMPARED_MAX])
{
	const struct datum *claims = token->claims;
	struct list list = { .text = text };

	text[0] = 0;
	for (size_t i = 0; i < claims->count; i++)
		if (!datum_absent(&claims->items[2 * i + 1]) &&
		    !is_used(token, message, &claims->items[2 * i]))
			put_name(&list, NULL, &claims->items[2 * i]);
	for (size_t i = TEE_NONE + 1; i < ARRAY_LEN(tee_maps); i++)
		uncompared_members(token, tee_maps[i], &list);
	uncompared_members(token, tpm_map, &list);
	put_more(&list);
}
