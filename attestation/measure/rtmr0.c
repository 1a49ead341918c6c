/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/rtmr0.h"

#include "attestation/measure/cfv.h"
#include "attestation/measure/efi_events.h"
#include "attestation/measure/td_hob.h"
#include "common/base/writer.h"

#include <assert.h>

enum {
	OPTION_MAX = 256,
	/* UEFI 2.10, 3.1.3: active, hidden, an application. */
	OPTION_ACTIVE = 0x1,
	OPTION_HIDDEN = 0x8,
	OPTION_APP = 0x100,
	FILE_PATH_LEN = 20 + 20 + 4, /* a volume, a file in it, the end */
};

int rtmr0_measure(struct span firmware, uint64_t memory, const struct launch_tables *tables,
		  struct rtmr0_parts *parts, struct err *e)
{
	struct rtmr0_parts p = { .tables = tables };
	struct span cfv;
	struct tdvf tdvf;

	if (tdvf_parse(firmware, &tdvf, e) < 0 || cfv_check_empty(&tdvf, &cfv, e) < 0 ||
	    td_hob_measure(&tdvf, memory, p.hob, e) < 0 ||
	    digest(DIGEST_SHA384, cfv.bytes, cfv.len, p.cfv, e) < 0)
		return err_code(e);
	*parts = p;
	return 0;
}

/* ---- firmware's own boot options ---- */

struct option {
	const char *title;
	uint32_t attributes;
	uint8_t file[EFI_GUID_LEN];
};

/* OVMF's volume of drivers, 7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1. */
static const uint8_t volume[EFI_GUID_LEN] = { 0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f,
					      0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1 };

#define SETUP_FILE                                        \
	{ 0x21, 0xaa, 0x2c, 0x46, 0x14, 0x76, 0x03, 0x45, \
	  0x83, 0x6e, 0x8a, 0xb6, 0xf4, 0x66, 0x23, 0x31 }
#define MENU_FILE                                         \
	{ 0xdc, 0x5b, 0xc2, 0xee, 0xf2, 0x67, 0x95, 0x4d, \
	  0xb1, 0xd5, 0xf8, 0x1b, 0x20, 0x39, 0xd1, 0x1d }

static const struct option setup_alone[] = {
	{ "UiApp", OPTION_ACTIVE | OPTION_HIDDEN | OPTION_APP, SETUP_FILE },
};
static const struct option menu_and_setup[] = {
	{ "BootManagerMenuApp", OPTION_ACTIVE | OPTION_HIDDEN | OPTION_APP, MENU_FILE },
	{ "EFI Firmware Setup", OPTION_ACTIVE | OPTION_APP, SETUP_FILE },
};

/* EFI_LOAD_OPTION, with the path of a file in the volume. */
static int add_option(struct efi_events *list, const struct option *o, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(OPTION_MAX);

	writer_le32(&w, o->attributes);
	writer_le16(&w, FILE_PATH_LEN);
	for (const char *at = o->title; *at; at++)
		writer_le16(&w, (uint16_t)*at);
	writer_le16(&w, 0);
	writer_bytes(&w, "\x04\x07\x14\x00", 4);
	writer_bytes(&w, volume, sizeof(volume));
	writer_bytes(&w, "\x04\x06\x14\x00", 4);
	writer_bytes(&w, o->file, sizeof(o->file));
	writer_bytes(&w, "\x7f\xff\x04\x00", 4);
	if (writer_check(&w, "a boot option", e) < 0)
		return err_code(e);
	return efi_events_data(list, w.bytes, w.len, e);
}

/* BootOrder, then each option: of variables for booting the value alone counts. */
static int add_options(struct efi_events *list, const struct option *options, size_t count,
		       struct err *e)
{
	CLEANUP_WRITER struct writer order = writer_up_to(OPTION_MAX);

	for (size_t i = 0; i < count; i++)
		writer_le16(&order, (uint16_t)i);
	if (writer_check(&order, "the order of boot options", e) < 0 ||
	    efi_events_data(list, order.bytes, order.len, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		if (add_option(list, &options[i], e) < 0)
			return err_code(e);
	return 0;
}

/* ---- ways ---- */

static const struct way {
	bool fw_cfg;    /* what is read of fw_cfg early is measured */
	bool separator; /* behind everything */
	const struct option *options;
	size_t option_count;
} ways[] = {
	/* edk2 2024.11 and 2025.02 */
	{ false, false, setup_alone, ARRAY_LEN(setup_alone) },
	/* 2025.05 and later */
	{ true, false, menu_and_setup, ARRAY_LEN(menu_and_setup) },
	/* before 2024.11 */
	{ false, true, setup_alone, ARRAY_LEN(setup_alone) },
};

enum { SWITCHES = 2 }; /* no variable for Secure Boot's switch, or a zero */

static int add_host(struct efi_events *list, const struct rtmr0_parts *parts, bool fw_cfg,
		    size_t switch_len, struct err *e)
{
	efi_events_digest(list, parts->hob);
	efi_events_digest(list, parts->cfv);
	if (fw_cfg) {
		if (efi_events_data(list, (const uint8_t[2]){ 0 }, 2, e) < 0) /* no boot menu */
			return err_code(e);
		efi_events_digest(list, parts->tables->boot_order);
	}
	if (efi_events_secure_boot(list, switch_len, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < parts->tables->count; i++)
		efi_events_digest(list, parts->tables->tables[i].digest);
	return 0;
}

int rtmr0_values(const struct rtmr0_parts *parts, uint8_t values[RTMR0_VALUES][SHA384_LEN],
		 struct err *e)
{
	static_assert(RTMR0_VALUES == SWITCHES * ARRAY_LEN(ways), "a value for each way");
	for (size_t i = 0; i < RTMR0_VALUES; i++) {
		const struct way *way = &ways[i / SWITCHES];
		struct efi_events list = { .kind = DIGEST_SHA384 };

		if (add_host(&list, parts, way->fw_cfg, i % SWITCHES, e) < 0 ||
		    add_options(&list, way->options, way->option_count, e) < 0 ||
		    (way->separator && efi_events_separator(&list, e) < 0) ||
		    efi_events_replay(&list, values[i], e) < 0)
			return err_code(e);
	}
	return 0;
}
