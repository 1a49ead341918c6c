/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of creating and removing against a libvirt of files (one for each domain), which
 * therefore outlives the process that made them, as the real one does. A child is killed before and
 * after every single act; then a successor has to leave nothing behind.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/db/db_postgres.h"
#include "common/manifest/bootdisk.h"
#include "manager/launch/boot_files.h"
#include "manager/launch/lifecycle.h"
#include "manager/registry/registry_form.h"
#include "manager/registry/registry_lease.h"
#include "tests/unit/manager/cvm_equal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define ID "3b1f8a10-1111-4222-8333-000000000001"

static char top[] = "/dev/shm/cocos-test-lifecycle-XXXXXX";
static char image[128], secrets[128], domains[128];
static int round_number;
static char state_dir[160];

/* The point at which this process ends, or an act fails, counted from 1; 0: never. */
static int kill_at, fail_at, point, acts;
static enum err_code fail_code;
static bool fail_behind;   /* what fails was done: its answer got lost */
static int forwards_taken; /* this many ports turn out to be somebody else's */
static char started_xml[DOMAIN_XML_MAX];

/* Here the host of the CVM goes to another manager, and so often libvirt is told something from then on. */
static int lose_at;
static struct registry *loses;
static int told_libvirt, told_before;

static void lose_host(void)
{
	struct err e;

	assert_ok(registry_lease_release(loses, &e), e);
	told_before = told_libvirt;
}

static void here(void)
{
	if (++point == kill_at)
		kill(getpid(), SIGKILL);
	if (point == lose_at)
		lose_host();
}

static int failing(struct err *e)
{
	return ++acts == fail_at ? err_set(e, fail_code, "as told") : 0;
}

/* Runs an act between two points at which the process may die. */
#define ACT(name_, args_, call_)                                                    \
	int __real_##name_ args_;                                                   \
	int __wrap_##name_ args_;                                                   \
	int __wrap_##name_ args_                                                    \
	{                                                                           \
		int result, lost;                                                   \
		here();                                                             \
		lost = fail_at && failing(e) < 0;                                   \
		if (lost && !fail_behind)                                           \
			return err_code(e);                                         \
		result = __real_##name_ call_;                                      \
		here();                                                             \
		return lost && !result ? err_set(e, fail_code, "as told") : result; \
	}

ACT(registry_add, (struct registry * r, const struct cvm *cvm, struct err *e), (r, cvm, e))
ACT(registry_set_step, (struct registry * r, const char *id, enum cvm_step step, struct err *e),
    (r, id, step, e))
ACT(registry_set_port, (struct registry * r, const char *id, uint16_t port, struct err *e),
    (r, id, port, e))
ACT(registry_delete, (struct registry * r, const struct cvm *cvm, struct err *e), (r, cvm, e))
ACT(file_write_new, (const char *path, const void *bytes, size_t len, mode_t mode, struct err *e),
    (path, bytes, len, mode, e))
ACT(dir_remove, (const char *path, struct err *e), (path, e))

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	int result;

	here();
	result = __real_mkdir(path, mode);
	here();
	return result;
}

int __wrap_virt_host(struct virt *v, struct virt_host *host, struct err *e);
int __wrap_virt_connect(struct virt *v, struct err *e);
int __wrap_virt_start(struct virt *v, const char *xml, struct err *e);
int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e);
int __wrap_virt_forward(struct virt *v, const char *uuid, const char *host, uint16_t port,
			uint16_t guest_port, struct err *e);

int __wrap_virt_host(struct virt *v, struct virt_host *host, struct err *e)
{
	*host = (struct virt_host){ 0 };
	return fail_at ? failing(e) : 0;
}

int __wrap_virt_connect(struct virt *v, struct err *e)
{
	return fail_at ? failing(e) : 0;
}

static void domain_path(char *path, size_t room, const char *uuid)
{
	snprintf(path, room, "%s/%s", domains, uuid);
}

/* Its disk is full for another one while this one is being made. */
static struct lifecycle *while_started;

static void create_another(void)
{
	struct config *config = (struct config *)(uintptr_t)while_started->config;
	struct cvm other = { .id = "5b1c6d3e-0000-4000-8000-0000000000ff", .slot = 3 };
	struct cvm_request request = { 0 };
	struct statvfs fs;
	struct err e;

	assert_int_equal(while_started->creating, 1);
	assert_int_equal(statvfs(config->state_dir, &fs), 0);
	/* There is enough for one, and not for two. */
	config->state_free = (uint64_t)fs.f_bavail * fs.f_frsize / 4 * 3;
	assert_refused(lifecycle_create(while_started, &request, &other, &e), e, ERR_EXHAUSTED,
		       "1 CVMs are being created");
	config->state_free = 0;
	assert_int_equal(while_started->creating, 1);
}

int __wrap_virt_start(struct virt *v, const char *xml, struct err *e)
{
	char path[200];
	int fd;

	told_libvirt++;
	here();
	if (while_started)
		create_another();
	if (fail_at && failing(e) < 0)
		return err_code(e);
	snprintf(started_xml, sizeof(started_xml), "%s", xml);
	domain_path(path, sizeof(path), ID);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	close(fd);
	here();
	return fd < 0 ? err_set(e, ERR_INTERNAL, "there is such a domain") : 0;
}

int __wrap_virt_stop(struct virt *v, const char *uuid, struct err *e)
{
	char path[200];

	told_libvirt++;
	here();
	if (fail_at && failing(e) < 0)
		return err_code(e);
	domain_path(path, sizeof(path), uuid);
	unlink(path);
	here();
	return 0;
}

int __wrap_virt_forward(struct virt *v, const char *uuid, const char *host, uint16_t port,
			uint16_t guest_port, struct err *e)
{
	char path[200];

	told_libvirt++;
	here();
	assert_int_equal(guest_port, 7002);
	if (fail_at && failing(e) < 0)
		return err_code(e);
	if (forwards_taken > 0) {
		forwards_taken--;
		return err_set(e, ERR_EXISTS, "taken");
	}
	domain_path(path, sizeof(path), uuid);
	here();
	return access(path, F_OK) == 0 ? 0 : err_set(e, ERR_NOT_FOUND, "no such domain");
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), e);
}

/* SHA-256 of "a" */
#define FILE_A                                   \
	"{\"file\":\"k\",\"size\":1,\"sha256\":" \
	"\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"}"
#define DISK   "\"boot_disk\":{\"version\":1,\"serial\":\"cocos-boot\",\"size\":266240}"
#define SHARES "\"shares\":[\"env_share\",\"certs_share\"]"

static void put_image(const char *given)
{
	char json[1024];

	snprintf(json, sizeof(json),
		 "{\"version\":1,\"flavour\":\"base\",\"cmdline\":\"quiet\",\"min_memory_mib\":1,"
		 "\"cmdline_words\":[\"cocos.role_signature\"],%s,"
		 "\"kernel\":" FILE_A ",\"initrd\":" FILE_A "}",
		 given);
	put(image, "image.json", json);
}

static int make_world(void **state)
{
	if (!mkdtemp(top))
		return -1;
	snprintf(image, sizeof(image), "%s/image", top);
	snprintf(secrets, sizeof(secrets), "%s/secrets", top);
	snprintf(domains, sizeof(domains), "%s/domains", top);
	if (mkdir(image, 0700) || mkdir(secrets, 0700) || mkdir(domains, 0700))
		return -1;
	put(image, "k", "a");
	put_image(DISK);
	return 0;
}

static int remove_world(void **state)
{
	struct err e;

	kill_at = fail_at = 0;
	return dir_remove(top, &e);
}

/* A manager with a registry of its own. */
struct manager {
	struct config config;
	struct registry *registry;
	struct ports *ports;
	struct vm_hosts hosts;
	struct lifecycle lifecycle;
};

/* The server of tests/postgres.py; NULL: each registry is a file. */
static const char *database(void)
{
	return getenv("COCOS_TEST_POSTGRES");
}

static void forget_database(void)
{
	const struct db_postgres how = { .place = database(), .schema = REGISTRY_SCHEMA };
	struct db db;
	struct err e;

	assert_ok(db_postgres_open(&db, &how, &e), e);
	assert_ok(db_script(&db, "DROP SCHEMA " REGISTRY_SCHEMA " CASCADE", &e), e);
	db_close(&db);
}

static void fresh_state(void)
{
	char cvms[200];

	snprintf(state_dir, sizeof(state_dir), "%s/state-%d", top, round_number++);
	snprintf(cvms, sizeof(cvms), "%s/cvms", state_dir);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	assert_int_equal(mkdir(cvms, 0700), 0);
	kill_at = fail_at = lose_at = point = acts = forwards_taken = 0;
	fail_behind = false;
	if (database())
		forget_database();
}

static int open_registry(struct manager *m, struct err *e)
{
	const struct registry_share share = { .name = "a", .lease_ms = LEASE_MAX_MS, .vms_max = 4 };

	return m->config.hosts
		       ? registry_open_shared(state_dir, database(), &share, &m->registry, e)
		       : registry_open(state_dir, database(), &m->registry, e);
}

/* `hosts`: a table, and others share the registry; NULL: none. */
static void open_manager_with(struct manager *m, char *hosts)
{
	struct err e;

	*m = (struct manager){ .config = { .max_vms = 4,
					   .cpus = 1,
					   .wanted = CONFIG_TEE_NONE,
					   .memory = 512 << 20,
					   .image_dir = image,
					   .state_dir = state_dir,
					   .secrets_dir = secrets,
					   .hosts = hosts,
					   .forward_host = (char *)"127.0.0.1" } };
	assert_ok(open_registry(m, &e), e);
	assert_ok(ports_new("127.0.0.1", 20000, 20200, &m->ports, &e), e);
	assert_ok(vm_hosts_init(&m->hosts, &m->config, &e), e);
	assert_ok(lifecycle_init(&m->lifecycle, &m->config, m->registry, &m->hosts, m->ports, &e),
		  e);
}

static void open_manager(struct manager *m)
{
	open_manager_with(m, NULL);
}

static void close_manager(struct manager *m)
{
	lifecycle_done(&m->lifecycle);
	vm_hosts_done(&m->hosts);
	ports_free(m->ports);
	registry_close(m->registry);
}

static struct cvm_request some_request(void)
{
	struct cvm_request request = { 0 };

	request.boot.files[BOOTCONFIG_ENVIRONMENT].bytes = (uint8_t *)strdup("A=1\n");
	request.boot.files[BOOTCONFIG_ENVIRONMENT].len = 4;
	request.boot.files[BOOTCONFIG_KEY].bytes = (uint8_t *)strdup("key");
	request.boot.files[BOOTCONFIG_KEY].len = 3;
	return request;
}

static int create(struct manager *m, struct cvm *cvm, struct err *e)
{
	struct cvm_request request = some_request();
	int r;

	*cvm = (struct cvm){
		.id = ID, .slot = 2, .created_ms = 1, .cpus = 1, .memory = m->config.memory
	};
	if (m->config.hosts)
		snprintf(cvm->host, sizeof(cvm->host), "other");
	r = lifecycle_create(&m->lifecycle, &request, cvm, e);
	cvm_request_done(&request);
	return r;
}

static unsigned entries_in(const char *path)
{
	unsigned count = 0;
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void assert_nothing_is_left(struct manager *m)
{
	char cvms[200];
	struct cvm *all;
	size_t count;
	struct err e;

	snprintf(cvms, sizeof(cvms), "%s/cvms", state_dir);
	assert_int_equal(entries_in(cvms), 0);
	assert_int_equal(entries_in(secrets), 0);
	assert_int_equal(entries_in(domains), 0);
	assert_ok(registry_list(m->registry, &all, &count, &e), e);
	assert_int_equal(count, 0);
	free(all);
}

static void a_cvm_is_made_as_recorded_and_removed_without_a_trace(void **state)
{
	CLEANUP(free) uint8_t *disk = NULL, *formed = NULL;
	struct cvm_request request;
	struct manager m;
	struct cvm cvm, *all;
	char path[256];
	size_t count, len;
	struct stat st;
	struct err e;

	fresh_state();
	open_manager(&m);
	assert_ok(create(&m, &cvm, &e), e);
	assert_int_equal(cvm.step, CVM_RUNNING);
	assert_string_equal(cvm.cmdline, "quiet");
	assert_string_equal(cvm.cpu_type, "maximum");
	assert_string_equal(cvm.firmware, "/usr/share/OVMF/OVMF_CODE_4M.fd");
	assert_ok(registry_list(m.registry, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_cvm_equal(&all[0], &cvm);
	free(all);
	snprintf(path, sizeof(path), "%s/" ID, secrets);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(entries_in(path), 1);
	snprintf(path, sizeof(path), "%s/" ID "/boot.img", secrets);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(file_read(path, BOOTDISK_SIZE, &disk, &len, &e), e);
	assert_int_equal(len, BOOTDISK_SIZE);
	request = some_request();
	assert_ok(bootdisk_form(&request.boot, &formed, &e), e);
	cvm_request_done(&request);
	assert_memory_equal(disk, formed, BOOTDISK_SIZE);
	assert_non_null(strstr(started_xml, path));
	assert_null(strstr(started_xml, "env_share"));
	snprintf(path, sizeof(path), "<name>cocos-%s-2</name>", registry_tag(m.registry));
	assert_non_null(strstr(started_xml, path));
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	assert_nothing_is_left(&m);
	close_manager(&m);
}

static void an_older_image_gets_its_shares(void **state)
{
	CLEANUP(free) char *text = NULL;
	struct manager m;
	struct cvm cvm;
	char path[256];
	struct stat st;
	struct err e;

	fresh_state();
	put_image(SHARES);
	open_manager(&m);
	assert_ok(create(&m, &cvm, &e), e);
	snprintf(path, sizeof(path), "%s/" ID, secrets);
	assert_int_equal(entries_in(path), 2);
	snprintf(path, sizeof(path), "%s/" ID "/env/environment", secrets);
	assert_ok(file_read_text(path, 100, &text, &e), e);
	assert_string_equal(text, "A=1\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/" ID "/certs", secrets);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(entries_in(path), 1);
	assert_non_null(strstr(started_xml, path));
	assert_null(strstr(started_xml, BOOTDISK_SERIAL));
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	assert_nothing_is_left(&m);
	close_manager(&m);
	put_image(DISK);
}

/* A file of that name is somebody else's: it stays as it is, and no machine starts. */
static void a_boot_disk_is_never_made_again(void **state)
{
	CLEANUP(free) char *text = NULL;
	struct bootconfig boot = { 0 };
	struct virt_host host = { 0 };
	char folder[200], path[256];
	struct boot_paths paths = { .folder = folder, .disk = path };
	struct err e;

	snprintf(folder, sizeof(folder), "%s/again", top);
	snprintf(path, sizeof(path), "%s/again.img", top);
	put(top, "again.img", "mine");
	assert_refused(boot_files_make(&paths, &boot, &host, &e), e, ERR_EXISTS, "again.img");
	assert_refused(boot_files_make(&paths, &boot, &host, &e), e, ERR_EXISTS, "/again'");
	assert_ok(file_read_text(path, 100, &text, &e), e);
	assert_string_equal(text, "mine");
}

static void the_weakening_word_is_on_the_command_line_only_if_told(void **state)
{
	struct manager m;
	struct cvm cvm;
	struct err e;

	fresh_state();
	open_manager(&m);
	m.config.allow_role_signature = true;
	assert_ok(create(&m, &cvm, &e), e);
	assert_string_equal(cvm.cmdline, "quiet cocos.role_signature");
	assert_non_null(strstr(started_xml, "<cmdline>quiet cocos.role_signature</cmdline>"));
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	close_manager(&m);
}

/* A child that creates and removes until it is killed; false when it got to its end. */
static bool child_dies(int at)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct manager m;
		struct cvm cvm;
		struct err e;

		open_manager(&m);
		point = 0;
		kill_at = at;
		if (create(&m, &cvm, &e) < 0 || lifecycle_remove(&m.lifecycle, &cvm, false, &e) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static void killed_at_any_point_a_successor_cleans_up(void **state)
{
	int at = 1;

	for (;; at++) {
		struct manager m;
		struct cvm *all;
		size_t count;
		bool died;
		struct err e;

		fresh_state();
		died = child_dies(at);
		open_manager(&m);
		assert_ok(registry_list(m.registry, &all, &count, &e), e);
		assert_true(count <= 1);
		/* A domain without a record could never be found again. */
		assert_true(entries_in(domains) <= count);
		if (count && all[0].step == CVM_RUNNING)
			assert_int_equal(entries_in(domains), 1);
		if (count)
			assert_ok(lifecycle_remove(&m.lifecycle, &all[0], true, &e), e);
		assert_nothing_is_left(&m);
		free(all);
		close_manager(&m);
		if (!died)
			break;
	}
	assert_true(at > 30); /* the points are really there */
}

/* It is killed while it cleans up, and so is its successor, and so on. */
static void killed_again_while_cleaning_up(void **state)
{
	for (int at = 1; at < 12; at++) {
		struct manager m;
		struct cvm *all;
		size_t count;
		struct err e;

		fresh_state();
		assert_true(child_dies(24));
		for (int again = 0; again < at; again++) {
			pid_t pid = fork();

			if (pid == 0) {
				open_manager(&m);
				point = 0;
				kill_at = at;
				if (registry_list(m.registry, &all, &count, &e) == 0 && count)
					_exit(lifecycle_remove(&m.lifecycle, &all[0], true, &e) <
					      0);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		}
		open_manager(&m);
		assert_ok(registry_list(m.registry, &all, &count, &e), e);
		if (count)
			assert_ok(lifecycle_remove(&m.lifecycle, &all[0], true, &e), e);
		assert_nothing_is_left(&m);
		free(all);
		close_manager(&m);
	}
}

static void any_act_that_fails_once_is_undone(void **state)
{
	int at = 1;

	for (;; at++) {
		struct manager m;
		struct cvm cvm;
		struct err e;
		int r;

		fresh_state();
		open_manager(&m);
		fail_at = at;
		fail_code = ERR_UNAVAILABLE;
		acts = 0;
		r = create(&m, &cvm, &e);
		fail_at = 0;
		if (r < 0) {
			assert_int_equal(e.code, ERR_UNAVAILABLE);
			assert_int_equal(cvm.step, 0);
		} else {
			assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
		}
		assert_nothing_is_left(&m);
		close_manager(&m);
		if (r == 0)
			break;
	}
	assert_true(at > 8);
}

/* As when a server is gone at the end of a change: whether it was made is found out. */
static void an_answer_that_gets_lost_leaves_nothing(void **state)
{
	for (int made = 0; made < 2; made++) {
		int at = 1, failed = -1;

		for (; failed < 0; at++) {
			struct manager m;
			struct cvm cvm;
			struct err e;

			fresh_state();
			open_manager(&m);
			fail_at = at;
			fail_code = ERR_UNKNOWN;
			fail_behind = made;
			acts = 0;
			failed = create(&m, &cvm, &e);
			if (!failed)
				failed = lifecycle_remove(&m.lifecycle, &cvm, false, &e);
			fail_at = 0;
			if (failed && cvm.step)
				assert_ok(lifecycle_remove(&m.lifecycle, &cvm, true, &e), e);
			assert_nothing_is_left(&m);
			close_manager(&m);
		}
		assert_true(at > 12);
	}
}

static void a_removal_that_fails_can_be_repeated(void **state)
{
	for (int at = 1; at < 9; at++) {
		struct manager m;
		struct cvm cvm;
		struct err e;

		fresh_state();
		open_manager(&m);
		assert_ok(create(&m, &cvm, &e), e);
		fail_at = at;
		fail_code = ERR_UNAVAILABLE;
		acts = 0;
		if (lifecycle_remove(&m.lifecycle, &cvm, false, &e) < 0) {
			assert_int_equal(e.code, ERR_UNAVAILABLE);
			if (at == 1) /* libvirt was not there: nothing began */
				assert_int_equal(cvm.step, CVM_RUNNING);
			fail_at = 0;
			assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
		}
		fail_at = 0;
		assert_nothing_is_left(&m);
		close_manager(&m);
	}
}

static void an_end_that_is_insisted_on_is_recorded_without_libvirt(void **state)
{
	struct manager m;
	struct cvm cvm, *all;
	size_t count;
	struct err e;

	fresh_state();
	open_manager(&m);
	assert_ok(create(&m, &cvm, &e), e);
	fail_at = 2; /* the record succeeds, libvirt does not */
	fail_code = ERR_UNAVAILABLE;
	acts = 0;
	assert_refused(lifecycle_remove(&m.lifecycle, &cvm, true, &e), e, ERR_UNAVAILABLE,
		       "as told");
	fail_at = 0;
	assert_ok(registry_list(m.registry, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].step, CVM_STOPPING);
	free(all);
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, true, &e), e);
	assert_nothing_is_left(&m);
	close_manager(&m);
}

static int create_wished(struct manager *m, const char *wanted, unsigned mib, struct cvm *cvm,
			 struct err *e)
{
	struct cvm_request request = some_request();
	int r;

	snprintf(request.image, sizeof(request.image), "%s", wanted);
	*cvm = (struct cvm){
		.id = ID, .slot = 2, .created_ms = 1, .cpus = 3, .memory = (uint64_t)mib << 20
	};
	r = lifecycle_create(&m->lifecycle, &request, cvm, e);
	cvm_request_done(&request);
	return r;
}

/* What was asked for is launched and recorded, or nothing is. */
static void a_wish_is_launched_as_it_is(void **state)
{
	struct manager m;
	struct cvm cvm, *all;
	char name[IMAGE_NAME_MAX];
	size_t count;
	struct err e;

	fresh_state();
	open_manager(&m);
	assert_refused(create_wished(&m, "torch", 192, &cvm, &e), e, ERR_INVALID,
		       "image: 'torch' is asked for, and this manager launches base ");
	assert_refused(create_wished(&m, "bas", 192, &cvm, &e), e, ERR_INVALID,
		       "MANAGER_IMAGE_DIR");
	m.lifecycle.images.all[0].image->min_memory_mib = 193;
	assert_refused(create_wished(&m, "base", 192, &cvm, &e), e, ERR_INVALID,
		       "memory: 192 MiB, and the image needs 193 or more");
	m.config.state_free = CONFIG_TOTAL_MEMORY_MAX;
	assert_refused(create_wished(&m, "base", 193, &cvm, &e), e, ERR_EXHAUSTED,
		       "host check 'state folder': disk: ");
	m.config.state_free = 0;
	assert_nothing_is_left(&m);
	assert_ok(create_wished(&m, "base", 193, &cvm, &e), e);
	assert_non_null(strstr(started_xml, "<vcpu>3</vcpu>"));
	assert_non_null(strstr(started_xml, "<memory unit=\"KiB\">197632</memory>"));
	assert_ok(registry_list(m.registry, &all, &count, &e), e);
	assert_int_equal(all[0].cpus, 3);
	assert_int_equal(all[0].memory, (uint64_t)193 << 20);
	memcpy(name, all[0].image, sizeof(name));
	free(all);
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	while_started = &m.lifecycle;
	assert_ok(create_wished(&m, name, 256, &cvm, &e), e); /* flavour and digest */
	while_started = NULL;
	assert_int_equal(m.lifecycle.creating, 0);
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	close_manager(&m);
}

static void a_port_that_is_lost_is_replaced(void **state)
{
	struct manager m;
	struct cvm cvm, *all;
	uint16_t port;
	size_t count;
	struct err e;

	fresh_state();
	open_manager(&m);
	forwards_taken = 3;
	assert_ok(create(&m, &cvm, &e), e);
	assert_ok(registry_list(m.registry, &all, &count, &e), e);
	assert_int_equal(all[0].port, cvm.port);
	free(all);
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	forwards_taken = LIFECYCLE_FORWARD_TRIES;
	assert_refused(create(&m, &cvm, &e), e, ERR_EXHAUSTED, "no port");
	forwards_taken = 0;
	assert_nothing_is_left(&m);
	/* The whole range is available again. */
	for (count = 0; ports_take(m.ports, &port, &e) == 0; count++)
		;
	assert_true(count > 190);
	close_manager(&m);
}

static void a_changed_image_is_read_again_or_refused(void **state)
{
	struct manager m;
	struct cvm cvm;
	struct err e;

	fresh_state();
	open_manager(&m);
	put(image, "k", "b");
	assert_refused(create(&m, &cvm, &e), e, ERR_PRECONDITION, "image.json");
	assert_nothing_is_left(&m);
	put(image, "k", "a");
	assert_ok(create(&m, &cvm, &e), e);
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	close_manager(&m);
}

/* The names of `cocos-manager --check`, in whose list is what to do. */
static void a_refusal_for_the_host_s_sake_names_its_check(void **state)
{
	struct manager m;
	struct cvm cvm;
	uint16_t port;
	struct err e;

	fresh_state();
	open_manager(&m);
	fail_at = 1;
	fail_code = ERR_UNAVAILABLE;
	acts = 0;
	assert_refused(create(&m, &cvm, &e), e, ERR_UNAVAILABLE, "host check 'libvirt': ");
	fail_at = 0;
	m.config.wanted = CONFIG_TEE_SNP;
	assert_refused(create(&m, &cvm, &e), e, ERR_PRECONDITION, "host check 'tee': ");
	m.config.wanted = CONFIG_TEE_NONE;
	put(image, "k", "b");
	assert_refused(create(&m, &cvm, &e), e, ERR_PRECONDITION, "host check 'image': ");
	put(image, "k", "a");
	while (ports_take(m.ports, &port, &e) == 0)
		;
	assert_refused(create(&m, &cvm, &e), e, ERR_EXHAUSTED, "host check 'ports': ");
	assert_nothing_is_left(&m);
	close_manager(&m);
}

static void last_words(void **state)
{
	static const struct {
		const char *console, *words;
	} rows[] = {
		{ "", "" },
		{ "\r\n", "" },
		{ "one", "one" },
		{ "one\r\ntwo\r\n", "two" },
		{ "one\n\n\ntwo  \n\n", "two" },
	};
	struct manager m;
	struct cvm cvm;
	char path[300], words[64];
	struct err e;

	fresh_state();
	open_manager(&m);
	assert_ok(create(&m, &cvm, &e), e);
	lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
	assert_string_equal(words, "");
	snprintf(path, sizeof(path), "%s/cvms/" ID, state_dir);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(path, "console.log", rows[i].console);
		lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
		assert_string_equal(words, rows[i].words);
	}
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	close_manager(&m);
}

/* What a hostile guest leaves on its console: any bytes, as they go to the log. */
static void hostile_last_words(void **state)
{
	static const struct {
		const char *console;
		size_t len;
		const char *logged; /* quoted */
	} rows[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("one\ntwo\0\0\0"), "'two'" },
		{ BYTES("one\ntwo\0three"), "'two three'" },
		{ BYTES("\0\n\0\n"), "''" },
		{ BYTES("\n\0hidden"), "' hidden'" },
		{ BYTES("\033[2J\033]0;title\007"), "'\\x1b[2J\\x1b]0;title\\x07'" },
		{ BYTES("a\x9b"
			"6n\xc2\x9b"
			"6n"),
		  "'a\\x9b6n\\xc2\\x9b6n'" },
		{ BYTES("\xe2\x80\xae"
			"back"),
		  "'\\xe2\\x80\\xaeback'" },
		{ BYTES("half a character \xe2\x80"), "'half a character \\xe2\\x80'" },
		{ BYTES("one\rtwo"), "'one\\x0dtwo'" },
		{ BYTES("it's \\ %s%n"), "\"it's \\x5c %s%n\"" },
#undef BYTES
	};
	struct manager m;
	struct cvm cvm;
	char folder[300], path[320], words[64], elsewhere[320];
	struct err e;
	int fd;

	fresh_state();
	open_manager(&m);
	assert_ok(create(&m, &cvm, &e), e);
	snprintf(folder, sizeof(folder), "%s/cvms/" ID, state_dir);
	snprintf(path, sizeof(path), "%s/console.log", folder);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(file_write(path, rows[i].console, rows[i].len, 0600, &e), e);
		lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
		assert_string_equal(log_quote(words).text, rows[i].logged);
	}
	/* Nobody could read such a file from its beginning. */
	for (off_t size = 1; size <= (off_t)1 << 40; size *= 2) {
		fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_true(fd >= 0 && ftruncate(fd, size) == 0);
		assert_int_equal(pwrite(fd, "\nthe end", 8, size), 8);
		close(fd);
		lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
		assert_string_equal(words, "the end");
	}
	/* A line without an end. */
	char line[5000];

	memset(line, 'x', sizeof(line));
	for (size_t len = sizeof(words) - 2; len < sizeof(line); len++) {
		assert_ok(file_write(path, line, len, 0600, &e), e);
		lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
		assert_int_equal(strlen(words), len < sizeof(words) ? len : sizeof(words) - 1);
	}
	/* What is no file is not waited for and not followed. */
	put(folder, "other", "another's");
	snprintf(elsewhere, sizeof(elsewhere), "%s/other", folder);
	for (int kind = 0; kind < 4; kind++) {
		assert_int_equal(unlink(path), 0);
		if (kind == 0)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (kind == 1)
			assert_int_equal(symlink(elsewhere, path), 0);
		else if (kind == 2)
			assert_int_equal(symlink("/dev/zero", path), 0);
		else
			assert_int_equal(mkdir(path, 0700), 0);
		lifecycle_last_words(&m.lifecycle, &cvm, words, sizeof(words));
		assert_string_equal(words, "");
	}
	assert_ok(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e);
	close_manager(&m);
}

/* ---- hosts that go to another manager ---- */

#define URI "qemu+unix:///system?socket=/o"

/* It holds the one host, whose libvirt is ours as in all of these tests. */
static void open_beside_others(struct manager *m, const char *tee)
{
	struct registry_wish wish = { .host = "other", .uri = URI, .wanted = true };
	static char hosts[sizeof(top) + 16];
	struct registry_round found;
	char line[128];
	struct err e;

	fresh_state();
	snprintf(line, sizeof(line), "host other " URI " address=127.0.0.2 tees=%s\n", tee);
	put(top, "hosts", line);
	snprintf(hosts, sizeof(hosts), "%s/hosts", top);
	open_manager_with(m, hosts);
	m->hosts.all[0]->is_local = true;
	assert_ok(registry_lease_round(m->registry, &wish, 1, &found, &e), e);
	assert_true(wish.held);
	registry_round_done(&found);
	loses = m->registry;
}

/* What the next manager would clean up. */
static void close_beside_others(struct manager *m)
{
	char path[256];
	struct err e;

	lose_at = 0;
	close_manager(m);
	domain_path(path, sizeof(path), ID);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" ID, secrets);
	assert_ok(dir_remove(path, &e), e);
}

/* Between a step that was recorded and the act itself. */
static void who_loses_the_host_begins_nothing_more_there(void **state)
{
	bool was_lost = true;

	for (int at = 2; was_lost; at += 2) {
		struct manager m;
		struct cvm cvm;
		char cvms[200];
		struct err e;
		int r;

		open_beside_others(&m, "none");
		told_libvirt = told_before = 0;
		lose_at = at;
		r = create(&m, &cvm, &e);
		was_lost = point >= at;
		if (r < 0)
			assert_int_equal(e.code, ERR_UNAVAILABLE);
		if (was_lost)
			assert_int_equal(told_libvirt, told_before);
		else
			assert_int_equal(r, 0);
		snprintf(cvms, sizeof(cvms), "%s/cvms", state_dir);
		if (at == 2) /* nothing but the record is there */
			assert_int_equal(entries_in(cvms), 0);
		close_beside_others(&m);
	}
}

static void nor_does_it_end_anything_there(void **state)
{
	for (int at = 2; at <= 6; at += 2) {
		struct manager m;
		struct cvm cvm;
		struct err e;

		open_beside_others(&m, "none");
		assert_ok(create(&m, &cvm, &e), e);
		point = 0;
		told_libvirt = 0;
		lose_at = at; /* the step, the end, the next step */
		assert_refused(lifecycle_remove(&m.lifecycle, &cvm, false, &e), e, ERR_UNAVAILABLE,
			       "does not hold host other");
		assert_int_equal(told_libvirt, at == 2 ? 0 : 1);
		assert_int_equal(entries_in(domains), at == 2 ? 1 : 0);
		assert_int_equal(entries_in(secrets), 1);
		close_beside_others(&m);
	}
}

/* Whatever libvirt there offers by now: the table says what may protect CVMs. */
static void what_the_table_does_not_list_is_not_launched(void **state)
{
	struct manager m;
	struct cvm cvm;
	struct err e;

	open_beside_others(&m, "snp,tdx");
	assert_refused(create(&m, &cvm, &e), e, ERR_PRECONDITION,
		       "MANAGER_HOSTS does not list tee none");
	assert_nothing_is_left(&m);
	close_beside_others(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cvm_is_made_as_recorded_and_removed_without_a_trace),
		cmocka_unit_test(an_older_image_gets_its_shares),
		cmocka_unit_test(a_boot_disk_is_never_made_again),
		cmocka_unit_test(the_weakening_word_is_on_the_command_line_only_if_told),
		cmocka_unit_test(killed_at_any_point_a_successor_cleans_up),
		cmocka_unit_test(killed_again_while_cleaning_up),
		cmocka_unit_test(who_loses_the_host_begins_nothing_more_there),
		cmocka_unit_test(nor_does_it_end_anything_there),
		cmocka_unit_test(what_the_table_does_not_list_is_not_launched),
		cmocka_unit_test(any_act_that_fails_once_is_undone),
		cmocka_unit_test(an_answer_that_gets_lost_leaves_nothing),
		cmocka_unit_test(a_removal_that_fails_can_be_repeated),
		cmocka_unit_test(an_end_that_is_insisted_on_is_recorded_without_libvirt),
		cmocka_unit_test(a_wish_is_launched_as_it_is),
		cmocka_unit_test(a_port_that_is_lost_is_replaced),
		cmocka_unit_test(a_changed_image_is_read_again_or_refused),
		cmocka_unit_test(a_refusal_for_the_host_s_sake_names_its_check),
		cmocka_unit_test(last_words),
		cmocka_unit_test(hostile_last_words),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
