/* SPDX-License-Identifier: Apache-2.0 */
/* What the fleet watches: libvirt's events, what a restart finds, and how long a CVM may live. */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/unit/manager/fleet_room.h"

#include <stdio.h>

static void notice(struct fleet_room *m, enum virt_event event, const char *uuid, const char *name)
{
	struct virt_notice n = { .event = event };

	snprintf(n.uuid, sizeof(n.uuid), "%s", uuid);
	snprintf(n.name, sizeof(n.name), "%s", name);
	fleet_notice(m->fleet, m->hosts.all[0], &n);
}

static void a_cvm_whose_machine_ended_is_cleaned_up(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	notice(&m, VIRT_STOPPED, "3b1f8a10-1111-4222-8333-000000000001", "other");
	assert_non_null(fleet_find(m.fleet, told.id));
	notice(&m, VIRT_STOPPED, told.id, "x");
	assert_null(fleet_find(m.fleet, told.id));
	fleet_room_settle(&m);
	assert_int_equal(atomic_load(&fleet_world.removals), 1);
	fleet_room_create(&m, &told, "");
	assert_int_equal(told.created, 2);
	fleet_room_close(&m);
}

/* The machine ends between its start and the end of the job: its notice comes first. */
static void a_cvm_that_ends_at_once_is_not_reported_as_created(void **state)
{
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_settle(&m);
	assert_ok(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e);
	while (!atomic_load(
		&fleet_world.creations)) /* the job is done, the loop does not know it yet */
		usleep(1000);
	notice(&m, VIRT_STOPPED, fleet_world.created, "x");
	fleet_room_settle(&m);
	assert_int_equal(told.created, 0);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.e.code, ERR_ABORTED);
	assert_int_equal(atomic_load(&fleet_world.removals), 1);
	fleet_room_close(&m);
}

#define STRAY "3b1f8a10-1111-4222-8333-000000000009"

static void look(struct fleet_room *m)
{
	notice(m, VIRT_CONNECTED, "", "");
	while (fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
}

/* Removes the CVM that was made last, so that its id is among those that are gone. */
static void remove_cvm(struct fleet_room *m, struct fleet_told *told)
{
	struct err e;

	assert_ok(fleet_remove(m->fleet, told->id, fleet_room_removed, told, &e), e);
	fleet_room_settle(m);
}

static void domains_are_compared_when_libvirt_is_back(void **state)
{
	struct fleet_told gone = { 0 }, one = { 0 }, two = { 0 };
	struct fleet_room m;

	fleet_room_fresh(&m, 3);
	fleet_room_create(&m, &gone, "");
	remove_cvm(&m, &gone);
	fleet_room_create(&m, &one, "");
	fleet_room_create(&m, &two, "");
	strcpy(fleet_world.domains[0].uuid, two.id);
	strcpy(fleet_world.domains[1].uuid, gone.id);
	lifecycle_name(&m.lifecycle, 1, fleet_world.domains[0].name);
	lifecycle_name(&m.lifecycle, 2, fleet_world.domains[1].name);
	fleet_world.domain_count = 2;
	notice(&m, VIRT_CONNECTED, "", "");
	look(&m); /* looks once more when it has looked */
	assert_null(fleet_find(m.fleet, one.id));
	assert_non_null(fleet_find(m.fleet, two.id));
	assert_int_equal(atomic_load(&fleet_world.removals), 2);
	assert_string_equal(fleet_world.stopped, gone.id);
	fleet_room_close(&m);
}

static void the_domain_of_a_cvm_that_was_removed_is_stopped_when_it_starts(void **state)
{
	struct fleet_told told = { 0 };
	char name[LIFECYCLE_NAME_MAX];
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "");
	remove_cvm(&m, &told);
	notice(&m, VIRT_STARTED, told.id, "somebody-elses");
	assert_false(fleet_is_busy(m.fleet));
	lifecycle_name(&m.lifecycle, 0, name);
	notice(&m, VIRT_STARTED, told.id, name);
	fleet_room_settle(&m);
	assert_string_equal(fleet_world.stopped, told.id);
	assert_int_equal(atomic_load(&fleet_world.stops), 1);
	assert_refused(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e,
		       ERR_NOT_FOUND, told.id);
	fleet_room_close(&m);
}

/* So is one that an earlier manager removed. */
static void what_is_gone_is_known_after_a_restart(void **state)
{
	struct cvm cvm = { .port = 7100, .step = CVM_RUNNING, .cpus = 1, .id = STRAY };
	char name[LIFECYCLE_NAME_MAX];
	struct fleet_room m;
	struct err e;

	fleet_room_prepare(&m, 1);
	assert_ok(registry_add(m.registry, &cvm, &e), e);
	assert_ok(registry_delete(m.registry, &cvm, &e), e);
	fleet_room_open(&m);
	lifecycle_name(&m.lifecycle, 0, name);
	notice(&m, VIRT_STARTED, STRAY, name);
	fleet_room_settle(&m);
	assert_string_equal(fleet_world.stopped, STRAY);
	fleet_room_close(&m);
}

static void list(struct fleet_room *m, struct fleet_told *told)
{
	struct err e;

	assert_ok(fleet_strays(m->fleet, fleet_room_listed, told, &e), e);
	fleet_room_settle(m);
}

/* Nobody but the operator knows whether it is wanted. */
static void what_has_no_record_is_listed_and_left_alone(void **state)
{
	struct fleet_told told = { 0 }, mine = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX], path[128];
	struct err e;

	fleet_room_prepare(&m, 2);
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	strcpy(fleet_world.domains[1].uuid, "3b1f8a10-1111-4222-8333-00000000000a");
	strcpy(fleet_world.domains[1].name, "cocos-0000000g-0"); /* somebody else's */
	strcpy(fleet_world.domains[2].uuid, "3b1f8a10-1111-4222-8333-00000000000b");
	strcpy(fleet_world.domains[2].name, "cocos-01234567-0"); /* another manager's */
	fleet_world.domain_count = 3;
	snprintf(path, sizeof(path), "%s/cvms/..strange\n", m.config.state_dir);
	assert_ok(dir_make(path, 0700, &e), e);
	snprintf(path, sizeof(path), "%s/sockets", m.secrets); /* other programs' */
	assert_ok(dir_make(path, 0700, &e), e);
	fleet_room_open(&m);
	look(&m);
	notice(&m, VIRT_STARTED, STRAY, name);
	list(&m, &told);
	assert_int_equal(told.stray_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct stray *s = &told.strays[i];

		assert_string_equal(s->id, s->is_id ? STRAY : "'..strange\\x0a'");
		assert_string_equal(s->domain, s->is_id ? name : "");
		assert_int_equal(s->recorded, s->is_id);
		assert_int_equal(s->secrets, s->is_id);
		assert_true(s->folder);
	}
	assert_int_equal(atomic_load(&fleet_world.stops), 0);
	/* Its name and so its slot are taken, as long as it runs. */
	fleet_room_create(&m, &mine, "");
	assert_int_equal(fleet_find(m.fleet, mine.id)->slot, 1);
	fleet_world.domain_count = 0;
	notice(&m, VIRT_STOPPED, STRAY, name);
	fleet_room_create(&m, &mine, "");
	assert_int_equal(fleet_find(m.fleet, mine.id)->slot, 0);
	fleet_room_close(&m);
}

static void a_stray_is_removed_when_somebody_says_so(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct err e;

	fleet_room_prepare(&m, 2);
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	strcpy(fleet_world.domains[1].uuid, "3b1f8a10-1111-4222-8333-00000000000b");
	strcpy(fleet_world.domains[1].name, "cocos-01234567-0"); /* another manager's */
	fleet_world.domain_count = 2;
	fleet_room_open(&m);
	look(&m);
	assert_ok(fleet_remove(m.fleet, fleet_world.domains[1].uuid, fleet_room_removed, &told, &e),
		  e);
	fleet_room_settle(&m);
	assert_int_equal(told.not_removed, 1);
	assert_int_equal(told.e.code, ERR_NOT_FOUND);
	assert_int_equal(atomic_load(&fleet_world.stops), 0);
	assert_refused(fleet_remove(m.fleet, "..", fleet_room_removed, &told, &e), e, ERR_NOT_FOUND,
		       "no CVM");
	assert_ok(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.removed, 1);
	assert_string_equal(fleet_world.stopped, STRAY);
	fleet_world.domain_count = 0;
	list(&m, &told);
	assert_int_equal(told.stray_count, 0);
	assert_refused(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e,
		       ERR_NOT_FOUND, STRAY);
	fleet_room_close(&m);
}

static void adopt(struct fleet_room *m, struct fleet_told *told, const char *id)
{
	struct err e;

	assert_ok(fleet_adopt(m->fleet, id, fleet_room_adopted, told, &e), e);
	while (fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
}

static void a_stray_is_adopted_as_it_was(void **state)
{
	struct fleet_told told = { 0 }, mine = { 0 };
	struct cvm *all;
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	size_t count;
	struct err e;

	fleet_room_prepare(&m, 2);
	lifecycle_name(&m.lifecycle, 1, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_room_open(&m);
	look(&m);
	adopt(&m, &told, STRAY); /* the record is damaged */
	assert_int_equal(told.not_adopted, 1);
	assert_int_equal(told.e.code, ERR_DATA_LOSS);
	fleet_world.saved = (struct cvm){ .slot = 0, .port = 7101, .cpus = 1, .id = STRAY };
	adopt(&m, &told, STRAY); /* or not that of this domain */
	assert_int_equal(told.not_adopted, 2);
	assert_int_equal(told.e.code, ERR_PRECONDITION);
	fleet_world.saved.slot = 1;
	fleet_room_create(&m, &mine, "");
	assert_int_equal(fleet_find(m.fleet, mine.id)->slot, 0);
	adopt(&m, &told, STRAY);
	assert_int_equal(told.adopted, 1);
	assert_int_equal(fleet_find(m.fleet, STRAY)->port, 7101);
	assert_ok(registry_list(m.registry, &all, &count, &e), e);
	assert_int_equal(count, 1); /* the other one's was made by a stand-in */
	assert_string_equal(all[0].id, STRAY);
	assert_int_equal(all[0].step, CVM_RUNNING);
	free(all);
	list(&m, &told);
	assert_int_equal(told.stray_count, 0);
	assert_refused(fleet_adopt(m.fleet, STRAY, fleet_room_adopted, &told, &e), e, ERR_EXISTS,
		       "has a record");
	assert_refused(fleet_adopt(m.fleet, "../..", fleet_room_adopted, &told, &e), e,
		       ERR_NOT_FOUND, "no CVM");
	fleet_room_close(&m);
}

/* Each host of the world lists the same domains. */
static void a_stray_is_on_the_host_that_its_record_names(void **state)
{
	struct vm_host a = { .row.name = "a" }, b = { .row.name = "b" };
	struct vm_hosts hosts = { .all = { &a, &b }, .count = 2, .has_table = true };
	struct lifecycle l;
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct cvm cvm;
	struct err e;

	fleet_room_prepare(&m, 1);
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_room_open(&m);
	l = m.lifecycle;
	l.hosts = &hosts;
	fleet_world.saved = (struct cvm){ .slot = 0, .port = 7101, .id = STRAY, .host = "a" };
	assert_ok(stray_read(&l, STRAY, &cvm, &e), e);
	assert_string_equal(cvm.host, "a");
	strcpy(fleet_world.saved.host, "b");
	assert_ok(stray_read(&l, STRAY, &cvm, &e), e);
	assert_string_equal(cvm.host, "b");
	fleet_world.vanish = true; /* only the first one asked has it */
	assert_refused(stray_read(&l, STRAY, &cvm, &e), e, ERR_PRECONDITION, "says host b");
	fleet_world.vanish = false;
	fleet_world.domain_count = 1;
	/* Of one that is no host any more, anybody could say that he has it. */
	strcpy(fleet_world.saved.host, "earlier");
	assert_refused(stray_read(&l, STRAY, &cvm, &e), e, ERR_PRECONDITION,
		       "says host earlier, which is none now");
	strcpy(fleet_world.saved.host, "");
	assert_refused(stray_read(&l, STRAY, &cvm, &e), e, ERR_PRECONDITION,
		       "says host " HOST_LOCAL_URI);
	a.is_local = true;
	assert_ok(stray_read(&l, STRAY, &cvm, &e), e);
	assert_string_equal(cvm.host, "a");
	fleet_room_close(&m);
}

/* ERR_UNKNOWN: it was recorded, and who asked was told that nobody knows. */
static void an_adoption_whose_answer_got_lost_is_asked_for_again(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct err e;

	fleet_room_prepare(&m, 2);
	lifecycle_name(&m.lifecycle, 1, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_room_open(&m);
	look(&m);
	fleet_world.saved = (struct cvm){
		.slot = 1, .port = 7101, .cpus = 1, .step = CVM_RUNNING, .id = STRAY
	};
	assert_ok(registry_add(m.registry, &fleet_world.saved, &e), e);
	adopt(&m, &told, STRAY);
	assert_int_equal(told.adopted, 1);
	assert_int_equal(fleet_find(m.fleet, STRAY)->slot, 1);
	fleet_room_close(&m);
}

/* Before it has a slot, a notice finds nothing. */
static void a_stray_that_ends_while_it_is_adopted_goes_again(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];

	fleet_room_prepare(&m, 1);
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_world.saved = (struct cvm){ .slot = 0, .port = 7101, .cpus = 1, .id = STRAY };
	fleet_room_open(&m);
	look(&m);
	fleet_world.vanish = true;
	adopt(&m, &told, STRAY);
	assert_int_equal(told.adopted, 1);
	assert_null(fleet_find(m.fleet, STRAY));
	assert_int_equal(atomic_load(&fleet_world.removals), 1);
	fleet_room_close(&m);
}

static void one_call_at_a_time_is_about_a_stray(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct err e;

	fleet_room_prepare(&m, 1);
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_world.saved = (struct cvm){ .slot = 0, .port = 7101, .cpus = 1, .id = STRAY };
	fleet_room_open(&m);
	look(&m);
	assert_ok(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e);
	assert_refused(fleet_adopt(m.fleet, STRAY, fleet_room_adopted, &told, &e), e, ERR_ABORTED,
		       "another call");
	assert_refused(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e, ERR_ABORTED,
		       "another call");
	fleet_room_settle(&m);
	assert_int_equal(told.removed, 1);
	fleet_room_leave(&m, STRAY, "");
	assert_ok(fleet_adopt(m.fleet, STRAY, fleet_room_adopted, &told, &e), e);
	assert_refused(fleet_remove(m.fleet, STRAY, fleet_room_removed, &told, &e), e, ERR_ABORTED,
		       "another call");
	while (fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_int_equal(told.not_adopted + told.adopted, 1);
	fleet_room_close(&m);
}

static int create_sized(struct fleet_room *m, struct fleet_told *told, uint32_t cpus, struct err *e)
{
	Manager__CreateReq request = fleet_room_request();
	int failed;

	request.cpus = cpus;
	failed = fleet_create(m->fleet, &request, NULL, fleet_room_created, told, e);
	if (!failed) /* what is refused leaves nothing to wait for but the next look at the image */
		fleet_room_settle(m);
	return failed;
}

/* What a domain without a record has is not there for others: as much as libvirt says, or else as much as a CVM
 * may have. */
static void what_strays_have_counts(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct err e;

	fleet_room_prepare(&m, 8);
	m.config.max_cpus = 4;
	m.config.total_cpus = 10;
	m.config.total_memory = (uint64_t)1 << 40;
	fleet_room_open(&m);
	fleet_room_settle(&m);
	lifecycle_name(&m.lifecycle, 5, name);
	notice(&m, VIRT_STARTED, STRAY, name);
	fleet_room_settle(&m);
	assert_ok(create_sized(&m, &told, 4, &e), e);
	assert_refused(create_sized(&m, &told, 4, &e), e, ERR_EXHAUSTED, "8 of 10");
	notice(&m, VIRT_STOPPED, STRAY, name);
	notice(&m, VIRT_STARTED, STRAY, name);
	fleet_room_settle(&m);
	/* libvirt could not say it, and is asked again when its domains are looked at; */
	fleet_world.size = (struct virt_size){ 6, (uint64_t)1 << 30 };
	fleet_room_leave(&m, STRAY, name);
	snprintf(fleet_world.domains[1].uuid, sizeof(fleet_world.domains[1].uuid), "%s", told.id);
	fleet_world.domain_count = 2;
	notice(&m, VIRT_CONNECTED, "", "");
	fleet_room_settle(&m);
	assert_refused(create_sized(&m, &told, 1, &e), e, ERR_EXHAUSTED, "10 of 10");
	/* once it has said it, no more. */
	fleet_world.size.cpus = 0;
	notice(&m, VIRT_CONNECTED, "", "");
	fleet_room_settle(&m);
	assert_refused(create_sized(&m, &told, 1, &e), e, ERR_EXHAUSTED, "10 of 10");
	notice(&m, VIRT_STOPPED, STRAY, name);
	assert_ok(create_sized(&m, &told, 4, &e), e);
	assert_int_equal(told.created, 2);
	fleet_room_close(&m);
}

static void notice_of(struct fleet_room *m, size_t host, enum virt_event event, const char *uuid,
		      const char *name)
{
	struct virt_notice notice = { .event = event };

	snprintf(notice.uuid, sizeof(notice.uuid), "%s", uuid);
	snprintf(notice.name, sizeof(notice.name), "%s", name);
	fleet_notice(m->fleet, m->hosts.all[host], &notice);
	if (fleet_is_busy(m->fleet)) /* else the next to happen is a timer of ten seconds */
		fleet_room_settle(m);
}

static void add_host(struct fleet_room *m)
{
	struct vm_host *host = calloc(1, sizeof(*host));

	*host = *m->hosts.all[0];
	strcpy(host->row.name, "b");
	m->hosts.all[m->hosts.count++] = host;
}

/* Whatever it says of machines that are not its own. */
static void a_host_says_nothing_of_anothers_strays(void **state)
{
	static const char other[] = "3b1f8a10-1111-4222-8333-00000000000a";
	struct fleet_told told = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];
	struct err e;

	fleet_room_prepare(&m, 4);
	m.config.max_cpus = 4;
	m.config.total_cpus = 10;
	m.config.total_memory = (uint64_t)1 << 40;
	add_host(&m);
	fleet_room_open(&m);
	fleet_room_settle(&m);
	lifecycle_name(&m.lifecycle, 0, name);
	notice_of(&m, 0, VIRT_STARTED, STRAY, name);
	notice_of(&m, 1, VIRT_STOPPED, STRAY, name);
	notice_of(&m, 1, VIRT_STARTED, STRAY, name);
	notice_of(&m, 1, VIRT_STOPPED, STRAY, name);
	notice_of(&m, 1, VIRT_STARTED, other, name);
	notice_of(&m, 1, VIRT_STOPPED, other, name);
	assert_ok(create_sized(&m, &told, 4, &e), e);
	assert_int_equal(fleet_find(m.fleet, told.id)->slot, 1);
	assert_refused(create_sized(&m, &told, 4, &e), e, ERR_EXHAUSTED, "8 of 10");
	/* What can't be is not less than nothing. */
	fleet_world.size = (struct virt_size){ 1, UINT64_MAX };
	lifecycle_name(&m.lifecycle, 2, name);
	notice_of(&m, 1, VIRT_STARTED, other, name);
	notice_of(&m, 0, VIRT_STOPPED, STRAY, "");
	assert_refused(create_sized(&m, &told, 1, &e), e, ERR_EXHAUSTED, "memory");
	fleet_room_close(&m);
}

/* Also those that have no place here: slots beyond MANAGER_MAX_VMS, names without a number, and those of another
 * manager's time whose folder is ours. */
static void strays_beyond_the_places_count(void **state)
{
	static const char *const ids[] = { "3b1f8a10-1111-4222-8333-00000000000a",
					   "3b1f8a10-1111-4222-8333-00000000000b",
					   "3b1f8a10-1111-4222-8333-00000000000c" };
	char names[ARRAY_LEN(ids)][LIFECYCLE_NAME_MAX];
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_prepare(&m, 4);
	m.config.max_cpus = 6;
	m.config.total_cpus = 16;
	fleet_room_open(&m);
	fleet_room_settle(&m);
	lifecycle_name(&m.lifecycle, 4, names[0]); /* the first that has no place */
	lifecycle_prefix(&m.lifecycle, names[1]);
	strcat(names[1], "by-hand");
	strcpy(names[2], "cocos-0123abcd-0");
	fleet_world.size = (struct virt_size){ 5, (uint64_t)1 << 20 };
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		fleet_room_leave(&m, ids[i], names[i]);
	look(&m);
	assert_refused(create_sized(&m, &told, 6, &e), e, ERR_EXHAUSTED, "15 of 16");
	assert_ok(create_sized(&m, &told, 1, &e), e);
	assert_refused(create_sized(&m, &told, 1, &e), e, ERR_EXHAUSTED, "4 CVMs exist");
	/* One ends, and libvirt says so; another is not there any more when it is asked. */
	notice(&m, VIRT_STOPPED, ids[1], names[1]);
	assert_refused(create_sized(&m, &told, 6, &e), e, ERR_EXHAUSTED, "11 of 16");
	memcpy(fleet_world.domains[1].uuid, told.id, sizeof(told.id));
	fleet_world.domain_count = 2;
	look(&m);
	assert_non_null(fleet_find(m.fleet, told.id));
	assert_ok(create_sized(&m, &told, 6, &e), e);
	/* One that begins is seen at once. */
	notice(&m, VIRT_STARTED, ids[1], names[1]);
	assert_refused(create_sized(&m, &told, 1, &e), e, ERR_EXHAUSTED, "4 CVMs exist");
	fleet_room_close(&m);
}

static void nobody_waits_until_a_host_that_is_lost_was_dialled(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_fresh(&m, 1);
	fleet_room_settle(&m);
	fleet_room_create(&m, &told, "");
	m.hosts.has_table = true;
	strcpy(m.hosts.all[0]->row.name, "ward-2");
	notice(&m, VIRT_LOST, "", "");
	assert_refused(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e,
		       ERR_UNAVAILABLE, "host ward-2");
	fleet_room_settle(&m);
	assert_ok(fleet_remove(m.fleet, told.id, fleet_room_removed, &told, &e), e);
	fleet_room_settle(&m);
	assert_int_equal(told.removed, 1);
	fleet_room_close(&m);
}

static void a_slot_in_a_name_is_one_that_can_be(void **state)
{
	static const struct {
		const char *name;
		int slot; /* -1: none */
	} rows[] = {
		{ "cocos-0123abcd-0", 0 },         { "cocos-0123abcd-9999", 9999 },
		{ "cocos-0123abcd-10000", 10000 }, { "cocos-0123abcd-16383", 16383 },
		{ "cocos-0123abcd-16384", -1 },    { "cocos-0123abcd-99999", -1 },
		{ "cocos-0123abcd-000001", -1 },   { "cocos-0123abcd-1x", -1 },
		{ "cocos-0123abcd-", -1 },         { "cocos-0123abcd-+1", -1 },
		{ "cocos-0123abc-1", -1 },         { "other-0123abcd-1", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned slot = 7;

		assert_int_equal(stray_slot(rows[i].name, &slot), rows[i].slot >= 0);
		assert_int_equal(slot, rows[i].slot >= 0 ? rows[i].slot : 7);
	}
}

static void a_stray_whose_place_is_taken_can_only_be_removed(void **state)
{
	struct fleet_told told = { 0 }, mine = { 0 };
	struct fleet_room m;
	char name[LIFECYCLE_NAME_MAX];

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &mine, "");
	lifecycle_name(&m.lifecycle, 0, name);
	fleet_room_leave(&m, STRAY, name);
	fleet_world.saved = (struct cvm){ .slot = 0, .port = 7101, .cpus = 1, .id = STRAY };
	adopt(&m, &told, STRAY);
	assert_int_equal(told.e.code, ERR_EXISTS);
	lifecycle_name(&m.lifecycle, 1, fleet_world.domains[0].name);
	fleet_world.saved.slot = 1;
	adopt(&m, &told, STRAY);
	assert_int_equal(told.e.code, ERR_EXHAUSTED);
	fleet_world.domain_count = 0;
	adopt(&m, &told, STRAY);
	assert_int_equal(told.e.code, ERR_PRECONDITION);
	assert_int_equal(told.not_adopted, 3);
	assert_non_null(fleet_find(m.fleet, mine.id));
	fleet_room_close(&m);
}

static void libvirt_is_looked_for_until_it_is_back(void **state)
{
	struct fleet_room m;

	fleet_room_prepare(&m, 1);
	atomic_store(&fleet_world.fail_connects, 2);
	fleet_room_open(&m);
	while (atomic_load(&fleet_world.connects) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	notice(&m, VIRT_LOST, "", "");
	fleet_room_settle(&m);
	assert_int_equal(atomic_load(&fleet_world.connects), 4);
	fleet_room_close(&m);
}

/* Whoever dialled has not said so yet. */
static void a_libvirt_that_goes_as_it_comes_is_looked_for(void **state)
{
	struct fleet_room m;

	fleet_room_prepare(&m, 1);
	atomic_store(&fleet_world.hanging_dials, 1);
	fleet_room_open(&m);
	while (atomic_load(&fleet_world.connects) < 1)
		uv_run(&m.loop, UV_RUN_NOWAIT);
	notice(&m, VIRT_CONNECTED, "", "");
	notice(&m, VIRT_LOST, "", "");
	atomic_store(&fleet_world.hanging_dials, -1);
	fleet_room_settle(&m);
	assert_int_equal(atomic_load(&fleet_world.connects), 2);
	fleet_room_close(&m);
}

static struct cvm recorded(unsigned slot, enum cvm_step step, int64_t expires_ms)
{
	struct cvm cvm = { .slot = slot,
			   .port = (uint16_t)(7100 + slot),
			   .step = step,
			   .cpus = 1,
			   .expires_ms = expires_ms };

	snprintf(cvm.id, sizeof(cvm.id), "00000000-0000-4000-8000-%012u", slot);
	return cvm;
}

static void a_restart_takes_up_what_is_recorded(void **state)
{
	struct cvm cvms[] = {
		recorded(0, CVM_RUNNING, 0),
		recorded(1, CVM_RUNNING,
			 clock_ms(CLOCK_REALTIME) - 1000), /* its time ran out during the restart */
		recorded(2, CVM_DOMAIN, 0),
		recorded(3, CVM_CLEANING, 0),
		recorded(9, CVM_RUNNING,
			 clock_ms(CLOCK_REALTIME) + 3600000), /* made when the limit was higher */
	};
	Manager__CreateReq request = fleet_room_request();
	struct fleet_told told = { 0 };
	struct fleet_room m;
	struct err e;

	fleet_room_prepare(&m, 5);
	for (size_t i = 0; i < ARRAY_LEN(cvms); i++)
		assert_ok(registry_add(m.registry, &cvms[i], &e), e);
	fleet_room_open(&m);
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "limit");
	while (atomic_load(&fleet_world.removals) < 3 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_non_null(fleet_find(m.fleet, cvms[0].id));
	assert_null(fleet_find(m.fleet, cvms[1].id));
	assert_null(fleet_find(m.fleet, cvms[2].id));
	assert_null(fleet_find(m.fleet, cvms[3].id));
	assert_non_null(fleet_find(m.fleet, cvms[4].id));
	for (int i = 0; i < 3; i++)
		fleet_room_create(&m, &told, "");
	assert_refused(fleet_create(m.fleet, &request, NULL, fleet_room_created, &told, &e), e,
		       ERR_EXHAUSTED, "limit");
	fleet_room_close(&m);
}

static void a_cvm_goes_when_its_time_is_up(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "1s");
	assert_non_null(fleet_find(m.fleet, told.id));
	atomic_store(&fleet_world.fail_removals, 1);
	while (atomic_load(&fleet_world.removals) < 2 || fleet_is_busy(m.fleet))
		uv_run(&m.loop, UV_RUN_ONCE);
	assert_true(atomic_load(&fleet_world.insisted));
	assert_null(fleet_find(m.fleet, told.id));
	fleet_room_close(&m);
}

static void run_until_it_is_gone(struct fleet_room *m, const char *id)
{
	while (fleet_find(m->fleet, id) || fleet_is_busy(m->fleet))
		uv_run(&m->loop, UV_RUN_ONCE);
	fleet_room_clock_step = 0;
	fleet_room_close(m);
}

static void a_clock_that_is_set_back_gives_no_more_time(void **state)
{
	struct fleet_told told = { 0 };
	struct fleet_room m;

	fleet_room_fresh(&m, 1);
	fleet_room_create(&m, &told, "1s");
	fleet_room_clock_step = -3600;
	run_until_it_is_gone(&m, told.id);
}

static void a_clock_that_was_set_back_before_a_restart_gives_no_more_time(void **state)
{
	struct cvm cvm = recorded(0, CVM_RUNNING, clock_ms(CLOCK_REALTIME) + 3600000);
	struct fleet_room m;
	struct err e;

	cvm.created_ms = cvm.expires_ms - 1000;
	fleet_room_prepare(&m, 1);
	assert_ok(registry_add(m.registry, &cvm, &e), e);
	fleet_room_open(&m);
	run_until_it_is_gone(&m, cvm.id);
}

/* What is listed as adoptable is what adopting asks for. */
static void what_lacks_something_can_only_be_removed(void **state)
{
	static const struct stray whole = { .id = STRAY,
					    .domain = "cocos-0123abcd-3",
					    .is_id = true,
					    .folder = true,
					    .secrets = true,
					    .recorded = true };
	struct stray stray = whole;
	struct err e;

	assert_ok(stray_check(&stray, &e), e);
	stray.is_id = false;
	assert_refused(stray_check(&stray, &e), e, ERR_PRECONDITION, "no CVM's");
	stray = whole;
	stray.domain[0] = '\0';
	assert_refused(stray_check(&stray, &e), e, ERR_PRECONDITION, "no machine that runs");
	strcpy(stray.domain, "cocos-0123abcd-x");
	assert_refused(stray_check(&stray, &e), e, ERR_PRECONDITION, "says no slot");
	stray = whole;
	stray.recorded = false;
	assert_refused(stray_check(&stray, &e), e, ERR_PRECONDITION, "there is no record");
	stray = whole;
	stray.secrets = false;
	assert_refused(stray_check(&stray, &e), e, ERR_PRECONDITION, "MANAGER_SECRETS_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLEET_ROOM_ROW(a_cvm_whose_machine_ended_is_cleaned_up),
		FLEET_ROOM_ROW(a_cvm_that_ends_at_once_is_not_reported_as_created),
		FLEET_ROOM_ROW(domains_are_compared_when_libvirt_is_back),
		FLEET_ROOM_ROW(the_domain_of_a_cvm_that_was_removed_is_stopped_when_it_starts),
		FLEET_ROOM_ROW(what_is_gone_is_known_after_a_restart),
		cmocka_unit_test(what_lacks_something_can_only_be_removed),
		FLEET_ROOM_ROW(what_has_no_record_is_listed_and_left_alone),
		FLEET_ROOM_ROW(a_stray_is_removed_when_somebody_says_so),
		FLEET_ROOM_ROW(a_stray_is_adopted_as_it_was),
		FLEET_ROOM_ROW(a_stray_is_on_the_host_that_its_record_names),
		FLEET_ROOM_ROW(an_adoption_whose_answer_got_lost_is_asked_for_again),
		FLEET_ROOM_ROW(a_stray_that_ends_while_it_is_adopted_goes_again),
		FLEET_ROOM_ROW(one_call_at_a_time_is_about_a_stray),
		FLEET_ROOM_ROW(what_strays_have_counts),
		FLEET_ROOM_ROW(a_host_says_nothing_of_anothers_strays),
		FLEET_ROOM_ROW(strays_beyond_the_places_count),
		FLEET_ROOM_ROW(a_slot_in_a_name_is_one_that_can_be),
		FLEET_ROOM_ROW(a_stray_whose_place_is_taken_can_only_be_removed),
		FLEET_ROOM_ROW(nobody_waits_until_a_host_that_is_lost_was_dialled),
		FLEET_ROOM_ROW(libvirt_is_looked_for_until_it_is_back),
		FLEET_ROOM_ROW(a_libvirt_that_goes_as_it_comes_is_looked_for),
		FLEET_ROOM_ROW(a_restart_takes_up_what_is_recorded),
		FLEET_ROOM_ROW(a_cvm_goes_when_its_time_is_up),
		FLEET_ROOM_ROW(a_clock_that_is_set_back_gives_no_more_time),
		FLEET_ROOM_ROW(a_clock_that_was_set_back_before_a_restart_gives_no_more_time),
	};

	return cmocka_run_group_tests(tests, fleet_room_make_dir, fleet_room_remove_dir);
}
