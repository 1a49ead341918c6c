/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "manager/registry/registry_form.h"
#include "tests/unit/manager/registry_room.h"

static void what_was_recorded_is_read_back_after_reopening(void **state)
{
	struct cvm one = registry_room_cvm(1), two = registry_room_cvm(0), *all;
	char tag[REGISTRY_TAG_LEN + 1];
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	strcpy(tag, registry_tag(r));
	assert_ok(registry_add(r, &one, &e), e);
	assert_ok(registry_add(r, &two, &e), e);
	assert_ok(registry_set_step(r, one.id, CVM_FORWARD, &e), e);
	assert_ok(registry_set_port(r, one.id, 9999, &e), e);
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(tag, registry_tag(r));
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 2);
	one.step = CVM_FORWARD;
	one.port = 9999;
	assert_cvm_equal(&all[0], &two); /* by slot */
	assert_cvm_equal(&all[1], &one);
	free(all);
	assert_ok(registry_delete(r, &one, &e), e);
	assert_ok(registry_delete(r, &two, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 0);
	free(all);
	registry_close(r);
}

static void nothing_is_taken_twice(void **state)
{
	struct cvm one = registry_room_cvm(1), other = registry_room_cvm(2);
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	strcpy(other.id, one.id);
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS,
		       registry_room_place() ? "cvm_pkey" : "id");
	other = registry_room_cvm(2);
	other.slot = one.slot;
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS, "slot");
	other = registry_room_cvm(2);
	other.port = one.port;
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS, "port");
	other = registry_room_cvm(2);
	assert_ok(registry_add(r, &other, &e), e);
	assert_refused(registry_set_port(r, other.id, one.port, &e), e, ERR_EXISTS, "port");
	registry_close(r);
}

static void unknown_cvms_are_not_found(void **state)
{
	struct cvm none = registry_room_cvm(9);
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_refused(registry_set_step(r, "x", CVM_DOMAIN, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_set_port(r, "x", 1, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_delete(r, &none, &e), e, ERR_NOT_FOUND, none.id);
	registry_close(r);
}

/* A server: zero bytes, what is no UTF-8, and tables without types. */
static bool takes_no_such_value(const char *sql)
{
	return registry_room_place() &&
	       (strstr(sql, "char(0)") || strstr(sql, "CAST(x'") || strstr(sql, "DROP TABLE"));
}

#define ID "'00000000-0000-4000-8000-000000000001'"

/* What is read becomes folders that are removed: 'id' first. */
static void rows_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "id = '../..'", "id is no UUID" },
		{ "id = ''", "id is no UUID" },
		{ "id = '.'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000G'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000A'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000/000000000001'", "id is no UUID" },
		{ "id = '../../../../../../../../../../../etc'", "id is no UUID" },
		{ "id = id || '1'", "id is too long" },
		{ "id = '00000000-0000-4000-8000-000000000001' || char(0)", "no text of ours" },
		{ "id = '00000000-0000-4000-8000-0000000000' || char(0) || '1'",
		  "no text of ours" },
		{ "id = CAST(x'ff' AS TEXT)", "no text of ours" },
		{ "slot = -1", "slot is out of range" },
		{ "slot = 16384", "slot is out of range" },
		{ "slot = 4294967297", "slot is out of range" },
		{ "port = 0", "port is out of range" },
		{ "port = -1", "port is out of range" },
		{ "port = 65536", "port is out of range" },
		{ "port = 72636", "port is out of range" },
		{ "step = 0", "step is out of range" },
		{ "step = 7", "step is out of range" },
		{ "created_ms = -1", "created_ms is out of range" },
		{ "expires_ms = -1", "expires_ms is out of range" },
		{ "expires_ms = 1", "before its created_ms" },
		{ "tee = -1", "tee is out of range" },
		{ "tee = 3", "tee is out of range" },
		{ "kvm = 2", "kvm is out of range" },
		{ "cpus = 0", "cpus is out of range" },
		{ "cpus = 4097", "cpus is out of range" },
		{ "memory = -1", "memory is out of range" },
		{ "name = 'Ward'", "name is none" },
		{ "name = {x 64}", "name is too long" },
		{ "labels = 'b=1,a=2'", "labels are none" },
		{ "labels = 'a'", "labels are none" },
		{ "owner = 'A'", "owner is no tenant's name" },
		{ "owner = '../b'", "owner is no tenant's name" },
		{ "owner = 'a\n'", "no text of ours" },
		{ "owner = {x 64}", "owner is too long" },
		{ "cpu_type = {x 256}", "cpu_type is too long" },
		{ "firmware = '\n'", "no text of ours" },
		{ "image = CAST(x'c0af' AS TEXT)", "no text of ours" },
		{ "cmdline = {x 2064}", "cmdline is too long" },
		{ "boot_sha3_256 = {zero 0}", "length of a digest" },
		{ "boot_sha3_256 = {zero 31}", "length of a digest" },
		{ "boot_sha3_256 = {zero 33}", "length of a digest" },
		{ "boot_sha3_384 = {zero 47}", "length of a digest" },
		{ "expected = {x 8192}", "expected is too long" },
	};
	struct cvm one = registry_room_cvm(1), *all;
	struct registry *r;
	char sql[256];
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (takes_no_such_value(rows[i].sql))
			continue;
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_ok(registry_add(r, &one, &e), e);
		registry_close(r);
		snprintf(sql, sizeof(sql), "UPDATE cvm SET %s", rows[i].sql);
		registry_room_sql(sql);
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, rows[i].words);
		assert_non_null(strstr(e.text, registry_room_way_out()));
		registry_close(r);
		registry_room_leave(NULL);
	}
}

/* The longest and largest that we write are read back. */
static void rows_at_their_limits_are_read(void **state)
{
	struct cvm one = registry_room_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	registry_close(r);
	registry_room_sql(
		"UPDATE cvm SET slot = 16383, port = 65535, cpus = 4096, expires_ms = created_ms,"
		" cpu_type = {x 255}, cmdline = {x 2063},"
		" expected = {x 8190} || '\n'");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].slot, 16383);
	assert_int_equal(all[0].port, 65535);
	assert_int_equal(strlen(all[0].expected), 8191);
	free(all);
	registry_close(r);
}

/* Domains bear the tag: another one would make them nobody's. */
static void the_tag_outlives_the_database(void **state)
{
	char first[REGISTRY_TAG_LEN + 1];
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	strcpy(first, registry_tag(r));
	registry_close(r);
	registry_room_forget();
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	registry_close(r);
}

static void write_tag(const char *text)
{
	struct err e;

	assert_ok(file_write(registry_room_tag, text, strlen(text), 0600, &e), e);
}

static void a_tag_file_of_another_form_or_manager_is_refused(void **state)
{
	static const char *const bad[] = { "",          "abcdefg",    "abcdefgh", "0123abcde\n",
					   "0123abc\n", "../../ab\n", "0123ABCD" };
	struct registry *r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_tag(bad[i]);
		assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e),
			       e, ERR_DATA_LOSS, "tag");
	}
	write_tag("0123abcd\n");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(registry_tag(r), "0123abcd");
	registry_close(r);
	write_tag("0123abce\n");
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       registry_room_place() ? ERR_PRECONDITION : ERR_DATA_LOSS,
		       "says 0123abce, the registry 0123abcd");
}

/* The oldest of whoever has most of them is forgotten. */
static void each_owner_has_a_share_of_what_is_remembered(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm cvm = registry_room_cvm(2000);
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_room_sql(
		"DELETE FROM gone; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT"
		" i + 1 FROM n WHERE i < 1023) INSERT INTO gone (id, owner) SELECT"
		" '00000000-0000-4000-8000-' || substr(CAST(1000000000000 + i AS TEXT), 2), CASE WHEN i < 2 THEN 'paul' ELSE 'ward-7' END FROM n");
	for (unsigned i = 0; i < 3; i++) {
		cvm = registry_room_cvm(2000 + i);
		assert_ok(registry_add(r, &cvm, &e), e);
		assert_ok(registry_delete(r, &cvm, &e), e);
	}
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, REGISTRY_GONE_MAX);
	assert_string_equal(gone[0].id, registry_room_cvm(0).id);
	assert_string_equal(gone[1].id, registry_room_cvm(1).id);
	assert_string_equal(gone[2].id, registry_room_cvm(5).id);
	assert_string_equal(gone[REGISTRY_GONE_MAX - 1].id, cvm.id);
	registry_room_sql("DELETE FROM gone");
	registry_close(r);
}

static void what_was_deleted_is_remembered_for_a_while(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm cvm = registry_room_cvm(5000);
	struct registry *r;
	struct cvm_gone last;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_room_sql(
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 1022) INSERT INTO gone (id) SELECT"
		" '00000000-0000-4000-8000-' || substr(CAST(1000000000000 + i AS TEXT), 2) FROM n");
	assert_refused(registry_delete(r, &cvm, &e), e, ERR_NOT_FOUND, "5000");
	for (unsigned i = 0; i < 2; i++) {
		cvm = registry_room_cvm(2000 + i);
		assert_ok(registry_add(r, &cvm, &e), e);
		cvm.why = CVM_EXPIRED;
		cvm.exited_ms = 1800000000001;
		assert_ok(registry_delete(r, &cvm, &e), e);
	}
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, REGISTRY_GONE_MAX);
	assert_string_equal(gone[0].id, registry_room_cvm(1).id); /* 0 was the oldest */
	assert_string_equal(gone[REGISTRY_GONE_MAX - 3].id, registry_room_cvm(1022).id);
	assert_int_equal(gone[REGISTRY_GONE_MAX - 3].why, CVM_WHY_NONE);
	assert_string_equal(gone[REGISTRY_GONE_MAX - 2].id, registry_room_cvm(2000).id);
	last = gone[REGISTRY_GONE_MAX - 1];
	assert_string_equal(last.id, cvm.id);
	assert_string_equal(last.name, cvm.name);
	assert_string_equal(last.labels, cvm.labels);
	assert_int_equal(last.tee, cvm.tee);
	assert_int_equal(last.kvm, cvm.kvm);
	assert_int_equal(last.why, CVM_EXPIRED);
	assert_int_equal(last.created_ms, cvm.created_ms);
	assert_int_equal(last.exited_ms, cvm.exited_ms);
	registry_close(r);
	/* What of them is not as we write it is left out: an id leads to domains, the rest to nobody. */
	registry_room_sql(
		"UPDATE gone SET id = '../..' WHERE nr < 1025;"
		"UPDATE gone SET name = 'A', labels = 'x', tee = 3, kvm = 2, why = 7, created_ms = -1,"
		" exited_ms = -1");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(gone[0].id, cvm.id);
	assert_string_equal(gone[0].name, "");
	assert_string_equal(gone[0].labels, "");
	assert_int_equal(gone[0].tee, DOMAIN_PLAIN);
	assert_false(gone[0].kvm);
	assert_int_equal(gone[0].why, CVM_WHY_NONE);
	assert_int_equal(gone[0].created_ms | gone[0].exited_ms, 0);
	registry_close(r);
}

static void hosts_are_kept_in_the_order_in_which_they_were_added(void **state)
{
	struct registry_host other = registry_room_host, taken = registry_room_host, *all;
	struct registry *r;
	size_t count;
	struct err e;

	strcpy(other.name, "a");
	other.draining = false;
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_host_add(r, &registry_room_host, &e), e);
	assert_ok(registry_host_add(r, &registry_room_host, &e), e);
	strcpy(taken.words, "tees=none address=10.0.0.5");
	assert_refused(registry_host_add(r, &taken, &e), e, ERR_EXISTS, "host ward-4");
	assert_ok(registry_host_add(r, &other, &e), e);
	assert_ok(registry_host_drain(r, "ward-4", false, &e), e);
	assert_ok(registry_host_drain(r, "here", true, &e), e);
	assert_ok(registry_host_drain(r, "here", true, &e), e);
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 3);
	registry_room_assert_host(&all[0], "ward-4", registry_room_host.uri, false);
	assert_string_equal(all[0].words, registry_room_host.words);
	registry_room_assert_host(&all[1], "a", registry_room_host.uri, false);
	registry_room_assert_host(&all[2], "here", "", true);
	free(all);
	assert_ok(registry_host_drain(r, "ward-4", true, &e), e);
	assert_ok(registry_host_settle(r, "ward-4", &e), e);
	assert_ok(registry_host_settle(r, "nobody", &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 3);
	registry_room_assert_host(&all[0], "ward-4", "", true);
	assert_string_equal(all[0].words, "");
	free(all);
	assert_ok(registry_host_drop(r, "ward-4", &e), e);
	assert_ok(registry_host_drop(r, "ward-4", &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 2);
	free(all);
	registry_close(r);
}

static void hosts_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE host SET name = 'A'", "name is no host's name" },
		{ "UPDATE host SET name = ''", "name is no host's name" },
		{ "UPDATE host SET name = '../x'", "name is no host's name" },
		{ "UPDATE host SET name = {x 64}", "name is too long" },
		{ "UPDATE host SET uri = {x 256}", "uri is too long" },
		{ "UPDATE host SET words = {x 1024}", "words is too long" },
		{ "UPDATE host SET words = 'a\nhost b'", "no text of ours" },
		{ "UPDATE host SET uri = 'a' || char(0) || 'b'", "no text of ours" },
		{ "UPDATE host SET uri = CAST(x'c0af' AS TEXT)", "no text of ours" },
		{ "UPDATE host SET draining = 2", "draining is neither 0 nor 1" },
		{ "UPDATE host SET draining = -1", "draining is neither 0 nor 1" },
		{ "DROP TABLE host; CREATE TABLE host (nr, name, uri, words, draining);"
		  "INSERT INTO host VALUES (1, x'00', '', '', 0)",
		  "name is no text" },
		{ "DROP TABLE host; CREATE TABLE host (nr, name, uri, words, draining);"
		  "INSERT INTO host VALUES (1, 'a', '', '', 'x')",
		  "draining is neither" },
		{ "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 127)"
		  " INSERT INTO host (name, uri, words, draining) SELECT 'h' || i, '', '', 0 FROM n",
		  "more than 128 hosts" },
	};
	struct registry_host *all;
	struct registry *r;
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (takes_no_such_value(rows[i].sql))
			continue;
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_ok(registry_host_add(r, &registry_room_host, &e), e);
		registry_close(r);
		registry_room_sql(rows[i].sql);
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_refused(registry_hosts(r, &all, &count, &e), e, ERR_DATA_LOSS,
			       rows[i].words);
		assert_non_null(strstr(e.text, registry_room_way_out()));
		registry_close(r);
		registry_room_leave(NULL);
	}
	/* As many as there may be, of the longest words. */
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_room_sql(
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 127)"
		" INSERT INTO host (name, uri, words, draining) SELECT 'h' || i,"
		" {x 255}, {x 1023}, 1 FROM n");
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, REGISTRY_HOSTS_MAX);
	assert_int_equal(strlen(all[127].words), 1023);
	free(all);
	registry_close(r);
}

/* Revisions must never come again. */
static void an_epoch_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "''",        "'x'",        "'-1'", "'0'",
					   "'8388607'", "'12345678'", "'1 '" };
	struct registry *r;
	char sql[96];
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_close(r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(sql, sizeof(sql), "UPDATE meta SET value = %s WHERE key = 'epoch'",
			 bad[i]);
		registry_room_sql(sql);
		assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e),
			       e, ERR_DATA_LOSS, "epoch");
	}
	registry_room_sql("UPDATE meta SET value = '8388606' WHERE key = 'epoch'");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_int_equal(registry_epoch(r), REGISTRY_EPOCH_MAX);
	registry_close(r);
}

static void more_rows_than_fit_at_first(void **state)
{
	struct registry *r;
	struct cvm *all;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	for (unsigned i = 0; i < 40; i++) {
		struct cvm cvm = registry_room_cvm(39 - i);

		assert_ok(registry_add(r, &cvm, &e), e);
	}
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(all[i].slot, i);
	free(all);
	registry_close(r);
}

/* The manager before would act on what is not true any more. */
static void who_had_it_open_before_changes_nothing(void **state)
{
	struct cvm one = registry_room_cvm(1), two = registry_room_cvm(2), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	registry_room_sql("UPDATE meta SET value = '2' WHERE key = 'epoch'");
	assert_refused(registry_add(r, &two, &e), e, ERR_PRECONDITION,
		       "another manager has used it");
	assert_refused(registry_set_step(r, one.id, CVM_DOMAIN, &e), e, ERR_PRECONDITION,
		       "start this one anew");
	assert_refused(registry_set_port(r, one.id, 1, &e), e, ERR_PRECONDITION, "another manager");
	assert_refused(registry_delete(r, &one, &e), e, ERR_PRECONDITION, "another manager");
	assert_refused(registry_host_add(r, &registry_room_host, &e), e, ERR_PRECONDITION,
		       "another manager");
	assert_refused(registry_host_drain(r, "a", true, &e), e, ERR_PRECONDITION,
		       "another manager");
	assert_refused(registry_host_drop(r, "a", &e), e, ERR_PRECONDITION, "another manager");
	assert_refused(registry_host_settle(r, "a", &e), e, ERR_PRECONDITION, "another manager");
	/* Nor in another's, which has been started as often. */
	registry_room_sql("UPDATE meta SET value = '1' WHERE key = 'epoch';"
			  "UPDATE meta SET value = 'x' || value WHERE key = 'tag'");
	assert_refused(registry_add(r, &two, &e), e, ERR_PRECONDITION, "another manager");
	registry_room_sql("UPDATE meta SET value = '2' WHERE key = 'epoch';"
			  "UPDATE meta SET value = substr(value, 2) WHERE key = 'tag'");
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_cvm_equal(&all[0], &one);
	free(all);
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_int_equal(registry_epoch(r), 3);
	assert_ok(registry_add(r, &two, &e), e);
	registry_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_ROOM_ROW(what_was_recorded_is_read_back_after_reopening),
		REGISTRY_ROOM_ROW(nothing_is_taken_twice),
		REGISTRY_ROOM_ROW(unknown_cvms_are_not_found),
		REGISTRY_ROOM_ROW(rows_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(rows_at_their_limits_are_read),
		REGISTRY_ROOM_ROW(the_tag_outlives_the_database),
		REGISTRY_ROOM_ROW(a_tag_file_of_another_form_or_manager_is_refused),
		REGISTRY_ROOM_ROW(each_owner_has_a_share_of_what_is_remembered),
		REGISTRY_ROOM_ROW(what_was_deleted_is_remembered_for_a_while),
		REGISTRY_ROOM_ROW(hosts_are_kept_in_the_order_in_which_they_were_added),
		REGISTRY_ROOM_ROW(hosts_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(an_epoch_that_is_none_is_refused),
		REGISTRY_ROOM_ROW(more_rows_than_fit_at_first),
		REGISTRY_ROOM_ROW(who_had_it_open_before_changes_nothing),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
