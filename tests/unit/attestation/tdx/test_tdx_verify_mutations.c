/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Genuine TDX evidence with one bit or byte changed, put in or taken out, in the quote and in every
 * document beside it. None is accepted, except where the encoding leaves more than one way to write
 * the same: those places are rows of tests/uncovered.def, and their counts printed.
 *
 * CI takes a sample of every genuine quote's changes (tests/sample.h); `scripts/test long` takes all,
 * some 190,000 judgements a quote.
 */
#include "attestation/formats/x509.h"
#include "tests/answers.h"
#include "tests/sample.h"
#include "tests/uncovered.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

#include <openssl/obj_mac.h>

enum { FILE_MAX = 65536, STEP = 101, TABLE_STEP = 7 };

enum part {
	PART_QUOTE,
	PART_TCB_INFO,
	PART_TCB_INFO_CHAIN,
	PART_QE_IDENTITY,
	PART_QE_IDENTITY_CHAIN,
	PART_PCK_CRL,
	PART_PCK_CRL_CHAIN,
	PART_ROOT_CRL,
	PART_COUNT,
};

static const char *const part_names[PART_COUNT] = {
	"quote",   "TCB info",        "TCB info's chain", "QE identity", "QE identity's chain",
	"PCK CRL", "PCK CRL's chain", "root CRL",
};

static struct tdx_case c;
static struct verdict verdict;
static uint8_t changed[FILE_MAX];
static size_t step, tried, accepted[PART_COUNT][UNCOVERED_COUNT];

static struct span part_of(enum part part)
{
	return part == PART_QUOTE ? c.quote : ((struct span *)&c.collateral)[part - 1];
}

/* Judged with the changed bytes in that part's place. */
static bool accepts(enum part part, size_t len)
{
	struct tdx_input in = c.input;
	struct span bytes = { changed, len };
	struct err e;

	if (part == PART_QUOTE)
		in.quote = bytes;
	else
		((struct span *)&in.endorsements.collateral)[part - 1] = bytes;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	tried++;
	return tdx_answer(&in, NULL, &verdict, &e) == 0;
}

static bool within(const uint8_t *at, struct span s)
{
	return at >= s.bytes && at <= s.bytes + s.len;
}

/* What is open at that place of the original. */
static enum uncovered open_at(enum part part, size_t at)
{
	struct span s = part_of(part);
	const uint8_t *here = s.bytes + at;

	switch (part) {
	case PART_QUOTE:
		if (within(here, c.parsed.pck_chain))
			return UNCOVERED_TDX_PEM;
		return at >= s.len - c.parsed.padding ? UNCOVERED_TDX_PADDING : UNCOVERED_NONE;
	case PART_TCB_INFO:
	case PART_QE_IDENTITY:
		return at == 0 || at >= s.len - 2 * 64 - 2 ? UNCOVERED_TDX_DOCUMENT
							   : UNCOVERED_NONE;
	case PART_TCB_INFO_CHAIN:
	case PART_QE_IDENTITY_CHAIN:
	case PART_PCK_CRL_CHAIN:
		return UNCOVERED_TDX_PEM;
	default:
		return UNCOVERED_NONE;
	}
}

/* Both chains decode to the same certificates. */
static bool same_certificates(struct span before, struct span after)
{
	struct x509_chain a, b;
	struct err e;
	bool same;

	assert_ok(x509_chain_from_pem((const char *)before.bytes, before.len, &a, &e), e);
	if (x509_chain_from_pem((const char *)after.bytes, after.len, &b, &e) < 0) {
		x509_chain_done(&a);
		return false;
	}
	same = a.count == b.count;
	for (size_t i = 0; same && i < a.count; i++)
		same = a.certs[i]->len == b.certs[i]->len &&
		       memcmp(a.certs[i]->der, b.certs[i]->der, a.certs[i]->len) == 0;
	x509_chain_done(&a);
	x509_chain_done(&b);
	return same;
}

static struct span stripped(struct span s)
{
	while (s.len && memchr(" \t\r\n", s.bytes[0], 4))
		s = (struct span){ s.bytes + 1, s.len - 1 };
	while (s.len && memchr(" \t\r\n", s.bytes[s.len - 1], 4))
		s.len--;
	return s;
}

/* The same but for white space before and after, and the case of the digits at the end. */
static bool same_json(struct span before, struct span after)
{
	const size_t tail = 2 * 64 + strlen("\"}");

	before = stripped(before);
	after = stripped(after);
	if (before.len != after.len || memcmp(before.bytes, after.bytes, before.len - tail) != 0)
		return false;
	return strncasecmp((const char *)before.bytes + before.len - tail,
			   (const char *)after.bytes + after.len - tail, tail) == 0;
}

/* The change was one of spelling: what is said is the same. */
static bool same_meaning(enum part part, size_t len, enum uncovered open)
{
	struct span before = part_of(part), after = { changed, len };
	struct tdx_quote q;
	struct err e;

	if (open == UNCOVERED_TDX_DOCUMENT)
		return same_json(before, after);
	if (part != PART_QUOTE)
		return same_certificates(before, after);
	assert_ok(tdx_quote_parse(changed, len, &q, &e), e);
	return same_certificates(c.parsed.pck_chain, q.pck_chain) &&
	       memcmp(&q.body, &c.parsed.body, sizeof(q.body)) == 0;
}

static void judge(enum part part, size_t at, size_t len, const char *how)
{
	enum uncovered open;

	if (!accepts(part, len))
		return;
	open = open_at(part, at);
	if (open == UNCOVERED_NONE || !same_meaning(part, len, open))
		fail_msg("%s %s: accepted with a byte %s at %zu", strrchr(c.folder, '/') + 1,
			 part_names[part], how, at);
	accepted[part][open]++;
	uncovered_found(open);
}

/* Every bit; in a long tail of zeros every byte. */
static void flip(enum part part)
{
	struct span s = part_of(part);
	size_t padding = part == PART_QUOTE ? s.len - c.parsed.padding : s.len;

	memcpy(changed, s.bytes, s.len);
	for (size_t place = 0; place < 8 * s.len; place += step) {
		size_t at = place / 8;

		if (at >= padding && step == 1 && place % 8)
			continue;
		changed[at] ^= (uint8_t)(1u << place % 8);
		judge(part, at, s.len, "changed");
		changed[at] ^= (uint8_t)(1u << place % 8);
	}
}

static void take_out(enum part part)
{
	struct span s = part_of(part);

	for (size_t at = 0; at < s.len; at += step) {
		memcpy(changed, s.bytes, at);
		memcpy(changed + at, s.bytes + at + 1, s.len - at - 1);
		judge(part, at, s.len - 1, "taken out");
	}
}

static void put_in(enum part part)
{
	static const uint8_t values[] = { 0, '\n' };
	struct span s = part_of(part);

	/* The last place, behind all bytes, is always one of them. */
	for (size_t at = s.len % step; at <= s.len; at += step)
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			memcpy(changed, s.bytes, at);
			changed[at] = values[i];
			memcpy(changed + at + 1, s.bytes + at, s.len - at);
			judge(part, at, s.len + 1, "put in");
		}
}

static bool takes_quote(struct span bytes)
{
	memcpy(changed, bytes.bytes, bytes.len);
	return accepts(PART_QUOTE, bytes.len);
}

static bool takes_chain(struct span bytes)
{
	memcpy(changed, bytes.bytes, bytes.len);
	return accepts(PART_TCB_INFO_CHAIN, bytes.len);
}

static bool takes_root_crl(struct span bytes)
{
	memcpy(changed, bytes.bytes, bytes.len);
	return accepts(PART_ROOT_CRL, bytes.len);
}

/* The quote's own signature, and a revocation list's, by their twins; a chain in other lines. */
static void respell(void)
{
	const struct uncovered_subject quote = { "quote", c.quote, takes_quote, NULL },
				       chain = { "chain", c.collateral.tcb_info_chain, takes_chain,
						 NULL },
				       crl = { "root CRL", c.collateral.root_crl, takes_root_crl,
					       NULL };
	static uint8_t twin[FILE_MAX];
	const size_t s = (size_t)(c.parsed.signature.bytes - c.quote.bytes) + 32;

	memcpy(twin, c.quote.bytes, c.quote.len);
	uncovered_twin(NID_X9_62_prime256v1, twin + s, 32, false);
	uncovered_accepts(&quote, UNCOVERED_TDX_TWIN, (struct span){ twin, c.quote.len });
	uncovered_pem(&chain, UNCOVERED_TDX_PEM, true);
	if (crl.original.bytes[0] == 0x30)
		uncovered_accepts(&crl, UNCOVERED_TDX_TWIN,
				  (struct span){ twin, uncovered_twin_of_der(NID_X9_62_prime256v1,
									     crl.original, twin) });
}

static void mutate(const char *folder, const struct json *expected)
{
	tdx_case_load(&c, folder, expected, NULL);
	memcpy(changed, c.quote.bytes, c.quote.len);
	assert_true(accepts(PART_QUOTE, c.quote.len));
	for (int part = 0; part < PART_COUNT; part++) {
		assert_true(part_of((enum part)part).len < FILE_MAX);
		flip((enum part)part);
		take_out((enum part)part);
		put_in((enum part)part);
	}
	respell();
	tdx_case_done(&c);
}

static void visit(const struct vector_case *v)
{
	if (vector_accepts(v))
		mutate(v->path, v->expected);
}

static void no_change_is_accepted(void **state)
{
	VECTORS_OR_SKIP();
	tried = 0;
	step = sample_step(STEP);
	vectors_walk("tdx", "v", visit);
	print_message("# %zu changes judged\n", tried);
	for (size_t part = 0; part < PART_COUNT; part++)
		for (size_t open = 0; open < UNCOVERED_COUNT; open++)
			if (accepted[part][open])
				print_message("# %s: %zu in %s\n", part_names[part],
					      accepted[part][open], uncovered_rows[open].where);
	assert_true(tried > 100000 / step);
	uncovered_all_found(__FILE__);
}

/* mutations.json: all offsets are refused, but for those that it names. */
static void check_table(const struct vector_case *v)
{
	struct json *table;
	const struct json *either, *xors;
	size_t next = 0;
	struct err e;

	if (!vector_has(v, "mutations.json"))
		return;
	table = case_json(v->path, "mutations.json");
	either = json_get(table, "either");
	xors = json_get(table, "xor");
	tdx_case_load(&c, v->path, v->expected, NULL);
	memcpy(changed, c.quote.bytes, c.quote.len);
	for (size_t at = 0; at < c.quote.len; at += step) {
		uint64_t named = UINT64_MAX, value;

		while (next < either->count) {
			assert_ok(json_u64(&either->items[next], &named, &e), e);
			if (named >= at)
				break;
			next++;
		}
		for (size_t i = 0; i < xors->count; i++) {
			assert_ok(json_u64(&xors->items[i], &value, &e), e);
			changed[at] ^= (uint8_t)value;
			if (accepts(PART_QUOTE, c.quote.len) && named != at)
				fail_msg("%s: accepted with byte %zu changed", v->name, at);
			changed[at] ^= (uint8_t)value;
		}
	}
	tdx_case_done(&c);
	json_free(table);
}

static void the_tables_of_the_vectors_hold(void **state)
{
	VECTORS_OR_SKIP();
	tried = 0;
	step = sample_step(TABLE_STEP);
	vectors_walk("tdx", "v", check_table);
	print_message("# %zu changes judged\n", tried);
	assert_int_equal(tried, 2 * 2 * ((5006 + step - 1) / step));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_of_the_vectors_hold),
		cmocka_unit_test(no_change_is_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
