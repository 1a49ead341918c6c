/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "manager/registry/host_table.h"
#include "tests/unit.h"

#include <sys/stat.h>
#include <unistd.h>

static int parse(const char *text, struct host_table *t, struct err *e)
{
	return host_table_parse(text, strlen(text), "hosts", t, e);
}

static struct host_table t;

static void what_it_says_is_read(void **state)
{
	struct err e;

	assert_ok(
		parse("# ours\n\n\thost here qemu:///system tees=none\n"
		      "host ward-2\tqemu+tls://ward-2.example:16514/system?pkipath=/etc/x "
		      "address=10.0.0.2 tees=snp,none cpus=64 memory=256G machines=40 pool=b_o.0-t "
		      "state=draining\n"
		      "host w.3 qemu+ssh://root@ward-3/system address=10.0.0.3 tees=tdx "
		      "state=active\n"
		      "host w.4 qemu+unix:///system?socket=/run/x/sock address=10.0.0.4 tees=snp,tdx",
		      &t, &e),
		e);
	assert_int_equal(t.count, 4);
	assert_true(host_row_is_local(&t.rows[0]) && t.rows[0].tees[DOMAIN_PLAIN]);
	assert_string_equal(t.rows[0].address, "");
	assert_string_equal(t.rows[1].name, "ward-2");
	assert_string_equal(t.rows[1].address, "10.0.0.2");
	assert_string_equal(t.rows[1].pool, "b_o.0-t");
	assert_true(t.rows[1].tees[DOMAIN_PLAIN] && t.rows[1].tees[DOMAIN_SNP] &&
		    !t.rows[1].tees[DOMAIN_TDX] && t.rows[1].draining);
	assert_int_equal(t.rows[1].cpus, 64);
	assert_int_equal(t.rows[1].memory, (uint64_t)256 << 30);
	assert_int_equal(t.rows[1].machines, 40);
	assert_string_equal(t.rows[2].pool, "cocos");
	assert_true(!t.rows[2].cpus && !t.rows[2].memory && !t.rows[2].machines &&
		    !t.rows[2].draining && !host_row_is_local(&t.rows[2]));
	assert_true(t.rows[3].tees[DOMAIN_SNP] && t.rows[3].tees[DOMAIN_TDX]);
}

#define TLS "qemu+tls://x/system"

static void everything_else_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "hosts: no host" },
		{ "# nothing\n", "hosts: no host" },
		{ "machine a", "hosts:1: 'machine': a line begins with host" },
		{ "\nhost", "hosts:2: host '': a name is" },
		{ "host A qemu:///system tees=none", "a name is" },
		{ "host a/b qemu:///system tees=none", "a name is" },
		{ "host a", "'' is no URI" },
		{ "host a qemu:///session tees=none", "is no URI" },
		{ "host a test:///default tees=none", "is no URI" },
		{ "host a qemu+tcp://x/system tees=none", "is no URI" },
		{ "host a qemu+libssh://x/system tees=none", "is no URI" },
		{ "host a qemu:///system?socket=/x tees=none", "is no URI" },
		{ "host a qemu+unix:///system?socket=x tees=none", "is no URI" },
		{ "host a qemu+unix:///system?socket=/x?no_verify=1 tees=none", "is no URI" },
		{ "host a " TLS "?no_verify=1 tees=none", "is no URI" },
		{ "host a " TLS "?pkipath=/x&no_verify=1 tees=none", "is no URI" },
		{ "host a " TLS "?pkipath=/x;no_verify=1 tees=none", "is no URI" },
		{ "host a " TLS "%3fno_verify=1 tees=none", "is no URI" },
		{ "host a " TLS "#x tees=none", "is no URI" },
		{ "host a " TLS "x tees=none", "is no URI" },
		{ "host a qemu+tls:///system tees=none", "is no URI" },
		{ "host a qemu+ssh://-oProxyCommand=x/system tees=none", "is no URI" },
		{ "host a qemu+ssh://-ox/system tees=none", "is no URI" },
		{ "host a qemu+ssh://u@-ox/system tees=none", "is no URI" },
		{ "host a qemu+ssh://x/system?command=/x tees=none", "is no URI" },
		{ "host a " TLS " address=10.0.0.1", "hosts:1: host a: what may protect" },
		{ "host a " TLS " tees=none", "address= is missing" },
		{ "host a " TLS " tees=none address=0.0.0.0", "address='0.0.0.0': it has to be" },
		{ "host a " TLS " tees=none address=::1", "address=" },
		{ "host a " TLS " tees=none address=10.0.0.01", "address=" },
		{ "host a " TLS " tees= address=10.0.0.1", "tees=" },
		{ "host a " TLS " tees=snp, address=10.0.0.1", "tees=" },
		{ "host a " TLS " tees=snp,snp address=10.0.0.1", "tees=" },
		{ "host a " TLS " tees=sev address=10.0.0.1", "tees=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 cpus=0", "cpus=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 cpus=01", "cpus=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 cpus=1048577", "cpus=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 cpus=99999999999999999999", "cpus=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 machines=4097", "machines=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 memory=0", "memory=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 memory=much", "memory=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 memory=2097152G", "memory=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 pool=a/b", "pool=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 pool=", "pool=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 state=off", "state=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 state", "is no address=" },
		{ "host a " TLS " tees=snp address=10.0.0.1 color=red", "is no address=" },
		{ "host a " TLS " tees=snp tees=snp address=10.0.0.1", "tees is there twice" },
		{ "host a qemu:///system tees=snp address=10.0.0.1", "is this machine" },
		{ "host a qemu:///system tees=snp pool=x", "is this machine" },
		{ "host a qemu:///system tees=snp\nhost a " TLS " tees=snp address=10.0.0.1",
		  "hosts:2: host a is there twice" },
		{ "host a qemu:///system tees=snp\nhost b qemu:///system tees=snp",
		  "hosts:2: host b has the URI of host a" },
		{ "host a qemu:///system tees=snp\r\n", "printable ASCII" },
		{ "host a qemu:///system tees=snp \xc3\xa9", "printable ASCII" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(parse(rows[i].text, &t, &e), e, ERR_INVALID, rows[i].words);
}

/* Each limit, and one more. */
static void it_is_bounded(void **state)
{
	static char text[HOST_TABLE_FILE_MAX + 2];
	char name[80] = "";
	struct err e;
	size_t at = 0;

	for (int i = 0; i < HOSTS_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "host h%d qemu+tls://h%d/system tees=snp address=10.0.0.1\n",
				       i, i);
	assert_ok(parse(text, &t, &e), e);
	assert_int_equal(t.count, HOSTS_MAX);
	snprintf(text + at, sizeof(text) - at, "host x qemu:///system tees=snp");
	assert_refused(parse(text, &t, &e), e, ERR_INVALID, "hosts:65: more than 64 hosts");

	memset(text, ' ', sizeof(text));
	memcpy(text, "host a qemu:///system tees=snp", 30);
	text[HOST_TABLE_LINE_MAX] = '\n';
	assert_ok(host_table_parse(text, HOST_TABLE_LINE_MAX + 1, "hosts", &t, &e), e);
	text[HOST_TABLE_LINE_MAX] = ' ';
	assert_refused(host_table_parse(text, HOST_TABLE_LINE_MAX + 1, "hosts", &t, &e), e,
		       ERR_INVALID, "more than 1024 characters");

	memset(text, '\n', sizeof(text));
	memcpy(text, "host a qemu:///system tees=snp", 30);
	assert_ok(host_table_parse(text, HOST_TABLE_FILE_MAX, "hosts", &t, &e), e);
	assert_refused(host_table_parse(text, HOST_TABLE_FILE_MAX + 1, "hosts", &t, &e), e,
		       ERR_INVALID, "more than 65536 bytes");

	memset(name, 'a', HOST_NAME_LEN_MAX);
	snprintf(text, sizeof(text), "host %s qemu:///system tees=snp", name);
	assert_ok(parse(text, &t, &e), e);
	snprintf(text, sizeof(text), "host %sa qemu:///system tees=snp", name);
	assert_refused(parse(text, &t, &e), e, ERR_INVALID, "a name is 63");
}

/* Half a table is none, or one with fewer hosts; never one with other hosts. */
static void a_truncated_table_is_refused_or_smaller(void **state)
{
	static const char whole[] = "host a qemu:///system tees=none\n"
				    "host b " TLS " address=10.0.0.1 tees=snp state=draining\n";
	struct err e;

	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		if (host_table_parse(whole, len, "hosts", &t, &e) == 0)
			for (size_t i = 0; i < t.count; i++) {
				assert_string_equal(t.rows[i].name, i ? "b" : "a");
				assert_string_equal(t.rows[i].uri, i ? TLS : "qemu:///system");
			}
		else
			assert_memory_equal(e.text, "hosts:", 6);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	char path[] = "/tmp/cocos-test-hosts-XXXXXX";
	int fd = mkstemp(path);
	struct err e;

	assert_true(fd >= 0);
	close(fd);
	assert_ok(file_write(path, "host a qemu:///system tees=none\n", 32, 0644, &e), e);
	assert_ok(host_table_read(path, &t, &e), e);
	assert_int_equal(chmod(path, 0664), 0);
	assert_refused(host_table_read(path, &t, &e), e, ERR_PRECONDITION, "others may write it");
	assert_int_equal(chmod(path, 0642), 0);
	assert_refused(host_table_read(path, &t, &e), e, ERR_PRECONDITION, "others may write it");
	assert_int_equal(chmod(path, 0644), 0);
	assert_ok(host_table_read(path, &t, &e), e);
	if (geteuid() == 0) { /* whose it is may write it, and may let others */
		assert_int_equal(chown(path, 65534, 0), 0);
		assert_refused(host_table_read(path, &t, &e), e, ERR_PRECONDITION,
			       "others may write it");
	}
	assert_int_equal(unlink(path), 0);
	assert_refused(host_table_read(path, &t, &e), e, ERR_NOT_FOUND, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_is_read),
		cmocka_unit_test(everything_else_is_refused_with_its_line),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(a_truncated_table_is_refused_or_smaller),
		cmocka_unit_test(a_file_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
