/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that are added, drained and removed while the manager runs. */
#include "common/base/file.h"
#include "manager/fleet/fleet_state.h"
#include "tests/unit/manager/fleet_room.h"

#include <stdio.h>
#include <unistd.h>

#define HERE  "host here qemu:///system tees=none\n"
#define OTHER "host other qemu+unix:///system?socket=/o address=127.0.0.2 tees=none\n"
#define URI   "qemu+unix:///system?socket=/c"
#define WORDS "tees=none address=127.0.0.3"

struct answer {
	unsigned count;
	bool failed;
	struct err e;
	struct host_left left;
};

static void on_answer(void *data, const struct host_left *left, const struct err *e)
{
	struct answer *a = data;

	a->count++;
	a->failed = e != NULL;
	if (e)
		a->e = *e;
	a->left = *left;
}

static struct answer settled(struct fleet_room *m, struct answer *a)
{
	fleet_room_settle(m);
	assert_int_equal(a->count, 1);
	return *a;
}

static void add(struct fleet_room *m, const char *name, const char *uri, const char *words)
{
	struct answer a = { .count = 0 };
	struct err e;

	assert_ok(fleet_host_add(m->fleet, name, uri, words, on_answer, &a, &e), e);
	assert_false(settled(m, &a).failed);
}

static void drain(struct fleet_room *m, const char *name, bool drains)
{
	struct answer a = { .count = 0 };
	struct err e;

	assert_ok(fleet_host_drain(m->fleet, name, drains, on_answer, &a, &e), e);
	assert_false(settled(m, &a).failed);
}

static struct host_left drop(struct fleet_room *m, const char *name)
{
	struct answer a = { .count = 0 };
	struct err e;

	assert_ok(fleet_host_remove(m->fleet, name, on_answer, &a, &e), e);
	assert_false(settled(m, &a).failed);
	return a.left;
}

static void notice(struct fleet_room *m, const char *name, enum virt_event event, const char *uuid,
		   const char *domain)
{
	struct virt_notice n = { .event = event };

	snprintf(n.uuid, sizeof(n.uuid), "%s", uuid);
	snprintf(n.name, sizeof(n.name), "%s", domain);
	fleet_notice(m->fleet, vm_hosts_find(&m->hosts, name), &n);
	if (fleet_is_busy(m->fleet))
		fleet_room_settle(m);
}

static const struct host_view *view_of(const struct fleet_room *m, const char *name)
{
	static struct host_view view;

	for (size_t i = 0; fleet_host_view(m->fleet, i, &view); i++)
		if (strcmp(view.row->name, name) == 0)
			return &view;
	return NULL;
}

static void open_room(struct fleet_room *m, const char *table)
{
	fleet_room_prepare_hosts(m, 8, table);
	fleet_room_open(m);
	fleet_room_connect(m);
}

/* Where a CVM goes. */
static const char *place(struct fleet_room *m, struct fleet_told *told)
{
	unsigned before = told->created;

	fleet_room_create(m, told, "");
	assert_int_equal(told->created, before + 1);
	return fleet_find(m->fleet, told->id)->host;
}

static void what_was_added_takes_cvms_and_stays(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	assert_true(view_of(&m, "c")->added && !view_of(&m, "c")->is_there);
	assert_false(view_of(&m, "here")->added);
	assert_string_equal(place(&m, &told), "here"); /* the other is not connected yet */
	notice(&m, "c", VIRT_CONNECTED, "", "");
	assert_true(view_of(&m, "c")->is_there);
	assert_string_equal(view_of(&m, "c")->address, "127.0.0.3");
	assert_string_equal(place(&m, &told), "c");
	assert_int_equal(view_of(&m, "c")->used.machines, 1);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_true(view_of(&m, "c")->added);
	assert_string_equal(view_of(&m, "c")->uri, URI);
	assert_null(fleet_find(m.fleet, told.id)); /* the test's steps record nothing */
	assert_string_equal(place(&m, &told), "here");
	assert_string_equal(place(&m, &told), "c");
	fleet_room_close(&m);
}

/* As between the words of a table: what was accepted is read again, or no manager starts any more. */
static void words_with_tabs_between_are_read_again(void **state)
{
	struct fleet_room m;

	open_room(&m, HERE);
	add(&m, "c", URI, "\ttees=none\t address=127.0.0.3\tmachines=3 ");
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_string_equal(view_of(&m, "c")->address, "127.0.0.3");
	assert_int_equal(view_of(&m, "c")->has.machines, 3);
	fleet_room_close(&m);
}

static void what_is_added_is_judged_as_a_line_of_the_table(void **state)
{
	static const struct {
		const char *name, *uri, *words, *says;
	} rows[] = {
		{ "here", URI, WORDS, "host here is there twice" },
		{ "d", "qemu:///system", "tees=none", "host d has the URI of host here" },
		{ "d", "test:///default", WORDS, "is no URI of a host" },
		{ "d", "qemu+tls://x/system?no_verify=1", WORDS, "is no URI of a host" },
		{ "d", URI " tees=none", "address=10.0.0.1", "is no URI of a host" },
		{ "", URI, WORDS, "a name is" },
		{ "D", URI, WORDS, "a name is" },
		{ "d " URI, "tees=none", WORDS, "a name is" },
		{ "d", URI, "", "what may protect CVMs there is missing" },
		{ "d", URI, "tees=none", "address= is missing" },
		{ "d", URI, WORDS " x=y", "is no address=" },
		{ "d", URI, WORDS " tees=snp", "is there twice" },
		{ "d", URI, WORDS "\nhost e qemu:///system tees=none", "one line" },
		{ "d", URI, WORDS "\t\x01", "not printable ASCII" },
		{ "d", URI, "# " WORDS, "is no address=" },
	};
	char longest[HOST_TABLE_LINE_MAX + 8];
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(fleet_host_add(m.fleet, rows[i].name, rows[i].uri, rows[i].words,
					      on_answer, &a, &e),
			       e, ERR_INVALID, rows[i].says);
	/* As long as a line may be, and one more. */
	snprintf(longest, sizeof(longest), "%-*s",
		 (int)(HOST_TABLE_LINE_MAX - strlen("d " URI " ")), WORDS);
	add(&m, "d", URI, longest);
	strcat(longest, " ");
	assert_refused(fleet_host_add(m.fleet, "e", URI, longest, on_answer, &a, &e), e,
		       ERR_INVALID, "more than 1024 characters");
	assert_int_equal(a.count, 0);
	assert_null(view_of(&m, "e"));
	fleet_room_close(&m);
}

static void as_many_as_a_table_may_have(void **state)
{
	char name[16], uri[64];
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	for (unsigned i = 1; i < HOSTS_MAX; i++) {
		snprintf(name, sizeof(name), "h%u", i);
		snprintf(uri, sizeof(uri), URI "%u", i);
		add(&m, name, uri, WORDS);
	}
	assert_refused(fleet_host_add(m.fleet, "c", URI, WORDS, on_answer, &a, &e), e,
		       ERR_EXHAUSTED, "64 hosts are there");
	(void)drop(&m, "h7");
	add(&m, "c", URI, WORDS);
	assert_int_equal(m.fleet->host_count, HOSTS_MAX);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_int_equal(m.fleet->host_count, HOSTS_MAX);
	fleet_room_close(&m);
}

static void nothing_is_launched_where_it_drains(void **state)
{
	struct fleet_told told = { 0 };
	struct answer a = { .count = 0 };
	Manager__CreateReq request = fleet_room_request();
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE OTHER);
	assert_string_equal(place(&m, &told), "here");
	drain(&m, "other", true);
	drain(&m, "other", true);
	assert_true(view_of(&m, "other")->draining);
	assert_string_equal(place(&m, &told), "here");
	drain(&m, "here", true);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_PRECONDITION, "2 draining");
	assert_refused(fleet_host_drain(m.fleet, "nobody", true, on_answer, &a, &e), e,
		       ERR_NOT_FOUND, "no host 'nobody'");
	assert_refused(fleet_host_drain(m.fleet, "", true, on_answer, &a, &e), e, ERR_NOT_FOUND,
		       "no host ''");
	fleet_room_close(&m);
	/* It does so until it is told otherwise, and is forgotten with its line. */
	open_room(&m, HERE OTHER);
	assert_true(view_of(&m, "here")->draining && view_of(&m, "other")->draining);
	drain(&m, "here", false);
	assert_string_equal(place(&m, &told), "here");
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_false(view_of(&m, "here")->draining);
	fleet_room_close(&m);
	open_room(&m, HERE OTHER);
	assert_false(view_of(&m, "other")->draining);
	fleet_room_close(&m);
	/* What the table says is the table's to change. */
	open_room(&m, HERE "host late " URI " " WORDS " state=draining\n");
	assert_true(view_of(&m, "late")->draining);
	assert_refused(fleet_host_drain(m.fleet, "late", false, on_answer, &a, &e), e,
		       ERR_PRECONDITION, "MANAGER_HOSTS says state=draining");
	fleet_room_close(&m);
}

/* It counts hosts; a tenant is told no number. */
static void why_no_host_takes_it_is_an_operator_s_to_know(void **state)
{
	const struct access_caller tenant = {
		.tenant = "a", .limits = { ACCESS_NO_LIMIT, ACCESS_NO_LIMIT, ACCESS_NO_LIMIT }
	};
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE OTHER);
	drain(&m, "here", true);
	drain(&m, "other", true);
	assert_refused(fleet_create(m.fleet, &request, &tenant, fleet_room_created, &told, &e), e,
		       ERR_PRECONDITION, "no host takes this CVM");
	assert_null(strpbrk(e.text, "0123456789"));
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_PRECONDITION, "2 draining");
	drain(&m, "here", false);
	notice(&m, "here", VIRT_LOST, "", "");
	assert_refused(fleet_create(m.fleet, &request, &tenant, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "the host has no room");
	assert_null(strpbrk(e.text, "0123456789"));
	m.config.wanted = CONFIG_TEE_AUTO;
	assert_refused(fleet_create(m.fleet, &request, &tenant, fleet_room_created, &told, &e), e,
		       ERR_PRECONDITION, "no host takes this CVM");
	fleet_room_close(&m);
}

/* The first of the list counts, whichever is there first. */
static void a_machine_is_one_host_alone(void **state)
{
	static const char one[] = "5b1c6d3e-0000-4000-8000-0000000000aa",
			  other[] = "5b1c6d3e-0000-4000-8000-0000000000ab";
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_prepare_hosts(&m, 8, HERE OTHER);
	fleet_room_open(&m);
	fleet_room_settle(&m);
	fleet_world.uuids[0] = fleet_world.uuids[1] = one;
	fleet_world.uuids[2] = other;
	notice(&m, "other", VIRT_CONNECTED, "", "");
	assert_null(view_of(&m, "other")->twin_of);
	notice(&m, "here", VIRT_CONNECTED, "", "");
	assert_null(view_of(&m, "here")->twin_of);
	assert_string_equal(view_of(&m, "other")->twin_of, "here");
	assert_string_equal(place(&m, &told), "here");
	assert_string_equal(place(&m, &told), "here");
	/* Also while that one is lost: its machine is the same. */
	notice(&m, "here", VIRT_LOST, "", "");
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_UNAVAILABLE, "1 the same machine as another, 1 not reachable now");
	notice(&m, "other", VIRT_CONNECTED, "", "");
	assert_null(view_of(&m, "other")->twin_of);
	assert_string_equal(place(&m, &told), "other");
	fleet_room_close(&m);
}

/* And what the later one was given before is not there for the first. */
static void what_a_machine_gave_by_its_other_row_is_given(void **state)
{
	static const char one[] = "5b1c6d3e-0000-4000-8000-0000000000aa";
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_prepare_hosts(&m, 8, "host here qemu:///system tees=none machines=3\n" OTHER);
	fleet_room_open(&m);
	fleet_room_settle(&m);
	fleet_world.uuids[0] = fleet_world.uuids[1] = one;
	notice(&m, "other", VIRT_CONNECTED, "", "");
	assert_string_equal(place(&m, &told), "other");
	assert_string_equal(place(&m, &told), "other");
	notice(&m, "here", VIRT_CONNECTED, "", "");
	assert_string_equal(place(&m, &told), "here");
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "1 with as many CVMs as it may have");
	assert_int_equal(view_of(&m, "here")->used.machines, 1);
	assert_int_equal(view_of(&m, "other")->used.machines, 2);
	fleet_room_close(&m);
}

static void one_that_was_added_draining_can_be_undrained(void **state)
{
	struct fleet_room m;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS " state=draining");
	assert_true(view_of(&m, "c")->draining);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_true(view_of(&m, "c")->draining);
	drain(&m, "c", false);
	assert_false(view_of(&m, "c")->draining);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_false(view_of(&m, "c")->draining);
	fleet_room_close(&m);
}

static void one_with_cvms_or_of_the_table_is_not_removed(void **state)
{
	struct fleet_told told = { 0 };
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_connect(&m);
	drain(&m, "here", true);
	assert_string_equal(place(&m, &told), "c");
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e, ERR_PRECONDITION,
		       told.id);
	assert_non_null(strstr(e.text, "remove it first"));
	assert_string_equal(place(&m, &told), "c");
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e, ERR_PRECONDITION,
		       "and others: remove them first");
	assert_refused(fleet_host_remove(m.fleet, "here", on_answer, &a, &e), e, ERR_PRECONDITION,
		       "host here is in MANAGER_HOSTS");
	assert_refused(fleet_host_remove(m.fleet, "nobody", on_answer, &a, &e), e, ERR_NOT_FOUND,
		       "no host");
	fleet_room_close(&m);
}

#define STRAY "3b1f8a10-1111-4222-8333-00000000000a"

static void what_stays_on_a_removed_host_is_told(void **state)
{
	struct host_left left;
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_connect(&m);
	lifecycle_name(&m.lifecycle, 0, name);
	notice(&m, "c", VIRT_STARTED, STRAY, name);
	assert_int_equal(view_of(&m, "c")->strays, 1);
	snprintf(fleet_world.domains[0].uuid, sizeof(fleet_world.domains[0].uuid), STRAY);
	snprintf(fleet_world.domains[0].name, sizeof(fleet_world.domains[0].name), "%s", name);
	fleet_world.domain_count = 1;
	fleet_world.volumes = HOST_LEFT_MAX + 1;
	left = drop(&m, "c");
	assert_true(left.asked);
	assert_int_equal(left.strays, 1);
	assert_string_equal(left.stray_ids[0], STRAY);
	assert_int_equal(left.volumes, HOST_LEFT_MAX + 1);
	assert_string_equal(left.volume_names[HOST_LEFT_MAX - 1], "cocos-63.img");
	/* Nor has it a part in anything any more. */
	assert_null(view_of(&m, "c"));
	assert_null(vm_hosts_find(&m.hosts, "c"));
	assert_int_equal(fleet_stray_use_count(m.fleet, NULL, &(struct admission_use){ 0 }), 0);
	assert_int_equal(m.fleet->blocked[0], 0);
	assert_int_equal(m.fleet->removed_count, 0);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_null(view_of(&m, "c"));
	fleet_room_close(&m);
}

/* As many machines as it may say, and one more; with the names of slots, or without. */
static void crowd(struct fleet_room *m, size_t count, bool named)
{
	struct virt_domain *all = calloc(count, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		snprintf(all[i].uuid, sizeof(all[i].uuid), "3b1f8a10-1111-4222-8333-%012zx", i);
		lifecycle_name(&m->lifecycle, named ? (unsigned)i : (unsigned)(i + 100),
			       all[i].name);
	}
	free(fleet_world.crowd);
	fleet_world.crowd = all;
	fleet_world.domain_count = count;
}

/* One that gives itself out for another, too. */
static void strays_of_a_machine_s_other_row_fill_no_other(void **state)
{
	static const char one[] = "5b1c6d3e-0000-4000-8000-0000000000aa";
	struct fleet_told told = { 0 };
	struct fleet_room m;

	fleet_room_prepare_hosts(&m, 8, "host here qemu:///system tees=none machines=3\n" OTHER);
	fleet_room_open(&m);
	fleet_room_settle(&m);
	fleet_world.uuids[0] = fleet_world.uuids[1] = one;
	fleet_world.size = (struct virt_size){ 1, 1 << 20 };
	notice(&m, "here", VIRT_CONNECTED, "", "");
	crowd(&m, 4, false);
	notice(&m, "other", VIRT_CONNECTED, "", "");
	assert_int_equal(view_of(&m, "other")->strays, 4);
	assert_string_equal(view_of(&m, "other")->twin_of, "here");
	assert_string_equal(place(&m, &told), "here");
	free(fleet_world.crowd);
	fleet_world.crowd = NULL;
	fleet_room_close(&m);
}

/* Whatever one host says of itself, the others give away what they have. */
static void the_strays_of_a_host_are_its_own(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_connect(&m);
	fleet_world.size = (struct virt_size){ 1, 1 << 20 };
	/* They have the names of all CVMs that there may be; on c alone. */
	crowd(&m, m.fleet->count, true);
	notice(&m, "c", VIRT_CONNECTED, "", "");
	assert_int_equal(view_of(&m, "c")->strays, m.fleet->count);
	assert_string_equal(place(&m, &told), "here");
	drain(&m, "here", true);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "1 draining, 1 full of machines without a record");
	/* At the share, it takes CVMs; beyond it none, and no more are counted. */
	crowd(&m, STRAYS_OF_HOST_MAX, false);
	notice(&m, "c", VIRT_CONNECTED, "", "");
	assert_int_equal(view_of(&m, "c")->strays, STRAYS_OF_HOST_MAX);
	assert_string_equal(place(&m, &told), "c");
	crowd(&m, STRAYS_OF_HOST_MAX + 1, false);
	notice(&m, "c", VIRT_STARTED, fleet_world.crowd[STRAYS_OF_HOST_MAX].uuid,
	       fleet_world.crowd[STRAYS_OF_HOST_MAX].name);
	assert_int_equal(view_of(&m, "c")->strays, STRAYS_OF_HOST_MAX);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "1 full of machines without a record");
	drain(&m, "here", false);
	assert_string_equal(place(&m, &told), "here");
	assert_ok(fleet_strays(m.fleet, fleet_room_listed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.over_count, 1);
	assert_int_equal(told.stray_count, STRAYS_OF_HOST_MAX);
	/* Once enough of them have ended it takes CVMs again, on the same connection. */
	struct virt_domain ended = fleet_world.crowd[STRAYS_OF_HOST_MAX];
	crowd(&m, 1, false);
	notice(&m, "c", VIRT_STOPPED, ended.uuid, ended.name);
	assert_int_equal(view_of(&m, "c")->strays, 1);
	drain(&m, "here", true);
	assert_string_equal(place(&m, &told), "c");
	free(fleet_world.crowd);
	fleet_world.crowd = NULL;
	fleet_world.domain_count = 0;
	fleet_room_close(&m);
}

static void a_lost_host_is_removed_without_being_asked(void **state)
{
	struct host_left left;
	struct fleet_room m;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_connect(&m);
	atomic_store(&fleet_world.fail_connects, 1000);
	notice(&m, "c", VIRT_LOST, "", "");
	assert_true(view_of(&m, "c")->lost);
	fleet_world.volumes = 1;
	left = drop(&m, "c");
	assert_false(left.asked);
	assert_int_equal(left.volumes, 0);
	assert_null(view_of(&m, "c"));
	fleet_room_close(&m);
}

static void one_change_at_a_time(void **state)
{
	struct answer a = { .count = 0 }, b = { .count = 0 };
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_connect(&m);
	assert_ok(fleet_host_drain(m.fleet, "here", true, on_answer, &a, &e), e);
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &b, &e), e, ERR_ABORTED,
		       "try again");
	assert_refused(fleet_host_add(m.fleet, "d", URI "2", WORDS, on_answer, &b, &e), e,
		       ERR_ABORTED, "try again");
	assert_refused(fleet_host_drain(m.fleet, "here", false, on_answer, &b, &e), e, ERR_ABORTED,
		       "try again");
	assert_false(settled(&m, &a).failed);
	a.count = 0;
	assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &b, &e), e, ERR_ABORTED,
		       "is being removed");
	assert_refused(fleet_host_drain(m.fleet, "c", false, on_answer, &b, &e), e, ERR_ABORTED,
		       "is being removed");
	/* And nothing is launched meanwhile where it is being removed. */
	assert_refused(fleet_create(m.fleet, &(Manager__CreateReq)MANAGER__CREATE_REQ__INIT, NULL,
				    fleet_room_created, &told, &e),
		       e, ERR_INVALID, "agent_cvm_server_url");
	Manager__CreateReq request = fleet_room_request();
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_PRECONDITION, "2 draining");
	assert_false(settled(&m, &a).failed);
	assert_int_equal(b.count, 0);
	fleet_close(m.fleet);
	assert_refused(fleet_host_add(m.fleet, "d", URI "2", WORDS, on_answer, &b, &e), e,
		       ERR_UNAVAILABLE, "stopping");
	fleet_room_close(&m);
}

static void wait_for(struct fleet_room *m, struct answer *a)
{
	while (!a->count)
		uv_run(&m->loop, UV_RUN_ONCE);
	assert_false(a->failed);
	a->count = 0;
}

/* One that takes calls and never answers them keeps nobody from changing the others. */
static void a_host_that_does_not_answer_holds_up_no_other(void **state)
{
	struct answer a = { .count = 0 }, b = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	add(&m, "d", URI "2", WORDS);
	fleet_room_connect(&m);
	atomic_store(&fleet_world.hangs, true);
	assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
	assert_ok(fleet_host_drain(m.fleet, "d", true, on_answer, &b, &e), e);
	wait_for(&m, &b);
	assert_ok(fleet_host_add(m.fleet, "f", URI "3", WORDS, on_answer, &b, &e), e);
	wait_for(&m, &b);
	assert_refused(fleet_host_add(m.fleet, "c", URI "4", WORDS, on_answer, &b, &e), e,
		       ERR_INVALID, "host c is there twice");
	assert_int_equal(a.count, 0);
	atomic_store(&fleet_world.hangs, false);
	assert_false(settled(&m, &a).failed);
	assert_null(view_of(&m, "c"));
	assert_true(view_of(&m, "d")->draining);
	assert_non_null(view_of(&m, "f"));
	fleet_room_close(&m);
}

/* Nor are they kept for ever: dialling one that does not answer keeps that one alone. */
static void a_dial_that_hangs_keeps_its_own_host_alone(void **state)
{
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	atomic_store(&fleet_world.hanging_dials, 1);
	assert_ok(fleet_host_add(m.fleet, "c", URI, WORDS, on_answer, &a, &e), e);
	wait_for(&m, &a);
	while (atomic_load(&fleet_world.hanging_dials) > 0)
		uv_run(&m.loop, UV_RUN_NOWAIT);
	assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
	wait_for(&m, &a);
	assert_int_equal(m.fleet->removed_count, 1);
	for (unsigned i = 0; i < 2 * HOSTS_MAX; i++) {
		assert_ok(fleet_host_add(m.fleet, "d", URI "2", WORDS, on_answer, &a, &e), e);
		wait_for(&m, &a);
		assert_ok(fleet_host_remove(m.fleet, "d", on_answer, &a, &e), e);
		wait_for(&m, &a);
	}
	while (m.fleet->jobs > 1)
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(m.fleet->removed_count, 1);
	assert_true(fleet_only_dials(m.fleet));
	atomic_store(&fleet_world.hanging_dials, -1);
	fleet_room_settle(&m);
	assert_int_equal(m.fleet->removed_count, 0);
	fleet_room_close(&m);
}

/* A host that was removed meanwhile, too. */
static void a_dial_that_hangs_is_broken_off_at_the_end(void **state)
{
	for (unsigned removed = 2; removed-- > 0;) {
		struct answer a = { .count = 0 };
		struct fleet_room m;
		struct err e;

		open_room(&m, HERE);
		fleet_room_settle(&m);
		atomic_store(&fleet_world.hanging_dials, 1);
		assert_ok(fleet_host_add(m.fleet, "c", URI, WORDS, on_answer, &a, &e), e);
		wait_for(&m, &a);
		while (atomic_load(&fleet_world.hanging_dials) > 0)
			uv_run(&m.loop, UV_RUN_NOWAIT);
		if (removed) {
			assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
			wait_for(&m, &a);
		}
		assert_int_equal(atomic_load(&fleet_world.broken_dials), 0);
		fleet_room_close(&m);
		assert_int_equal(atomic_load(&fleet_world.broken_dials), 1);
	}
}

/* Calls that are under way look at all hosts, in other threads: what they have found is not freed before they end. */
static void what_is_under_way_may_still_have_it(void **state)
{
	struct answer a = { .count = 0 };
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	for (unsigned i = 0; i < 100; i++) {
		a.count = 0;
		assert_ok(fleet_host_add(m.fleet, "c", URI, WORDS, on_answer, &a, &e), e);
		while (!a.count)
			uv_run(&m.loop, UV_RUN_ONCE);
		assert_false(a.failed);
		a.count = 0;
		for (unsigned n = 0; n < 3; n++)
			assert_ok(fleet_strays(m.fleet, fleet_room_listed, &told, &e), e);
		assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
		assert_ok(fleet_strays(m.fleet, fleet_room_listed, &told, &e), e);
		while (!a.count)
			uv_run(&m.loop, UV_RUN_ONCE);
		assert_false(a.failed);
	}
	fleet_room_settle(&m);
	assert_int_equal(told.listed, 400);
	assert_int_equal(m.fleet->removed_count, 0);
	assert_int_equal(m.fleet->host_count, 1);
	fleet_room_close(&m);
}

/* While the manager ends, one is still being let go. */
static void the_end_waits_for_what_was_begun(void **state)
{
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	assert_ok(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e);
	fleet_room_close(&m);
	assert_int_equal(a.count, 1);
	open_room(&m, HERE);
	assert_ok(fleet_host_add(m.fleet, "c", URI, WORDS, on_answer, &a, &e), e);
	fleet_room_close(&m);
	assert_int_equal(a.count, 2);
	open_room(&m, HERE);
	assert_non_null(view_of(&m, "c"));
	fleet_room_close(&m);
}

static void assert_recall_refused(const char *table, const char *says)
{
	struct fleet_room m;
	struct err e;

	fleet_room_prepare(&m, 1);
	vm_hosts_done(&m.hosts);
	snprintf(m.table, sizeof(m.table), "%.*s/hosts",
		 (int)(strlen(m.secrets) - strlen("/secrets")), m.secrets);
	unlink(m.table);
	assert_ok(file_write(m.table, table, strlen(table), 0600, &e), e);
	m.config.hosts = m.table;
	assert_ok(vm_hosts_init(&m.hosts, &m.config, &e), e);
	assert_refused(vm_hosts_recall(&m.hosts, m.registry, &e), e, ERR_PRECONDITION, says);
	fleet_room_open(&m);
	fleet_room_close(&m);
}

/* A table that lists by now what was added counts, unless it means another. */
static void the_table_takes_over_what_was_added(void **state)
{
	struct answer a = { .count = 0 };
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	drain(&m, "c", true);
	fleet_room_close(&m);
	assert_recall_refused(HERE "host c " URI "2 " WORDS "\n", "give the one there that URI");
	assert_recall_refused(HERE "host d " URI " " WORDS "\n",
			      "of the hosts that were added: host c has the URI of host d");
	open_room(&m, HERE "host c " URI " " WORDS " machines=3\n");
	assert_false(view_of(&m, "c")->added);
	assert_true(view_of(&m, "c")->draining);
	assert_int_equal(view_of(&m, "c")->has.machines, 3);
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e, ERR_PRECONDITION,
		       "is in MANAGER_HOSTS");
	fleet_room_close(&m);
	open_room(&m, HERE "host c " URI "2 " WORDS "\n"); /* what it was added with is forgotten */
	assert_true(view_of(&m, "c")->draining);
	fleet_room_close(&m);
	open_room(&m, HERE);
	assert_null(view_of(&m, "c"));
	fleet_room_close(&m);
}

static void without_a_table_there_is_the_one_host(void **state)
{
	struct answer a = { .count = 0 };
	struct host_view view;
	struct fleet_room m;
	struct err e;

	open_room(&m, HERE);
	add(&m, "c", URI, WORDS);
	fleet_room_close(&m);
	fleet_room_prepare(&m, 1);
	m.config.libvirt_uri = (char *)(uintptr_t)"qemu:///system";
	m.config.forward_host = (char *)(uintptr_t)"127.0.0.1";
	assert_ok(vm_hosts_recall(&m.hosts, m.registry, &e), e);
	fleet_room_open(&m);
	fleet_room_connect(&m);
	assert_true(fleet_host_view(m.fleet, 0, &view));
	assert_string_equal(view.row->name, "");
	assert_string_equal(view.uri, "qemu:///system");
	assert_true(view.is_there);
	assert_false(fleet_host_view(m.fleet, 1, &view));
	assert_refused(fleet_host_add(m.fleet, "d", URI, WORDS, on_answer, &a, &e), e,
		       ERR_PRECONDITION, "set MANAGER_HOSTS");
	assert_refused(fleet_host_drain(m.fleet, "", true, on_answer, &a, &e), e, ERR_PRECONDITION,
		       "set MANAGER_HOSTS");
	assert_refused(fleet_host_remove(m.fleet, "c", on_answer, &a, &e), e, ERR_PRECONDITION,
		       "set MANAGER_HOSTS");
	fleet_room_close(&m);
	open_room(&m, HERE); /* and it is remembered until there is one again */
	assert_non_null(view_of(&m, "c"));
	fleet_room_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(what_was_added_takes_cvms_and_stays),
		FLEET_ROOM_ROW(words_with_tabs_between_are_read_again),
		FLEET_ROOM_ROW(what_is_added_is_judged_as_a_line_of_the_table),
		FLEET_ROOM_ROW(as_many_as_a_table_may_have),
		FLEET_ROOM_ROW(nothing_is_launched_where_it_drains),
		FLEET_ROOM_ROW(why_no_host_takes_it_is_an_operator_s_to_know),
		FLEET_ROOM_ROW(a_machine_is_one_host_alone),
		FLEET_ROOM_ROW(what_a_machine_gave_by_its_other_row_is_given),
		FLEET_ROOM_ROW(one_that_was_added_draining_can_be_undrained),
		FLEET_ROOM_ROW(one_with_cvms_or_of_the_table_is_not_removed),
		FLEET_ROOM_ROW(what_stays_on_a_removed_host_is_told),
		FLEET_ROOM_ROW(strays_of_a_machine_s_other_row_fill_no_other),
		FLEET_ROOM_ROW(the_strays_of_a_host_are_its_own),
		FLEET_ROOM_ROW(a_lost_host_is_removed_without_being_asked),
		FLEET_ROOM_ROW(one_change_at_a_time),
		FLEET_ROOM_ROW(a_host_that_does_not_answer_holds_up_no_other),
		FLEET_ROOM_ROW(a_dial_that_hangs_keeps_its_own_host_alone),
		FLEET_ROOM_ROW(a_dial_that_hangs_is_broken_off_at_the_end),
		FLEET_ROOM_ROW(what_is_under_way_may_still_have_it),
		FLEET_ROOM_ROW(the_end_waits_for_what_was_begun),
		FLEET_ROOM_ROW(the_table_takes_over_what_was_added),
		FLEET_ROOM_ROW(without_a_table_there_is_the_one_host),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
