/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_host.h"
#include "tests/unit.h"

#define GUEST(arch_, domains_) \
	"<guest><os_type>hvm</os_type><arch name='" arch_ "'>" domains_ "</arch></guest>"
#define DAC                                                                    \
	"<secmodel><model>none</model></secmodel><secmodel><model>dac</model>" \
	"<baselabel type='kvm'>+64055:+107</baselabel>"                        \
	"<baselabel type='qemu'>+64056:+108</baselabel></secmodel>"
#define CAPS(host_, guest_) "<capabilities><host>" host_ "</host>" guest_ "</capabilities>"
#define BOTH                "<domain type='qemu'/><domain type='kvm'/>"
#define TCG                 "<domain type='qemu'/>"

#define DOMCAPS(types_, sev_)                                                    \
	"<domainCapabilities><features>" sev_ "<launchSecurity supported='yes'>" \
	"<enum name='sectype'>" types_ "</enum></launchSecurity></features></domainCapabilities>"
#define SEV      "<sev supported='yes'><cbitpos>51</cbitpos><reducedPhysBits>1</reducedPhysBits></sev>"
#define SNP_TYPE "<value>sev</value><value>sev-snp</value>"
#define TDX_TYPE "<value>tdx</value>"

static int read_plain(const char *capabilities, bool virtualizes, struct virt_host *host,
		      struct err *e)
{
	return virt_host_read(&(struct virt_host_sources){ .capabilities = capabilities,
							   .virtualizes = virtualizes },
			      host, e);
}

/* It tells hosts apart, and is printed. */
static void a_machine_has_the_uuid_that_libvirt_says(void **state)
{
#define ID "5b1c6d3e-0000-4000-8000-00000000000"
	static const struct {
		const char *capabilities, *uuid;
	} rows[] = {
		{ CAPS("<uuid>" ID "a</uuid>", ""), ID "a" },
		{ CAPS("", ""), "" },
		{ CAPS("<uuid/>", ""), "" },
		{ CAPS("<uuid>" ID "</uuid>", ""), "" },
		{ CAPS("<uuid>" ID "ab</uuid>", ""), "" },
		{ CAPS("<uuid>" ID "A</uuid>", ""), "" },
		{ CAPS("<uuid>" ID "&#10;</uuid>", ""), "" },
	};
	struct virt_host host;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(read_plain(rows[i].capabilities, true, &host, &e), e);
		assert_string_equal(host.uuid, rows[i].uuid);
	}
}

static void kvm_needs_the_word_of_both(void **state)
{
	static const struct {
		const char *capabilities;
		bool virtualizes, kvm;
	} rows[] = {
		{ CAPS(DAC, GUEST("x86_64", BOTH)), true, true },
		{ CAPS(DAC, GUEST("x86_64", BOTH)), false, false },
		{ CAPS(DAC, GUEST("x86_64", TCG)), true, false },
		{ CAPS(DAC, GUEST("i686", BOTH)), true, false },
		{ CAPS(DAC, GUEST("i686", BOTH) GUEST("x86_64", TCG)), true, false },
		{ CAPS(DAC, ""), true, false },
	};
	struct virt_host host;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(read_plain(rows[i].capabilities, rows[i].virtualizes, &host, &e), e);
		if (host.kvm != rows[i].kvm)
			fail_msg("row %zu: kvm is %d", i, host.kvm);
		assert_true(host.has_owner);
		assert_int_equal(host.uid, host.kvm ? 64055 : 64056);
		assert_int_equal(host.gid, host.kvm ? 107 : 108);
	}
}

static void no_other_user_is_fine(void **state)
{
	struct virt_host host;
	struct err e;

	assert_ok(read_plain(CAPS("", GUEST("x86_64", TCG)), false, &host, &e), e);
	assert_false(host.has_owner);
}

/* Another number than libvirt's would be somebody else. */
static void an_owner_is_two_numbers(void **state)
{
#define OWNER(text)                                                                                \
	CAPS("<secmodel><model>dac</model><baselabel type='qemu'>" text "</baselabel></secmodel>", \
	     "")
	static const char *const bad[] = {
		OWNER("+-1:+0"),
		OWNER("+0:+-1"),
		OWNER("+4294967295:+0"),
		OWNER("+0:+4294967295"),
		OWNER("+1:+ 2"),
		OWNER("+ 1:+2"),
		OWNER("+4294967297:+0"),
		OWNER("+1:+2 "),
		OWNER("+1:+"),
		OWNER("++1:+2"),
		OWNER("+1:2"),
		OWNER("1:2"),
		OWNER("+18446744073709551617:+0"),
	};
	struct virt_host host;
	struct err e;

	assert_ok(read_plain(OWNER("+0:+4294967294"), true, &host, &e), e);
	assert_true(host.has_owner && host.uid == 0 && host.gid == UINT32_MAX - 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(read_plain(bad[i], true, &host, &e), e, ERR_INTERNAL,
			       "is not +uid:+gid");
}

static void a_place_of_a_bit_is_in_an_address(void **state)
{
#define PLACE(c, r)                                                                          \
	DOMCAPS(SNP_TYPE, "<sev supported='yes'><cbitpos>" c "</cbitpos><reducedPhysBits>" r \
			  "</reducedPhysBits></sev>")
	static const struct {
		const char *domain;
		bool snp;
	} rows[] = {
		{ PLACE("63", "63"), true },  { PLACE("64", "1"), false },
		{ PLACE("51", "64"), false }, { PLACE("-51", "1"), false },
		{ PLACE("51", "-1"), false }, { PLACE("4294967347", "1"), false },
		{ PLACE("51 ", "1"), false }, { PLACE("", "1"), false },
	};
	struct virt_host host;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct virt_host_sources sources = { CAPS(DAC, GUEST("x86_64", BOTH)),
							   rows[i].domain, "Y\n", NULL, true };

		assert_ok(virt_host_read(&sources, &host, &e), e);
		if (host.snp != rows[i].snp)
			fail_msg("row %zu: snp %d", i, host.snp);
	}
}

static void what_can_not_be_read_is_refused(void **state)
{
	struct virt_host host;
	struct err e;

	assert_refused(read_plain("<capabilities>", true, &host, &e), e, ERR_INTERNAL,
		       "capabilities");
	assert_refused(read_plain("", true, &host, &e), e, ERR_INTERNAL, "capabilities");
	assert_refused(read_plain(CAPS("<secmodel><model>dac</model><baselabel type='qemu'>"
				       "qemu:kvm</baselabel></secmodel>",
				       ""),
				  true, &host, &e),
		       e, ERR_INTERNAL, "qemu:kvm");
}

static void a_tee_needs_the_word_of_kernel_and_libvirt(void **state)
{
	static const char kvm[] = CAPS(DAC, GUEST("x86_64", BOTH)),
			  tcg[] = CAPS(DAC, GUEST("x86_64", TCG));
	static const struct {
		const char *capabilities, *domain, *snp, *tdx;
		bool has_snp, has_tdx;
	} rows[] = {
		{ kvm, DOMCAPS(SNP_TYPE, SEV), "Y\n", NULL, true, false },
		{ kvm, DOMCAPS(SNP_TYPE, SEV), "1\n", NULL, true, false },
		{ kvm, DOMCAPS(SNP_TYPE, SEV), "N\n", NULL, false, false },
		{ kvm, DOMCAPS(SNP_TYPE, SEV), NULL, NULL, false, false },
		{ kvm, DOMCAPS(SNP_TYPE, ""), "Y\n", NULL, false, false },
		{ kvm, DOMCAPS("<value>sev</value>", SEV), "Y\n", NULL, false, false },
		{ kvm, NULL, "Y\n", "Y\n", false, false },
		{ tcg, DOMCAPS(SNP_TYPE, SEV), "Y\n", NULL, false, false },
		{ kvm, DOMCAPS(TDX_TYPE, ""), NULL, "Y\n", false, true },
		{ kvm, DOMCAPS(TDX_TYPE, ""), NULL, "N\n", false, false },
		{ kvm, DOMCAPS("", ""), NULL, "Y\n", false, false },
	};
	struct virt_host host;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct virt_host_sources sources = { rows[i].capabilities, rows[i].domain,
							   rows[i].snp, rows[i].tdx, true };

		assert_ok(virt_host_read(&sources, &host, &e), e);
		if (host.snp != rows[i].has_snp || host.tdx != rows[i].has_tdx)
			fail_msg("row %zu: snp %d, tdx %d", i, host.snp, host.tdx);
		if (host.snp) {
			assert_int_equal(host.cbitpos, 51);
			assert_int_equal(host.reduced_phys_bits, 1);
		}
	}
}

/* The kernel shows the word unless the firmware has switched it off, which the CPU does not know. */
static void what_the_kernel_shows_of_the_cpu_the_cpu_says(void **state)
{
	CLEANUP(free) char *flags = malloc(1 << 16);
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool shown = false, read = false;

	assert_non_null(flags);
	assert_non_null(file);
	while (fgets(flags, 1 << 16, file)) {
		if (strncmp(flags, "flags", 5) != 0)
			continue;
		read = true;
		shown = shown || strstr(flags, " svm ") || strstr(flags, " vmx ");
	}
	fclose(file);
	assert_true(read);
	assert_true(virt_cpu() || !shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_has_the_uuid_that_libvirt_says),
		cmocka_unit_test(kvm_needs_the_word_of_both),
		cmocka_unit_test(a_tee_needs_the_word_of_kernel_and_libvirt),
		cmocka_unit_test(what_the_kernel_shows_of_the_cpu_the_cpu_says),
		cmocka_unit_test(no_other_user_is_fine),
		cmocka_unit_test(an_owner_is_two_numbers),
		cmocka_unit_test(a_place_of_a_bit_is_in_an_address),
		cmocka_unit_test(what_can_not_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
