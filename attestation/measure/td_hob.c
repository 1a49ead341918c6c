/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/td_hob.h"

#include "common/base/writer.h"

#include <stdlib.h>

/* PI 1.8, volume 3, chapter 5. */
enum {
	HOB_HANDOFF = 1,
	HOB_RESOURCE = 3,
	HANDOFF_LEN = 56,
	HANDOFF_VERSION = 9,
	RESOURCE_LEN = 48,
	END_LEN = 8,
	RESOURCE_SYSTEM_MEMORY = 0,
	RESOURCE_UNACCEPTED = 7,
	RESOURCE_PRESENT_INITIALIZED_TESTED = 7,
	/* Of at most two ranges of memory: each section, and what is before, between and behind. */
	RESOURCES_MAX = (2 * TDVF_SECTIONS_MAX + 2) * RESOURCE_LEN,
};

/* Where q35's low memory ends: at 2 GiB, if there is more than fits below 2.75 GiB. */
#define LOW_END    UINT64_C(0x80000000)
#define LOW_MAX    UINT64_C(0xb0000000)
#define HIGH_BEGIN UINT64_C(0x100000000)

struct range {
	uint64_t begin, end;
};

struct list {
	struct writer *w;                                       /* of the resources */
	const struct tdvf_section *accepted[TDVF_SECTIONS_MAX]; /* ascending */
	size_t count, next; /* `next`: the first that no range of memory has had */
};

static void add_resource(struct list *list, uint32_t type, uint64_t begin, uint64_t end)
{
	if (begin == end)
		return;
	writer_le16(list->w, HOB_RESOURCE);
	writer_le16(list->w, RESOURCE_LEN);
	writer_zeros(list->w, 4 + 16); /* reserved, owner */
	writer_le32(list->w, type);
	writer_le32(list->w, RESOURCE_PRESENT_INITIALIZED_TESTED);
	writer_le64(list->w, begin);
	writer_le64(list->w, end - begin);
}

static void add_memory(struct list *list, struct range ram)
{
	for (; list->next < list->count; list->next++) {
		const struct tdvf_section *s = list->accepted[list->next];

		if (s->gpa < ram.begin || s->gpa + s->len > ram.end)
			break;
		add_resource(list, RESOURCE_UNACCEPTED, ram.begin, s->gpa);
		add_resource(list, RESOURCE_SYSTEM_MEMORY, s->gpa, s->gpa + s->len);
		ram.begin = s->gpa + s->len;
	}
	add_resource(list, RESOURCE_UNACCEPTED, ram.begin, ram.end);
}

static int by_address(const void *a, const void *b)
{
	const struct tdvf_section *const *x = a, *const *y = b;

	return ((*x)->gpa > (*y)->gpa) - ((*x)->gpa < (*y)->gpa);
}

/* The sections that are memory at launch; `hob` is where the list goes. */
static int collect(const struct tdvf *tdvf, struct list *list, const struct tdvf_section **hob,
		   struct err *e)
{
	*hob = NULL;
	for (size_t i = 0; i < tdvf->count; i++) {
		const struct tdvf_section *s = &tdvf->sections[i];

		if (s->type == TDVF_BFV || s->type == TDVF_CFV)
			continue;
		if ((s->type != TDVF_TD_HOB && s->type != TDVF_TEMP_MEM) ||
		    (s->type == TDVF_TD_HOB && *hob))
			return err_set(e, ERR_PRECONDITION,
				       "firmware: QEMU launches no TD with such a %s section",
				       tdvf_type_name(s->type));
		if (s->type == TDVF_TD_HOB)
			*hob = s;
		list->accepted[list->count++] = s;
	}
	if (!*hob)
		return err_set(e, ERR_PRECONDITION, "firmware: no TD_HOB section");
	qsort(list->accepted, list->count, sizeof(list->accepted[0]), by_address);
	return 0;
}

static void write_handoff(struct writer *w, uint64_t end)
{
	writer_le16(w, HOB_HANDOFF);
	writer_le16(w, HANDOFF_LEN);
	writer_zeros(w, 4);
	writer_le32(w, HANDOFF_VERSION);
	writer_zeros(w,
		     4 + 4 * 8); /* boot mode; free memory and its limits, which firmware finds */
	writer_le64(w, end);
}

/* Each accepted section has to be in memory that there is, and the list in its own section. */
static int check(const struct list *list, const struct tdvf_section *hob, uint64_t memory,
		 struct err *e)
{
	if (list->next < list->count)
		return err_set(e, ERR_PRECONDITION,
			       "firmware: its %s section at 0x%llx is not in %llu MiB of memory",
			       tdvf_type_name(list->accepted[list->next]->type),
			       (unsigned long long)list->accepted[list->next]->gpa,
			       (unsigned long long)(memory >> 20));
	if (HANDOFF_LEN + list->w->len + END_LEN > hob->len)
		return err_set(e, ERR_PRECONDITION,
			       "firmware: its TD_HOB section is too small for the memory's layout");
	return 0;
}

int td_hob_measure(const struct tdvf *tdvf, uint64_t memory, uint8_t out[SHA384_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer handoff = writer_up_to(HANDOFF_LEN),
				     resources = writer_up_to(RESOURCES_MAX);
	struct list list = { .w = &resources };
	uint64_t low = memory < LOW_MAX ? memory : LOW_END;
	const struct tdvf_section *hob;

	if (!memory || memory % TDVF_PAGE_LEN || memory > TD_HOB_MEMORY_MAX)
		return err_set(e, ERR_INVALID, "memory: %llu bytes; whole pages, and at most 2 PiB",
			       (unsigned long long)memory);
	if (collect(tdvf, &list, &hob, e) < 0)
		return err_code(e);
	add_memory(&list, (struct range){ 0, low });
	add_memory(&list, (struct range){ HIGH_BEGIN, HIGH_BEGIN + memory - low });
	if (check(&list, hob, memory, e) < 0)
		return err_code(e);
	write_handoff(&handoff, hob->gpa + HANDOFF_LEN + resources.len + END_LEN);
	if (writer_check(&handoff, "the TD HOB", e) < 0 ||
	    writer_check(&resources, "the TD HOB", e) < 0)
		return err_code(e);

	const struct digest_part parts[] = { { handoff.bytes, handoff.len },
					     { resources.bytes, resources.len } };

	return digest_parts(DIGEST_SHA384, parts, ARRAY_LEN(parts), out, e);
}
