/* SPDX-License-Identifier: Apache-2.0 */
/* Uses libvirt's own test driver: a hypervisor within this process, without a daemon. */
#include "manager/virt/virt.h"
#include "tests/unit.h"

#define UUID "3b1f8a10-1111-4222-8333-000000000001"
#define DOMAIN                                                               \
	"<domain type='test'><name>cocos-test-0</name><uuid>" UUID "</uuid>" \
	"<memory>65536</memory><os><type>hvm</type></os></domain>"

struct seen {
	unsigned connected, started, stopped;
	uv_loop_t *loop;
	uv_timer_t patience;
};

static void on_notice(void *data, const struct virt_notice *notice)
{
	struct seen *seen = data;

	seen->connected += notice->event == VIRT_CONNECTED;
	if (strcmp(notice->uuid, UUID) == 0) {
		assert_string_equal(notice->name, "cocos-test-0");
		seen->started += notice->event == VIRT_STARTED;
		seen->stopped += notice->event == VIRT_STOPPED;
	}
}

static void on_impatient(uv_timer_t *timer)
{
	fail_msg("libvirt's events did not come");
}

static void domains_come_and_go_with_notices(void **state)
{
	struct virt_domain *domains;
	struct seen seen = { 0 };
	struct virt *virt;
	uv_loop_t loop;
	size_t count;
	struct err e;

	uv_loop_init(&loop);
	uv_timer_init(&loop, &seen.patience);
	uv_timer_start(&seen.patience, on_impatient, 60000, 0);
	assert_ok(virt_new(&loop, "test:///default", on_notice, &seen, &virt, &e), e);
	assert_ok(virt_connect(virt, &e), e);
	assert_ok(virt_connect(virt, &e), e);
	assert_ok(virt_start(virt, DOMAIN, &e), e);
	assert_ok(virt_list(virt, "cocos-test-", &domains, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(domains[0].uuid, UUID);
	free(domains);
	assert_ok(virt_list(virt, "cocos-other-", &domains, &count, &e), e);
	assert_int_equal(count, 0);
	free(domains);
	assert_refused(virt_start(virt, DOMAIN, &e), e, ERR_INTERNAL, "start a domain");
	assert_refused(virt_start(virt, "<domain", &e), e, ERR_INTERNAL, "start a domain");
	assert_ok(virt_stop(virt, UUID, &e), e);
	assert_ok(virt_stop(virt, UUID, &e), e); /* also when it is gone */
	while (!seen.connected || !seen.started || !seen.stopped)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(seen.started, 1);
	assert_int_equal(seen.stopped, 1);
	virt_close(virt);
	uv_close((uv_handle_t *)&seen.patience, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Its files are another's where it is another host. */
static void a_host_is_this_machine_or_another(void **state)
{
	for (int remote = 0; remote <= 1; remote++) {
		struct virt_host host;
		struct seen seen = { 0 };
		struct virt *virt;
		uv_loop_t loop;
		struct err e;

		uv_loop_init(&loop);
		assert_ok(virt_new(&loop, "test:///default", on_notice, &seen, &virt, &e), e);
		if (remote)
			virt_make_remote(virt);
		assert_ok(virt_dial(virt, &e), e);
		assert_ok(virt_host(virt, &host, &e), e);
		assert_int_equal(host.here, !remote);
		virt_close(virt);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

/* U+009B begins a terminal's commands. */
static void a_name_is_fit_for_a_terminal(void **state)
{
	struct virt_domain *domains;
	struct seen seen = { 0 };
	struct virt *virt;
	uv_loop_t loop;
	size_t count;
	struct err e;

	uv_loop_init(&loop);
	assert_ok(virt_new(&loop, "test:///default", on_notice, &seen, &virt, &e), e);
	assert_ok(virt_start(virt,
			     "<domain type='test'><name>cocos-odd-&#x9b;2J x</name>"
			     "<memory>1024</memory><os><type>hvm</type></os></domain>",
			     &e),
		  e);
	assert_ok(virt_list(virt, "cocos-odd-", &domains, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(domains[0].name, "cocos-odd-??2J?x");
	assert_ok(virt_stop(virt, domains[0].uuid, &e), e);
	free(domains);
	virt_close(virt);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_libvirt_that_is_not_there_is_unavailable(void **state)
{
	struct virt_host host;
	struct virt_domain *domains;
	struct seen seen = { 0 };
	struct virt *virt;
	uv_loop_t loop;
	size_t count;
	struct err e;

	uv_loop_init(&loop);
	assert_ok(virt_new(&loop, "qemu+unix:///system?socket=/proc/nowhere/sock", on_notice, &seen,
			   &virt, &e),
		  e);
	assert_refused(virt_connect(virt, &e), e, ERR_UNAVAILABLE, "/proc/nowhere");
	assert_refused(virt_host(virt, &host, &e), e, ERR_UNAVAILABLE, "libvirt");
	assert_refused(virt_start(virt, DOMAIN, &e), e, ERR_UNAVAILABLE, "libvirt");
	assert_refused(virt_stop(virt, UUID, &e), e, ERR_UNAVAILABLE, "libvirt");
	assert_refused(virt_forward(virt, UUID, "127.0.0.1", 1, 2, &e), e, ERR_UNAVAILABLE,
		       "libvirt");
	assert_refused(virt_list(virt, "", &domains, &count, &e), e, ERR_UNAVAILABLE, "libvirt");
	virt_close(virt);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_come_and_go_with_notices),
		cmocka_unit_test(a_host_is_this_machine_or_another),
		cmocka_unit_test(a_name_is_fit_for_a_terminal),
		cmocka_unit_test(a_libvirt_that_is_not_there_is_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
