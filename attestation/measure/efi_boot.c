/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/efi_boot.h"

#include "attestation/formats/pe.h"
#include "attestation/measure/efi_events.h"
#include "common/base/bytes.h"
#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

enum {
	CMDLINE_MAX = 2048, /* characters, with what firmware adds; x86's kernel takes no more */
	ACPI_LEN = 0x28000, /* what QEMU leaves between the initrd and the end of low memory */
};

/* ---- the kernel as firmware gets it ---- */

/* Fields of Linux's setup header (Documentation/arch/x86/boot.rst). */
enum {
	SETUP_MAGIC = 0x202,
	SETUP_VERSION = 0x206,
	SETUP_LOADER = 0x210,
	SETUP_FLAGS = 0x211,
	SETUP_INITRD = 0x218,
	SETUP_INITRD_LEN = 0x21c,
	SETUP_HEAP_END = 0x224,
	SETUP_CMDLINE = 0x228,
	SETUP_XFLAGS = 0x236,
	SETUP_END = 0x268,
	VERSION_XFLAGS = 0x20c,
	XFLAG_ABOVE_4G = 2,
};

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] | (unsigned)at[1] << 8;
}

/* What QEMU writes into a kernel that it loads (hw/i386: x86_load_linux). From 10.0 on it gives
 * firmware the file itself, too, and an OVMF that knows takes that. */
static void patch(uint8_t *kernel, uint64_t memory_mib, size_t initrd_len)
{
	uint64_t low = memory_mib < EFI_BOOT_MEMORY_HIGH_MIB ? memory_mib << 20 : UINT64_C(1) << 31;

	kernel[SETUP_LOADER] = 0xb0;
	kernel[SETUP_FLAGS] |= 0x80;
	bytes_put_le(kernel + SETUP_HEAP_END, 0x20000 - 0x10000 - 0x200, 2);
	bytes_put_le(kernel + SETUP_CMDLINE, 0x20000, 4);
	bytes_put_le(kernel + SETUP_INITRD,
		     (uint32_t)((low - ACPI_LEN - 1 - initrd_len) & ~UINT64_C(4095)), 4);
	bytes_put_le(kernel + SETUP_INITRD_LEN, (uint32_t)initrd_len, 4);
}

static int add_kernel(struct span kernel, struct efi_boot *boot, struct err *e)
{
	struct pe pe;

	if (boot->kernel_count == EFI_BOOT_KERNELS_MAX)
		return err_set(e, ERR_EXHAUSTED, "kernel: more than %d sizes of memory",
			       EFI_BOOT_KERNELS_MAX);
	if (pe_parse(kernel, &pe, e) < 0)
		return err_wrap(e, "kernel");
	for (size_t i = 0; i < EFI_BOOT_BANKS; i++)
		if (pe_digest(&pe, boot->banks[i].kind, boot->banks[i].kernels[boot->kernel_count],
			      e) < 0)
			return err_wrap(e, "kernel");
	boot->kernel_count++;
	return 0;
}

static int measure_kernels(struct span kernel, size_t initrd_len, uint64_t min_memory_mib,
			   struct efi_boot *boot, struct err *e)
{
	CLEANUP(free) uint8_t *copy = NULL;
	const uint64_t step = EFI_BOOT_MEMORY_STEP_MIB, high = EFI_BOOT_MEMORY_HIGH_MIB;
	struct span patched;
	uint64_t mib = min_memory_mib < high ? (min_memory_mib + step - 1) / step * step : high;

	if (kernel.len < SETUP_END || memcmp(kernel.bytes + SETUP_MAGIC, "HdrS", 4) != 0 ||
	    get16(kernel.bytes + SETUP_VERSION) < VERSION_XFLAGS ||
	    !(get16(kernel.bytes + SETUP_XFLAGS) & XFLAG_ABOVE_4G))
		return err_set(e, ERR_INVALID,
			       "the kernel is no Linux bzImage of a version that can "
			       "be foreseen");
	if (add_kernel(kernel, boot, e) < 0)
		return err_code(e);
	copy = malloc(kernel.len);
	if (!copy)
		return err_nomem(e);
	memcpy(copy, kernel.bytes, kernel.len);
	patched = (struct span){ copy, kernel.len };
	for (mib = mib ? mib : step; mib <= high; mib += step) {
		if (mib << 20 <= ACPI_LEN + initrd_len) /* no such machine starts */
			continue;
		patch(copy, mib, initrd_len);
		if (add_kernel(patched, boot, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- the stub's options and the initrd ---- */

/* In UTF-16 with its final zero, and with what OVMF puts behind it when there is an initrd. */
static int measure_options(const char *cmdline, struct efi_boot *boot, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * CMDLINE_MAX);
	const char *parts[] = { cmdline, " initrd=initrd" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (const char *at = parts[i]; *at; at++) {
			if (*at < ' ' || *at > '~')
				return err_set(e, ERR_INVALID,
					       "the command line is not plain ASCII");
			writer_le16(&w, (uint16_t)*at);
		}
	writer_le16(&w, 0);
	if (writer_check(&w, "the command line", e) < 0)
		return err_code(e);
	for (size_t i = 0; i < EFI_BOOT_BANKS; i++)
		if (digest(boot->banks[i].kind, w.bytes, w.len, boot->banks[i].options, e) < 0)
			return err_code(e);
	return 0;
}

int efi_boot_measure(struct span kernel, struct span initrd, const char *cmdline,
		     uint64_t min_memory_mib, struct efi_boot *boot, struct err *e)
{
	CLEANUP(free) struct efi_boot *b = calloc(1, sizeof(*b));

	if (!b)
		return err_nomem(e);
	b->banks[EFI_BOOT_SHA256].kind = DIGEST_SHA256;
	b->banks[EFI_BOOT_SHA384].kind = DIGEST_SHA384;
	if (!initrd.len || initrd.len > EFI_BOOT_INITRD_MAX)
		return err_set(e, ERR_INVALID, "the initrd has %zu bytes", initrd.len);
	for (size_t i = 0; i < EFI_BOOT_BANKS; i++)
		if (digest(b->banks[i].kind, initrd.bytes, initrd.len, b->banks[i].initrd, e) < 0)
			return err_code(e);
	if (measure_options(cmdline, b, e) < 0 ||
	    measure_kernels(kernel, initrd.len, min_memory_mib, b, e) < 0)
		return err_code(e);
	*boot = *b;
	return 0;
}

/* ---- registers ---- */

static int events_none(const struct efi_boot_bank *bank, size_t variant, struct efi_events *list,
		       struct err *e)
{
	return efi_events_separator(list, e);
}

static int add_kernel_call(const struct efi_boot_bank *bank, size_t variant,
			   struct efi_events *list, struct err *e)
{
	efi_events_digest(list, bank->kernels[variant]);
	return efi_events_text(list, "Calling EFI Application from Boot Option", e);
}

static int events_kernel(const struct efi_boot_bank *bank, size_t variant, struct efi_events *list,
			 struct err *e)
{
	if (add_kernel_call(bank, variant, list, e) < 0)
		return err_code(e);
	return efi_events_separator(list, e);
}

/* The switch is off: a zero in Debian 12's OVMF, no such variable in Debian 13's. Keys and lists do
 * not exist. */
static int events_secure_boot(const struct efi_boot_bank *bank, size_t variant,
			      struct efi_events *list, struct err *e)
{
	return efi_events_secure_boot(list, variant, e);
}

static int events_stub(const struct efi_boot_bank *bank, size_t variant, struct efi_events *list,
		       struct err *e)
{
	efi_events_digest(list, bank->options);
	efi_events_digest(list, bank->initrd);
	return 0;
}

/* The kernel leaves firmware at once. */
static int add_exit(struct efi_events *list, struct err *e)
{
	if (efi_events_text(list, "Exit Boot Services Invocation", e) < 0)
		return err_code(e);
	return efi_events_text(list, "Exit Boot Services Returned with Success", e);
}

/* OvmfPkg/IntelTdx keeps one separator for all of RTMR1, and had it in RTMR0 before 2024.11. */
static int events_rtmr1(const struct efi_boot_bank *bank, size_t variant, struct efi_events *list,
			struct err *e)
{
	return events_kernel(bank, variant, list, e) < 0 ? err_code(e) : add_exit(list, e);
}

static int events_rtmr1_before(const struct efi_boot_bank *bank, size_t variant,
			       struct efi_events *list, struct err *e)
{
	return add_kernel_call(bank, variant, list, e) < 0 ? err_code(e) : add_exit(list, e);
}

typedef int events_fn(const struct efi_boot_bank *bank, size_t variant, struct efi_events *list,
		      struct err *e);

/* How a register comes about, and in how many ways; 0: one for each kernel. */
static const struct reg {
	unsigned index;
	size_t variants;
	events_fn *events[2]; /* the second, if any, in older firmware */
} pcrs[] = {
	{ 2, 1, { events_none } },	  { 3, 1, { events_none } }, { 4, 0, { events_kernel } }, { 6, 1, { events_none } },
	{ 7, 2, { events_secure_boot } }, { 9, 1, { events_stub } },
}, rtmrs[] = { { 1, 0, { events_rtmr1, events_rtmr1_before } }, { 2, 1, { events_stub } } };

static int values_of(const struct reg *reg, const struct efi_boot *boot, size_t bank,
		     struct efi_boot_values *out, struct err *e)
{
	size_t each = reg->variants ? reg->variants : boot->kernel_count;
	size_t count = reg->events[1] ? 2 * each : each;

	out->index = reg->index;
	out->kind = boot->banks[bank].kind;
	out->len = digest_len(out->kind);
	out->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct efi_events list = { .kind = out->kind };

		if (reg->events[i / each](&boot->banks[bank], i % each, &list, e) < 0 ||
		    efi_events_replay(&list, out->values[out->count++], e) < 0)
			return err_code(e);
	}
	return 0;
}

int efi_boot_pcrs(const struct efi_boot *boot, size_t bank,
		  struct efi_boot_values out[EFI_BOOT_PCRS], struct err *e)
{
	static_assert(ARRAY_LEN(pcrs) == EFI_BOOT_PCRS, "a row for each register");
	for (size_t i = 0; i < ARRAY_LEN(pcrs); i++)
		if (values_of(&pcrs[i], boot, bank, &out[i], e) < 0)
			return err_code(e);
	return 0;
}

int efi_boot_rtmrs(const struct efi_boot *boot, struct efi_boot_values out[EFI_BOOT_RTMRS],
		   struct err *e)
{
	static_assert(ARRAY_LEN(rtmrs) == EFI_BOOT_RTMRS, "a row for each register");
	for (size_t i = 0; i < ARRAY_LEN(rtmrs); i++)
		if (values_of(&rtmrs[i], boot, EFI_BOOT_SHA384, &out[i], e) < 0)
			return err_code(e);
	return 0;
}
