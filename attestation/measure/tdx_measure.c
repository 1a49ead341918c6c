/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/tdx_measure.h"

#include "common/base/bytes.h"

#include <string.h>

enum { RECORD_LEN = 128, RECORD_GPA_AT = 16, CHUNK_LEN = 256 };

/* What the module hashes for one call: the call's name, the address, zeros. */
static void record_add(struct digest_stream *d, const char *name, uint64_t gpa)
{
	uint8_t record[RECORD_LEN] = { 0 };

	memcpy(record, name, strlen(name));
	bytes_put_le(record + RECORD_GPA_AT, gpa, 8);
	digest_add(d, record, sizeof(record));
}

/* One page of the section's memory: its contents, filled up with zeros. */
static void page_of(const struct tdvf_section *s, uint64_t offset, uint8_t page[TDVF_PAGE_LEN])
{
	size_t there = 0;

	if (offset < s->data.len) {
		there = s->data.len - (size_t)offset;
		if (there > TDVF_PAGE_LEN)
			there = TDVF_PAGE_LEN;
		memcpy(page, s->data.bytes + offset, there);
	}
	memset(page + there, 0, TDVF_PAGE_LEN - there);
}

static void page_extend(struct digest_stream *d, struct digest_stream *contents,
			const struct tdvf_section *s, uint64_t offset)
{
	uint8_t page[TDVF_PAGE_LEN];

	page_of(s, offset, page);
	for (size_t at = 0; at < TDVF_PAGE_LEN; at += CHUNK_LEN) {
		record_add(d, "MR.EXTEND", s->gpa + offset + at);
		digest_add(d, page + at, CHUNK_LEN);
	}
	digest_add(contents, page, sizeof(page));
}

static void section_pass(struct digest_stream *d, struct digest_stream *contents,
			 const struct tdvf_section *s, bool add, bool extend)
{
	for (uint64_t offset = 0; offset < s->len; offset += TDVF_PAGE_LEN) {
		if (add)
			record_add(d, "MEM.PAGE.ADD", s->gpa + offset);
		if (extend)
			page_extend(d, contents, s, offset);
	}
}

static int section_measure(const struct tdx_measure *m, const struct tdvf_section *s,
			   struct digest_stream *d, struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *contents = digest_new(DIGEST_SHA384, e);
	bool add = !(s->attributes & TDVF_PAGE_AUG), extend = s->attributes & TDVF_MR_EXTEND;
	struct tdx_measure_step step = { .section = s };

	if (!contents)
		return err_code(e);
	if (m->order == TDX_TWO_PASSES) {
		section_pass(d, contents, s, add, false);
		section_pass(d, contents, s, false, extend);
	} else {
		section_pass(d, contents, s, add, extend);
	}
	step.pages_added = add ? s->len / TDVF_PAGE_LEN : 0;
	step.chunks_extended = extend ? s->len / CHUNK_LEN : 0;
	if (digest_finish(contents, step.contents, e) < 0)
		return err_code(e);
	if (!extend)
		memset(step.contents, 0, sizeof(step.contents));
	if (m->trace)
		m->trace(m->data, &step);
	return 0;
}

/* Pages that are added later do not count, so they cost nothing. */
static int size_check(const struct tdvf *tdvf, struct err *e)
{
	uint64_t sum = 0; /* of few sections with a limit each: it can't wrap */

	for (size_t i = 0; i < tdvf->count; i++)
		if (!(tdvf->sections[i].attributes & TDVF_PAGE_AUG))
			sum += tdvf->sections[i].len;
	if (sum > TDX_MEASURE_BYTES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "firmware: %llu bytes of memory to measure; at most %d",
			       (unsigned long long)sum, TDX_MEASURE_BYTES_MAX);
	return 0;
}

int tdx_measure(const struct tdx_measure *m, uint8_t mrtd[SHA384_LEN], struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *d = NULL;
	struct tdvf tdvf;

	if (tdvf_parse(m->firmware, &tdvf, e) < 0 || size_check(&tdvf, e) < 0)
		return err_code(e);
	d = digest_new(DIGEST_SHA384, e);
	if (!d)
		return err_code(e);
	for (size_t i = 0; i < tdvf.count; i++)
		if (section_measure(m, &tdvf.sections[i], d, e) < 0)
			return err_code(e);
	return digest_finish(d, mrtd, e);
}
