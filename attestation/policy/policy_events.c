/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `events` of our form: which events may stand in a register, by the digests that were extended. Of a
 * TPM {"sha256":{"4":["…"]}}, as `pcrs` has it; of a TD {"rtmr1":["…"]}. And `tables` of a TD, files of which
 * firmware makes events in RTMR0: [{"name":"etc/acpi/tables","sha384":"…"}].
 */
#include "attestation/policy/policy_fields.h"
#include "common/base/encode.h"

#include <string.h>

/* What one list of digests is about. */
struct events_of {
	enum digest_kind bank;
	unsigned index;
};

static int read_list(struct policy_reading *r, const struct json *list, struct events_of of,
		     struct event_rules *rules)
{
	size_t total = rules->count + list->count;

	if (list->type != JSON_ARRAY)
		return policy_wrong(r, list, "an array of digests");
	if (!list->count || total > POLICY_LIST_MAX)
		return err_set(r->e, ERR_INVALID, "%zu digests; 1 to %d in all", list->count,
			       POLICY_LIST_MAX);
	struct event_rule *all = policy_alloc(r, total * sizeof(*all));
	if (!all)
		return err_code(r->e);
	if (rules->count)
		memcpy(all, rules->rules, rules->count * sizeof(*all));
	for (size_t i = 0; i < list->count; i++) {
		struct event_rule *rule = &all[rules->count + i];

		*rule = (struct event_rule){ .pcr = of.index, .bank = of.bank };
		if (policy_read_bytes(r, &list->items[i], digest_len(of.bank), rule->digest) < 0)
			return err_wrap(r->e, "value %zu", i + 1);
	}
	*rules = (struct event_rules){ all, total };
	return 0;
}

static int read_bank(struct policy_reading *r, enum digest_kind bank, const struct json *value)
{
	struct event_rules *rules = &r->policy->tpm.events;

	if (policy_object(r, value) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		struct events_of of = { .bank = bank };

		if (policy_pcr_index(r, value->items[i].key, &of.index) < 0 ||
		    read_list(r, &value->items[i], of, rules) < 0)
			return err_wrap(r->e, "%s", value->items[i].key);
	}
	return 0;
}

int policy_read_pcr_events(struct policy_reading *r, const struct json *value)
{
	if (policy_object(r, value) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		enum digest_kind bank;

		if (policy_bank(r, value->items[i].key, &bank) < 0 ||
		    read_bank(r, bank, &value->items[i]) < 0)
			return err_wrap(r->e, "%s", value->items[i].key);
	}
	return 0;
}

int policy_read_rtmr_events(struct policy_reading *r, const struct json *value)
{
	static const char *const registers[TDX_RTMR_COUNT] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };

	if (policy_object(r, value) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		struct events_of of = { .bank = DIGEST_SHA384 };

		while (of.index < TDX_RTMR_COUNT &&
		       strcmp(registers[of.index], value->items[i].key) != 0)
			of.index++;
		if (of.index == TDX_RTMR_COUNT)
			return err_set(r->e, ERR_INVALID, "'%s' is no register from rtmr0 to rtmr3",
				       value->items[i].key);
		if (read_list(r, &value->items[i], of, &r->policy->tdx.events) < 0)
			return err_wrap(r->e, "%s", value->items[i].key);
	}
	return 0;
}

static bool is_file_name(const char *name)
{
	size_t len =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/");

	return len > 0 && !name[len] && len < EVENT_FILE_NAME_MAX;
}

static int read_table(struct policy_reading *r, const struct json *value,
		      const struct event_files *before, struct event_file *file)
{
	static const char *const known[] = { "name", "sha384", NULL };
	const struct json *digest_value;
	const char *name;

	if (value->type != JSON_OBJECT)
		return policy_wrong(r, value, "an object");
	if (json_only_keys(value, known, r->e) < 0 ||
	    json_get_string(value, "name", &name, r->e) < 0)
		return err_code(r->e);
	digest_value = json_get(value, "sha384");
	if (!digest_value)
		return err_set(r->e, ERR_INVALID, "'sha384' is missing");
	if (!is_file_name(name))
		return err_set(r->e, ERR_INVALID,
			       "'name' is not 1 to %d of letters, digits and \"-._/\"",
			       EVENT_FILE_NAME_MAX - 1);
	for (size_t i = 0; i < before->count; i++)
		if (strcmp(before->files[i].name, name) == 0)
			return err_set(r->e, ERR_INVALID, "'%s' is there twice", name);
	memcpy(file->name, name, strlen(name) + 1);
	return policy_read_bytes(r, digest_value, SHA384_LEN, file->digest);
}

int policy_read_tables(struct policy_reading *r, const struct json *value)
{
	struct event_files *tables = &r->policy->tdx.tables;
	struct event_file *files;

	if (value->type != JSON_ARRAY)
		return policy_wrong(r, value, "an array of files");
	if (!value->count || value->count > EVENT_FILES_MAX)
		return err_set(r->e, ERR_INVALID, "%zu files; 1 to %d", value->count,
			       EVENT_FILES_MAX);
	files = policy_alloc(r, value->count * sizeof(*files));
	if (!files)
		return err_code(r->e);
	tables->files = files;
	for (; tables->count < value->count; tables->count++)
		if (read_table(r, &value->items[tables->count], tables, &files[tables->count]) < 0)
			return err_wrap(r->e, "file %zu", tables->count + 1);
	return 0;
}

/* A register with events and no value of its own has to be quoted, and a log has to show all of it. */
void policy_finish_events(struct policy *policy)
{
	struct tpm_policy *tpm = &policy->tpm;

	for (size_t i = 0; i < tpm->events.count; i++) {
		const struct event_rule *rule = &tpm->events.rules[i];
		size_t k = 0;

		while (k < tpm->count &&
		       (tpm->pcrs[k].bank != rule->bank || tpm->pcrs[k].index != rule->pcr))
			k++;
		if (k == tpm->count) /* there is room for every register of every bank */
			tpm->pcrs[tpm->count++] =
				(struct tpm_policy_pcr){ rule->bank, rule->pcr, { NULL, 0 } };
	}
}
