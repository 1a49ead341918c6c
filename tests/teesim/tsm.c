/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/tsm.h"

#include <errno.h>
#include <string.h>

/* A report for each write would wear out the device; a report that nobody reads would answer an
 * old question. A test reaches one limit of that: the generation wraps around. */
static int advance(struct tsm_entry *entry)
{
	if (entry->write_generation == entry->read_generation - 1)
		return -EBUSY;
	entry->write_generation++;
	return 0;
}

static int show_generation(struct tsm *tsm, struct tsm_entry *entry, struct writer *w)
{
	writer_printf(w, "%lu\n", entry->write_generation);
	return 0;
}

static int show_provider(struct tsm *tsm, struct tsm_entry *entry, struct writer *w)
{
	writer_text(w, tsm->device->facts.tee == FACTS_TDX ? "tdx_guest\n" : "sev_guest\n");
	return 0;
}

/* The guest runs at VMPL 0. */
static int show_privlevel_floor(struct tsm *tsm, struct tsm_entry *entry, struct writer *w)
{
	writer_text(w, "0\n");
	return 0;
}

/* kstrtouint(buf, 0, …): sign, prefix, digits, one newline. */
static int store_privlevel(struct tsm_entry *entry, const char *bytes, size_t len)
{
	char text[32], *end;
	unsigned long value;

	if (len == 0 || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 0);
	if (*end == '\n')
		end++;
	if (*end || end != text + len)
		return -EINVAL;
	if (errno == ERANGE || value > UINT32_MAX)
		return -ERANGE;
	if (value > TSM_PRIVLEVEL_MAX)
		return -EINVAL;
	int failed = advance(entry);
	if (failed)
		return failed;
	entry->privlevel = (unsigned int)value;
	return 0;
}

static int store_inblob(struct tsm_entry *entry, const char *bytes, size_t len)
{
	int failed = advance(entry);

	if (failed)
		return failed;
	if (len)
		memcpy(entry->inblob, bytes, len);
	entry->inblob_len = len;
	return 0;
}

static void forget(struct tsm_entry *entry)
{
	free(entry->answer.report);
	free(entry->answer.table);
	memset(&entry->answer, 0, sizeof(entry->answer));
}

static int make_report(struct tsm *tsm, struct tsm_entry *entry)
{
	int failed;

	if (!entry->inblob_len)
		return -EINVAL;
	if (entry->answer.report && entry->read_generation == entry->write_generation)
		return 0;
	forget(entry);
	if (entry->inblob_len != TSM_INBLOB_MAX) /* both drivers want all of it */
		return -EINVAL;
	failed = device_report(tsm->device, entry->inblob, entry->privlevel, &entry->answer);
	if (failed)
		return failed;
	/* The other writer waits for the lock, and continues when the report is made. */
	entry->read_generation = entry->write_generation;
	if (entry->answer.raced)
		entry->write_generation++;
	return 0;
}

static int show_outblob(struct tsm *tsm, struct tsm_entry *entry, struct writer *w)
{
	int failed = make_report(tsm, entry);

	if (!failed)
		writer_bytes(w, entry->answer.report, entry->answer.len);
	return failed;
}

static int show_auxblob(struct tsm *tsm, struct tsm_entry *entry, struct writer *w)
{
	int failed = make_report(tsm, entry);

	if (!failed && entry->answer.table)
		writer_bytes(w, entry->answer.table, entry->answer.table_len);
	return failed;
}

static const struct tsm_attribute attributes[] = {
	{ "generation", 0444, false, 0, true, show_generation, NULL },
	{ "provider", 0444, false, 0, true, show_provider, NULL },
	{ "privlevel", 0200, false, 4095, false, NULL, store_privlevel },
	{ "privlevel_floor", 0444, false, 0, false, show_privlevel_floor, NULL },
	{ "inblob", 0200, true, TSM_INBLOB_MAX, true, NULL, store_inblob },
	{ "outblob", 0444, true, 0, true, show_outblob, NULL },
	{ "auxblob", 0444, true, 0, false, show_auxblob, NULL },
};

const struct tsm_attribute *tsm_attribute(const struct tsm *tsm, size_t i)
{
	bool tdx = tsm->device->facts.tee == FACTS_TDX;

	for (size_t k = 0; k < ARRAY_LEN(attributes); k++)
		if ((!tdx || attributes[k].tdx) && i-- == 0)
			return &attributes[k];
	return NULL;
}

const struct tsm_attribute *tsm_attribute_named(const struct tsm *tsm, const char *name)
{
	const struct tsm_attribute *a;

	for (size_t i = 0; (a = tsm_attribute(tsm, i)); i++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

/* ---- entries ---- */

void tsm_init(struct tsm *tsm, struct device *device)
{
	*tsm = (struct tsm){ .device = device };
	LIST_INIT(&tsm->entries);
}

void tsm_done(struct tsm *tsm)
{
	while (!LIST_EMPTY(&tsm->entries)) {
		struct tsm_entry *entry = LIST_FIRST(&tsm->entries);

		LIST_REMOVE(entry, link);
		tsm_entry_release(entry);
	}
}

struct tsm_entry *tsm_find(struct tsm *tsm, const char *name, size_t len)
{
	struct tsm_entry *entry;

	LIST_FOREACH(entry, &tsm->entries, link)
		if (strlen(entry->name) == len && memcmp(entry->name, name, len) == 0)
			return entry;
	return NULL;
}

int tsm_mkdir(struct tsm *tsm, const char *name)
{
	struct tsm_entry *entry;

	if (tsm_find(tsm, name, strlen(name)))
		return -EEXIST;
	if (tsm->count == TSM_ENTRIES_MAX)
		return -ENOMEM;
	entry = calloc(1, sizeof(*entry));
	if (!entry || !(entry->name = strdup(name))) {
		free(entry);
		return -ENOMEM;
	}
	entry->uses = 1;
	tsm->count++;
	LIST_INSERT_HEAD(&tsm->entries, entry, link);
	return 0;
}

int tsm_rmdir(struct tsm *tsm, const char *name)
{
	struct tsm_entry *entry = tsm_find(tsm, name, strlen(name));

	if (!entry)
		return -ENOENT;
	LIST_REMOVE(entry, link);
	tsm->count--;
	tsm_entry_release(entry);
	return 0;
}

void tsm_entry_release(struct tsm_entry *entry)
{
	if (--entry->uses)
		return;
	forget(entry);
	free(entry->name);
	free(entry);
}
