/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Genuine TDX evidence with one bit or byte changed, put in or taken out, in the quote and in every
 * document beside it. None is accepted, except where the encoding leaves more than one way to write
 * the same: those places are named here (`open`), and their counts printed.
 *
 * CI takes a sample of every genuine quote's changes (tests/sample.h); `scripts/test long` takes all,
 * some 190,000 judgements a quote.
 */
#include "attestation/formats/x509.h"
#include "tests/answers.h"
#include "tests/sample.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

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

/* What may change without changing what is said. */
enum open {
	NOTHING,
	PEM_ARMOUR,   /* white space of PEM, and the zero byte behind it */
	ZERO_PADDING, /* how many zeros follow a quote */
	JSON_AROUND,  /* white space before and after a document, case of the signature's digits */
	OPEN_COUNT,
};

/* As docs/uncovered.md calls the place in its table of TDX, which has these rows and no others. */
static const char *const open_rows[OPEN_COUNT] = {
	[PEM_ARMOUR] = "PCK chain in the quote, issuer chains of TCB info, QE identity and PCK CRL",
	[ZERO_PADDING] = "after the quote",
	[JSON_AROUND] = "TCB info, QE identity",
};

static struct tdx_case c;
static struct verdict verdict;
static uint8_t changed[FILE_MAX];
static size_t step, tried, accepted[PART_COUNT][OPEN_COUNT];

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
static enum open open_at(enum part part, size_t at)
{
	struct span s = part_of(part);
	const uint8_t *here = s.bytes + at;

	switch (part) {
	case PART_QUOTE:
		if (within(here, c.parsed.pck_chain))
			return PEM_ARMOUR;
		return at >= s.len - c.parsed.padding ? ZERO_PADDING : NOTHING;
	case PART_TCB_INFO:
	case PART_QE_IDENTITY:
		return at == 0 || at >= s.len - 2 * 64 - 2 ? JSON_AROUND : NOTHING;
	case PART_TCB_INFO_CHAIN:
	case PART_QE_IDENTITY_CHAIN:
	case PART_PCK_CRL_CHAIN:
		return PEM_ARMOUR;
	default:
		return NOTHING;
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
static bool same_meaning(enum part part, size_t len, enum open open)
{
	struct span before = part_of(part), after = { changed, len };
	struct tdx_quote q;
	struct err e;

	if (open == JSON_AROUND)
		return same_json(before, after);
	if (part != PART_QUOTE)
		return same_certificates(before, after);
	assert_ok(tdx_quote_parse(changed, len, &q, &e), e);
	return same_certificates(c.parsed.pck_chain, q.pck_chain) &&
	       memcmp(&q.body, &c.parsed.body, sizeof(q.body)) == 0;
}

static void judge(enum part part, size_t at, size_t len, const char *how)
{
	enum open open;

	if (!accepts(part, len))
		return;
	open = open_at(part, at);
	if (open == NOTHING || !same_meaning(part, len, open))
		fail_msg("%s %s: accepted with a byte %s at %zu", strrchr(c.folder, '/') + 1,
			 part_names[part], how, at);
	accepted[part][open]++;
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
	tdx_case_done(&c);
}

static void visit(const struct vector_case *v)
{
	if (vector_accepts(v))
		mutate(v->path, v->expected);
}

static size_t times(enum open open)
{
	size_t count = 0;

	for (size_t part = 0; part < PART_COUNT; part++)
		count += accepted[part][open];
	return count;
}

/* Each place where a change got a yes is a row of the page, and each row is such a place. */
static void compare_with_the_page(void)
{
	char path[512], line[1024];
	bool in_tdx = false;
	size_t rows = 0;

	snprintf(path, sizeof(path), "%s/docs/uncovered.md", getenv("COCOS_SOURCE"));
	FILE *page = fopen(path, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page)) {
		const char *end = strstr(line + 1, " |");
		size_t open = NOTHING + 1;

		if (line[0] == '#')
			in_tdx = strcmp(line, "## TDX\n") == 0;
		if (!in_tdx || strncmp(line, "| ", 2) != 0 || strncmp(line, "| where", 7) == 0)
			continue;
		while (open < OPEN_COUNT &&
		       (strlen(open_rows[open]) != (size_t)(end - line - 2) ||
			strncmp(open_rows[open], line + 2, strlen(open_rows[open])) != 0))
			open++;
		if (open == OPEN_COUNT || !times((enum open)open))
			fail_msg("docs/uncovered.md: nothing is open at: %s", line);
		rows++;
	}
	fclose(page);
	for (size_t open = NOTHING + 1; open < OPEN_COUNT; open++)
		rows -= times((enum open)open) > 0;
	assert_int_equal(rows, 0); /* no place without a row */
}

static void no_change_is_accepted(void **state)
{
	VECTORS_OR_SKIP();
	tried = 0;
	step = sample_step(STEP);
	vectors_walk("tdx", "v", visit);
	print_message("# %zu changes judged\n", tried);
	for (size_t part = 0; part < PART_COUNT; part++)
		for (size_t open = 0; open < OPEN_COUNT; open++)
			if (accepted[part][open])
				print_message("# %s: %zu in %s\n", part_names[part],
					      accepted[part][open], open_rows[open]);
	assert_true(tried > 100000 / step);
	compare_with_the_page();
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
