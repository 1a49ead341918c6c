/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"

#include "manager/virt_host.h"

#define GUEST(arch_, domains_)                                                                     \
	"<guest><os_type>hvm</os_type><arch name='" arch_ "'>" domains_ "</arch></guest>"
#define DAC                                                                                        \
	"<secmodel><model>none</model></secmodel><secmodel><model>dac</model>"                     \
	"<baselabel type='kvm'>+64055:+107</baselabel>"                                            \
	"<baselabel type='qemu'>+64056:+108</baselabel></secmodel>"
#define CAPS(host_, guest_) "<capabilities><host>" host_ "</host>" guest_ "</capabilities>"
#define BOTH "<domain type='qemu'/><domain type='kvm'/>"
#define TCG  "<domain type='qemu'/>"

#define AMD   "processor\t: 0\nflags\t\t: fpu svm lm\n"
#define INTEL "processor\t: 0\nflags\t\t: fpu lm vmx\nbugs\t: x\n"
#define NONE  "processor\t: 0\nflags\t\t: fpu svm_lock xvmx lm\nbugs\t: svm vmx\n"

static void kvm_needs_the_word_of_both(void **state)
{
	static const struct {
		const char *capabilities, *cpuinfo;
		bool kvm;
	} rows[] = {
		{ CAPS(DAC, GUEST("x86_64", BOTH)), AMD, true },
		{ CAPS(DAC, GUEST("x86_64", BOTH)), INTEL, true },
		{ CAPS(DAC, GUEST("x86_64", BOTH)), NONE, false },
		{ CAPS(DAC, GUEST("x86_64", BOTH)), "", false },
		{ CAPS(DAC, GUEST("x86_64", TCG)), AMD, false },
		{ CAPS(DAC, GUEST("i686", BOTH)), AMD, false },
		{ CAPS(DAC, GUEST("i686", BOTH) GUEST("x86_64", TCG)), AMD, false },
		{ CAPS(DAC, ""), AMD, false },
	};
	struct virt_host host;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(virt_host_read(rows[i].capabilities, rows[i].cpuinfo, &host, &e), e);
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

	assert_ok(virt_host_read(CAPS("", GUEST("x86_64", TCG)), NONE, &host, &e), e);
	assert_false(host.has_owner);
}

static void what_can_not_be_read_is_refused(void **state)
{
	struct virt_host host;
	struct err e;

	assert_refused(virt_host_read("<capabilities>", AMD, &host, &e), e, ERR_INTERNAL,
		       "capabilities");
	assert_refused(virt_host_read("", AMD, &host, &e), e, ERR_INTERNAL, "capabilities");
	assert_refused(virt_host_read(CAPS("<secmodel><model>dac</model><baselabel type='qemu'>"
					   "qemu:kvm</baselabel></secmodel>", ""), AMD, &host, &e),
		       e, ERR_INTERNAL, "qemu:kvm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kvm_needs_the_word_of_both),
		cmocka_unit_test(no_other_user_is_fine),
		cmocka_unit_test(what_can_not_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
