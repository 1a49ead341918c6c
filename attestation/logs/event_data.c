/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/event_data.h"

#include <string.h>

enum { COVERS_MAX = 2 };

/* The pieces of the data any one of which may be what was measured; returns their count. */
typedef size_t covers_fn(struct span data, struct span covers[COVERS_MAX]);

static size_t covers_all(struct span data, struct span covers[COVERS_MAX])
{
	covers[0] = data;
	return 1;
}

/*
 * UEFI_VARIABLE_DATA: name GUID, lengths of name (characters) and data, name, data. Of boot
 * variables some firmwares measure all of it, others the variable's data alone. Not so of
 * configuration variables: there it would let anybody give measured bytes another name.
 */
static size_t covers_boot_variable(struct span data, struct span covers[COVERS_MAX])
{
	struct reader r = span_reader(data);

	covers[0] = data;
	reader_skip(&r, 16);

	uint64_t name_len = reader_le64(&r), data_len = reader_le64(&r);

	if (name_len > data.len / 2 || data_len > data.len)
		return 1;
	reader_skip(&r, (size_t)name_len * 2);
	covers[1].bytes = reader_take(&r, (size_t)data_len);
	covers[1].len = (size_t)data_len;
	return reader_done(&r) ? 2 : 1;
}

/* Older shims leave the last byte out. */
static size_t covers_authority(struct span data, struct span covers[COVERS_MAX])
{
	covers[0] = data;
	if (data.len == 0)
		return 1;
	covers[1] = (struct span){ data.bytes, data.len - 1 };
	return 2;
}

/* GRUB measures the text behind its prefix, without the final zero; other EV_IPL are hints. */
static size_t covers_ipl(struct span data, struct span covers[COVERS_MAX])
{
	static const char *const prefixes[] = { "grub_cmd: ", "kernel_cmdline: ",
						"module_cmdline: " };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (data.len < len || memcmp(data.bytes, prefixes[i], len) != 0)
			continue;
		covers[0] = (struct span){ data.bytes + len, data.len - len };
		if (covers[0].len && covers[0].bytes[covers[0].len - 1] == 0)
			covers[0].len--;
		return 1;
	}
	return 0;
}

static const struct rule {
	uint32_t type;
	covers_fn *covers;
} rules[] = {
	{ EVENT_SEPARATOR, covers_all },
	{ EVENT_ACTION, covers_all },
	{ EVENT_EFI_ACTION, covers_all },
	{ EVENT_EFI_GPT, covers_all },
	{ EVENT_EFI_VARIABLE_DRIVER_CONFIG, covers_all },
	{ EVENT_EFI_VARIABLE_BOOT, covers_boot_variable },
	{ EVENT_EFI_VARIABLE_BOOT2, covers_boot_variable },
	{ EVENT_EFI_VARIABLE_AUTHORITY, covers_authority },
	{ EVENT_IPL, covers_ipl },
};

static const struct rule *rule_of(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

/* 1 if the bank's digest is that of a piece, 0 if of none, negative if hashing failed. */
static int bank_agrees(const struct event_bank *bank, const uint8_t *wanted,
		       const struct span *covers, size_t count, struct err *e)
{
	uint8_t found[DIGEST_MAX];

	for (size_t i = 0; i < count; i++) {
		if (digest(bank->kind, covers[i].bytes, covers[i].len, found, e) < 0)
			return err_code(e);
		if (memcmp(found, wanted, bank->size) == 0)
			return 1;
	}
	return 0;
}

int event_data_check(const struct event_log *log, const struct event *event, struct err *e)
{
	const struct rule *rule = rule_of(event->type);
	struct span covers[COVERS_MAX];
	size_t count = rule ? rule->covers(event->data, covers) : 0;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < log->bank_count; i++) {
		const struct event_bank *bank = &log->banks[i];
		int agrees =
			bank->known ? bank_agrees(bank, event->digests[i], covers, count, e) : 1;

		if (agrees < 0)
			return agrees;
		if (!agrees)
			return err_set(e, ERR_DENIED,
				       "the %s digest is not of the event's data (%s)",
				       digest_name(bank->kind), event_type_name(event->type));
	}
	return 0;
}
