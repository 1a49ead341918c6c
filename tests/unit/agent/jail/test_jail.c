/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an algorithm can do and can't, tried by one that means harm (attacker.c). The jail's
 * process is this program again.
 */
#include "agent/core/separation.h"
#include "agent/jail/jail.h"
#include "agent/jail/jail_group.h"
#include "agent/jail/jail_landlock.h"
#include "agent/jail/jail_limits.h"
#include "agent/jail/runner_files.h"
#include "agent/process/users.h"
#include "common/base/file.h"
#include "common/bundle/bundle.h"
#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <uv.h>

struct world {
	char top[64], datasets[96], secret[96];
	uv_loop_t loop;
	struct jail *jail;
	struct jail_exit exit;
	int exits, results;
	size_t lines[3]; /* by stream */
	size_t longest;
	char text[65536]; /* all lines, each behind its stream's number */
	size_t len;
	const char *stop_at; /* stop when a line says this */
};

static char attacker[] = "/tmp/test-jail-attacker-XXXXXX";

static int enter(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	snprintf(w->top, sizeof(w->top), "/tmp/test-jail-XXXXXX");
	if (!mkdtemp(w->top) || uv_loop_init(&w->loop) < 0)
		return -1;
	snprintf(w->datasets, sizeof(w->datasets), "%s/datasets", w->top);
	snprintf(w->secret, sizeof(w->secret), "%s/secret", w->top);
	mkdir(w->datasets, 0755);
	if (file_write(w->secret, "s3cret", 6, 0644, &e) < 0)
		return -1;
	char path[128];
	snprintf(path, sizeof(path), "%s/iris.csv", w->datasets);
	if (file_write(path, "5.1,3.5\n", 8, 0644, &e) < 0)
		return -1;
	w->results = -1;
	*state = w;
	return 0;
}

static int leave(void **state)
{
	struct world *w = *state;
	struct err e;

	if (w->results >= 0)
		close(w->results);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop);
	if (dir_remove(w->top, &e) < 0)
		result = -1;
	free(w);
	return result;
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	struct world *w = data;

	assert_true(stream == 1 || stream == 2);
	w->lines[stream]++;
	w->longest = len > w->longest ? len : w->longest;
	if (w->len + len + 3 < sizeof(w->text)) {
		w->text[w->len++] = (char)('0' + stream);
		memcpy(w->text + w->len, text, len);
		w->len += len;
		w->text[w->len++] = '\n';
	}
	if (w->stop_at && strstr(w->text, w->stop_at)) {
		w->stop_at = NULL;
		jail_stop(w->jail);
	}
}

static void on_exit_(void *data, const struct jail_exit *exit, int results)
{
	struct world *w = data;

	w->exits++;
	w->exit = *exit;
	w->results = results;
}

static const char *const plain_env[] = { "PATH=/usr/bin", "HOME=/tmp", NULL };

static void start(struct world *w, const struct jail_spec *spec)
{
	const struct jail_callbacks callbacks = { .on_line = on_line,
						  .on_exit = on_exit_,
						  .data = w };
	struct err e;

	if (w->results >= 0)
		close(w->results);
	w->results = -1;
	w->exits = 0;
	w->len = w->longest = w->lines[1] = w->lines[2] = 0;
	memset(w->text, 0, sizeof(w->text));
	assert_ok(jail_start(&w->loop, spec, &callbacks, &w->jail, &e), e);
}

static void finish(struct world *w)
{
	while (w->exits == 0)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(w->exits, 1);
	jail_free(w->jail);
	w->jail = NULL;
}

static const struct jail_limits small = {
	.memory = 512 << 20, .pids = 64, .results = 4 << 20, .result_files = 100, .scratch = 4 << 20
};

/* The attacker in mode argv[1]; NULL ends the arguments. */
static void attack_within(struct world *w, const struct jail_limits *limits,
			  const char *const *argv)
{
	const struct jail_mount mounts[] = {
		{ w->datasets, "/task/datasets", JAIL_READ, false },
		{ attacker, "/task/algorithm", JAIL_READ, true },
	};
	const struct jail_spec spec = { .argv = argv,
					.env = plain_env,
					.mounts = mounts,
					.mount_count = 2,
					.limits = *limits };

	start(w, &spec);
	finish(w);
}

static void attack(struct world *w, const char *const *argv)
{
	attack_within(w, &small, argv);
}

#define ATTACK(w, ...) attack(w, (const char *const[]){ "/task/algorithm", __VA_ARGS__, NULL })

static void says(const struct world *w, const char *words)
{
	if (!strstr(w->text, words))
		fail_msg("'%s' is not in:\n%s(%s)", words, w->text, w->exit.cause);
}

static void says_not(const struct world *w, const char *words)
{
	if (strstr(w->text, words))
		fail_msg("'%s' is in:\n%s", words, w->text);
}

static void ended(const struct world *w, bool ok, const char *cause)
{
	if (w->exit.ok != ok || !strstr(w->exit.cause, cause))
		fail_msg("ended %s with '%s'\n%s", w->exit.ok ? "well" : "badly", w->exit.cause,
			 w->text);
}

static void a_program_runs_as_nobody_with_its_arguments(void **state)
{
	struct world *w = *state;

	ATTACK(w, "hello", "one", "", "three words here");
	ended(w, true, "finished");
	says(w, "1out [one] [] [three words here]\n");
	says(w, "2err\n");
	says(w, "1uid 65534 gid 65534 pid 2 cwd /task\n");
	assert_true(w->exit.started);
	assert_int_equal(w->exit.code, 0);
}

static void it_has_no_right_at_all(void **state)
{
	struct world *w = *state;

	ATTACK(w, "status");
	says(w, "CapInh:\t0000000000000000");
	says(w, "CapPrm:\t0000000000000000");
	says(w, "CapEff:\t0000000000000000");
	says(w, "CapBnd:\t0000000000000000");
	says(w, "CapAmb:\t0000000000000000");
	says(w, "NoNewPrivs:\t1");
	says(w, "Seccomp:\t2");
}

/* A file that a group of ours may read, it may not. Only root can leave groups, or have others than its own. */
static void it_is_in_none_of_our_groups(void **state)
{
	static const gid_t ours[] = { 4711, 4712 };
	struct world *w = *state;
	gid_t before[64];
	int count = getgroups(ARRAY_LEN(before), before);

	if (count < 0 || setgroups(ARRAY_LEN(ours), ours) < 0)
		return;
	ATTACK(w, "status");
	assert_int_equal(setgroups((size_t)count, before), 0);
	says(w, "1Groups:\t \n");
}

/* The options of what is mounted there: those of the place itself, not of the file system. */
static void mount_has(const struct world *w, const char *place, const char *const *options)
{
	char text[sizeof(w->text)], *rest = text, *line, at[128], found[128], words[132];

	memcpy(text, w->text, sizeof(text));
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%*s %*s %*s %*s %127s %127s", at, found) != 2 ||
		    strcmp(at, place) != 0)
			continue;
		snprintf(words, sizeof(words), ",%s,", found);
		for (; *options; options++) {
			char option[32];

			snprintf(option, sizeof(option), ",%s,", *options);
			if (!strstr(words, option))
				fail_msg("%s is not %s: %s", place, *options, found);
		}
		return;
	}
	fail_msg("nothing is mounted at %s", place);
}

/* Landlock, and whose files they are, would hide that one is missing. */
static void each_mount_has_its_options(void **state)
{
	static const char *const argv[] = { "/usr/bin/cat", "/proc/self/mountinfo", NULL };
	static const char *const look[] = { "ro", "nosuid", "nodev", NULL };
	static const char *const data[] = { "ro", "nosuid", "nodev", "noexec", NULL };
	static const char *const own[] = { "nosuid", "nodev", NULL };
	static const char *const written[] = { "nosuid", "nodev", "noexec", NULL };
	static const char *const device[] = { "nosuid", "noexec", NULL };
	const struct {
		const char *place, *const *options;
	} rows[] = {
		{ "/", look },
		{ "/usr", look },
		{ "/task/algorithm", look },
		{ "/proc", data },
		{ "/task/datasets", data },
		{ "/task/written", written },
		{ "/tmp", own },
		{ "/task", own },
		{ "/home", own },
		{ "/dev/shm", written },
		{ "/task/results", written },
		{ "/dev/null", device },
		{ "/dev/zero", device },
		{ "/dev/full", device },
		{ "/dev/random", device },
		{ "/dev/urandom", device },
	};
	struct world *w = *state;
	const struct jail_mount mounts[] = { { w->datasets, "/task/datasets", JAIL_READ, false },
					     { attacker, "/task/algorithm", JAIL_READ, true },
					     { w->datasets, "/task/written", JAIL_WRITE, false } };
	const struct jail_spec spec = { .argv = argv,
					.env = plain_env,
					.mounts = mounts,
					.mount_count = ARRAY_LEN(mounts),
					.limits = small };

	start(w, &spec);
	finish(w);
	ended(w, true, "finished");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		mount_has(w, rows[i].place, rows[i].options);
	/* The old root would be below. */
	assert_null(strstr(strstr(w->text, " / / ") + 1, " / / "));
}

/* The most of it that there may be; a group that holds some of it, too, would hide that one is missing. */
static void limit_is(const struct world *w, const char *what, uint64_t most)
{
	const char *line = strstr(w->text, what);
	unsigned long long soft, hard;

	if (!line || sscanf(line + strlen(what), "%llu %llu", &soft, &hard) != 2)
		fail_msg("no limit of %s in:\n%s", what, w->text);
	else if (soft > most || hard > most)
		fail_msg("%s: %llu, %llu", what, soft, hard);
}

static void each_limit_is_set(void **state)
{
	static const char *const argv[] = { "/usr/bin/cat", "/proc/self/limits", NULL };
	struct world *w = *state;
	struct jail_limits limits = small;
	const struct jail_spec spec = { .argv = argv, .env = plain_env, .limits = limits };

	start(w, &spec);
	finish(w);
	ended(w, true, "finished");
	limit_is(w, "Max file size ", limits.results + (1 << 20));
	limit_is(w, "Max stack size ", 8 << 20);
	limit_is(w, "Max core file size ", 1);
	limit_is(w, "Max processes ", limits.pids);
	limit_is(w, "Max open files ", 1024);
	limit_is(w, "Max locked memory ", 1 << 20);
	limit_is(w, "Max pending signals ", 4096);
	limit_is(w, "Max msgqueue size ", 0);
}

/* On the loopback interface, at a port that the kernel chooses. */
static int listen_somewhere(char port[8])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(port, 8, "%u", ntohs(at.sin_port));
	return fd;
}

static void with_the_network_it_connects_and_serves_nobody(void **state)
{
	struct world *w = *state;
	const struct jail_mount mounts[] = { { attacker, "/task/algorithm", JAIL_READ, true } };
	char port[8];
	const char *const argv[] = { "/task/algorithm", "serve", port, NULL };
	const struct jail_spec spec = { .argv = argv,
					.env = plain_env,
					.mounts = mounts,
					.mount_count = 1,
					.network = true,
					.limits = small };
	int fd = listen_somewhere(port);

	start(w, &spec);
	finish(w);
	close(fd);
	ended(w, true, "finished");
	says(w, "bind tcp: Operation not permitted");
	says(w, "bind udp: Operation not permitted");
	says(w, "listen: Operation not permitted");
	says(w, "connect: worked");
}

/* Behind the filter there is another fence, where the kernel has it. */
static void landlock_alone_leaves_connections_only(void **state)
{
	static const char *const nothing[] = { NULL };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   server = at;
	char port[8];
	int status, fd = listen_somewhere(port);
	struct err e;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4)
		skip();
	server.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	pid_t pid = fork();
	if (pid == 0) {
		int bound = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    jail_landlock_restrict(nothing, true, &e) < 0)
			_exit(1);
		if (bind(bound, (struct sockaddr *)&at, sizeof(at)) == 0 || errno != EACCES)
			_exit(2);
		_exit(connect(out, (struct sockaddr *)&server, sizeof(server)) < 0 ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	assert_int_equal(status, 0);
}

static void every_forbidden_call_is_refused_by_the_filter(void **state)
{
	struct world *w = *state;

	ATTACK(w, "calls");
	ended(w, true, "finished");
	says(w, "1tried ");
	says_not(w, "worked:");
	says_not(w, "not by the filter:");
}

static void other_gates_to_the_kernel_are_closed(void **state)
{
	struct world *w = *state;

	ATTACK(w, "gates");
	says(w, "int80: killed");
	says(w, "x32: refused");
}

static void it_sees_what_it_was_given_and_nothing_else(void **state)
{
	struct world *w = *state;
	char up[128];

	snprintf(up, sizeof(up), "/task/datasets/../../%s", w->secret);
	ATTACK(w, "look", w->secret, up, w->top, "/etc/shadow", "/etc/cocos", "/etc/certs", "/root",
	       "/layers", "/sys", "/var", "/run", "/boot", "/dev/mem", "/dev/kmsg", "/dev/tpm0",
	       "/dev/tpmrm0", "/dev/sev-guest", "/dev/vda", "/proc/1/environ", "/proc/1/mem",
	       "/proc/1/fd", "/proc/1/root", "/proc/1/cwd", "/proc/kcore", "/proc/kmsg",
	       "/proc/sys/kernel/core_pattern", "/proc/cmdline", "/proc/self/../1/maps");
	ended(w, true, "finished");
	says_not(w, "opened");
}

static void the_root_holds_few_things(void **state)
{
	struct world *w = *state;

	ATTACK(w, "list", "/dev", "/task", "/task/datasets", "/proc", "/home");
	says(w, "/home:\n"); /* nobody's but the run's */
	says(w, "/task/datasets: iris.csv\n");
	says_not(w, "sda");
	says_not(w, " tty");
	says_not(w, "sys");
	says_not(w, " 1 "); /* pid 1 */
	ATTACK(w, "look", "/task/datasets/iris.csv", "/dev/null", "/dev/urandom", "/usr/bin");
	says(w, "iris.csv: opened");
	says(w, "null: opened");
	says(w, "urandom: opened");
	says(w, "/usr/bin: opened");
}

static void it_writes_only_where_it_may(void **state)
{
	struct world *w = *state;

	ATTACK(w, "scribble", "datasets/iris.csv", "datasets/new", "/usr/bin/x", "/etc/passwd",
	       "/new", "/task/algorithm", "/proc/self/oom_score_adj", "/proc/sys/kernel/hostname",
	       "/dev/new");
	says_not(w, "written");
	ATTACK(w, "scribble", "results/a", "/tmp/a", "/task/a", "/dev/null", "/dev/shm/a");
	says(w, "results/a: written");
	says(w, "/tmp/a: written");
	says(w, "/task/a: written");
	says(w, "/dev/null: written");
	says(w, "/dev/shm/a: written");
}

static void it_inherits_nothing_of_ours(void **state)
{
	struct world *w = *state;
	int leak = open(w->secret, O_RDONLY); /* not close-on-exec */

	setenv("SECRET_OF_THE_AGENT", "s3cret", 1);
	ATTACK(w, "descriptors");
	says(w, "open: 0\n1open: 1\n1open: 2\n");
	assert_int_equal(w->lines[1], 3);
	ATTACK(w, "environment");
	says_not(w, "s3cret");
	says(w, "HOME=/tmp");
	close(leak);
}

static void results_outlive_the_run(void **state)
{
	struct world *w = *state;
	char text[16] = "";

	ATTACK(w, "results");
	ended(w, true, "finished");
	assert_true(w->results >= 0);
	CLEANUP(close) int fd = openat(w->results, "sub/model", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 7);
	assert_string_equal(text, "trained");
	uint8_t digest_[BUNDLE_DIGEST_LEN];
	struct err e;
	assert_ok(bundle_digest(w->results, NULL, digest_, &e), e);
}

static void a_link_in_results_leads_nowhere(void **state)
{
	struct world *w = *state;
	uint8_t digest_[BUNDLE_DIGEST_LEN];
	struct err e;

	ATTACK(w, "result-link");
	ended(w, true, "finished");
	assert_refused(bundle_digest(w->results, NULL, digest_, &e), e, ERR_INVALID, "'link'");
}

static void results_that_only_look_large_stay_small(void **state)
{
	struct world *w = *state;
	uint8_t digest_[BUNDLE_DIGEST_LEN];
	struct err e;

	ATTACK(w, "inflated");
	ended(w, true, "finished");
	assert_refused(bundle_digest(w->results, NULL, digest_, &e), e, ERR_EXHAUSTED,
		       "in a file system of 4194304");
}

static void how_it_ends_is_told(void **state)
{
	struct world *w = *state;

	ATTACK(w, "exit", "3");
	ended(w, false, "exit code 3");
	assert_int_equal(w->exit.code, 3);
	ATTACK(w, "segfault");
	ended(w, false, "killed by signal 11 (Segmentation fault)");
	assert_int_equal(w->exit.signal, SIGSEGV);
	assert_int_equal(w->exit.code, -1);
}

static void what_is_no_program_is_told(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "/task/datasets/iris.csv", NULL };
	const char *const missing[] = { "/task/none", NULL };

	attack(w, argv);
	ended(w, false, "cannot execute /task/datasets/iris.csv");
	assert_false(w->exit.started);
	assert_int_equal(w->results, -1);
	attack(w, missing);
	ended(w, false, "cannot execute /task/none: No such file");
}

static void a_fork_bomb_is_bounded(void **state)
{
	struct world *w = *state;
	int forked = 0;

	ATTACK(w, "fork-bomb");
	const char *said = strstr(w->text, "forked ");
	assert_non_null(said);
	forked = atoi(said + 7);
	assert_in_range(forked, 1, small.pids);
	ended(w, true, "finished"); /* and all the children are gone, or we would still wait */
}

static void a_memory_bomb_is_bounded(void **state)
{
	struct world *w = *state;

	ATTACK(w, "memory-bomb");
	assert_true(w->exit.started);
	assert_false(w->exit.ok);
	says_not(w, "ate it all");
}

static void memory_is_counted_over_all_processes(void **state)
{
	struct world *w = *state;

	ATTACK(w, "memory-shared-out");
	ended(w, false, "out of memory (limit 512 MiB)");
	says_not(w, "ate it all");
}

static void memory_of_sockets_is_counted(void **state)
{
	struct world *w = *state;
	struct jail_limits limits = small;

	limits.memory = 64 << 20;
	attack_within(w, &limits, (const char *const[]){ "/task/algorithm", "socket-bomb", NULL });
	ended(w, false, "out of memory (limit 64 MiB)");
}

/* Only the outcome: how much longer it ran is the machine's affair. */
static void what_runs_longer_than_its_time_is_killed(void **state)
{
	struct world *w = *state;
	struct jail_limits limits = small;

	limits.time = 1500;
	attack_within(w, &limits, (const char *const[]){ "/task/algorithm", "deaf", NULL });
	ended(w, false, "ran longer than AGENT_RUN_TIME=1500ms");
	assert_true(w->exit.late);
	limits.time = 366ULL * 24 * 3600 * 1000;
	attack_within(w, &limits, (const char *const[]){ "/task/algorithm", "exit", "0", NULL });
	ended(w, true, "finished");
	assert_false(w->exit.late);
}

/* A folder with the files of a group: what is written there is what the kernel would be told. */
static void a_groups_limits_are_written_or_it_is_none(void **state)
{
	static const char *const files[] = { "memory.max", "pids.max", "memory.oom.group" };
	struct world *w = *state;
	struct jail_limits limits = small;
	char path[128], *text;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->datasets, files[i]);
		assert_ok(file_write(path, "", 0, 0644, &e), e);
	}
	int dir = open(w->datasets, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	assert_true(jail_group_set_up(dir, &limits));
	limits.processor = 150;
	assert_false(jail_group_set_up(dir, &limits)); /* no cpu.max: it could not hold that */
	snprintf(path, sizeof(path), "%s/cpu.max", w->datasets);
	assert_ok(file_write(path, "", 0, 0644, &e), e);
	assert_true(jail_group_set_up(dir, &limits));
	close(dir);
	assert_ok(file_read_text(path, 100, &text, &e), e);
	assert_string_equal(text, "150000 100000");
	free(text);
}

static void without_a_group_less_is_allowed(void **state)
{
	struct jail_limits limits = { .files = 1024 };
	struct err e;

	assert_ok(jail_limits_ungrouped(false, 0, &limits, &e), e);
	assert_int_equal(limits.files, JAIL_UNGROUPED_FILES);
	limits.files = 16;
	assert_ok(jail_limits_ungrouped(false, 0, &limits, &e), e);
	assert_int_equal(limits.files, 16);
	assert_refused(jail_limits_ungrouped(true, 0, &limits, &e), e, ERR_UNAVAILABLE,
		       "nothing is run without one");
	limits.processor = 50;
	assert_refused(jail_limits_ungrouped(false, 0, &limits, &e), e, ERR_UNAVAILABLE,
		       "AGENT_RUN_PROCESSOR=50");
}

static void results_and_scratch_are_bounded(void **state)
{
	struct world *w = *state;

	ATTACK(w, "fill");
	says(w, "filled 4194304: No space left");
	ATTACK(w, "many-files");
	says(w, "made 100: No space left");
	ATTACK(w, "fill", "/tmp/big");
	says(w, "filled 4194304: No space left");
}

/* ---- layers ---- */

static void fill_datasets(const struct world *w)
{
	static const char *const folders[] = { "sub", "other" }, *const files[] = { "sub/a",
										    "sub/b",
										    "other/c" };
	char path[160];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->datasets, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->datasets, files[i]);
		assert_ok(file_write(path, "row\n", 4, 0600, &e), e);
	}
	assert_ok(runner_files_give_tree(w->datasets, &e), e);
}

static void digest_of_datasets(const struct world *w, uint8_t digest_[BUNDLE_DIGEST_LEN])
{
	CLEANUP(close) int dir = open(w->datasets, O_RDONLY | O_DIRECTORY);
	struct err e;

	assert_ok(bundle_digest(dir, NULL, digest_, &e), e);
}

static void attack_layer_of(struct world *w, const char *source, bool strict,
			    const char *const *argv)
{
	const struct jail_mount mounts[] = {
		{ source, "/task/datasets", JAIL_LAYER, false },
		{ attacker, "/task/algorithm", JAIL_READ, true },
	};
	const struct jail_spec spec = { .argv = argv,
					.env = plain_env,
					.mounts = mounts,
					.mount_count = 2,
					.strict = strict,
					.limits = small };

	start(w, &spec);
	finish(w);
}

/* Whatever it did: the files are as before, and the next run finds them so. */
static void attack_layer(struct world *w, const char *const *argv)
{
	uint8_t before[BUNDLE_DIGEST_LEN], after[BUNDLE_DIGEST_LEN];

	digest_of_datasets(w, before);
	attack_layer_of(w, w->datasets, false, argv);
	digest_of_datasets(w, after);
	assert_memory_equal(before, after, sizeof(before));
}

#define ATTACK_LAYER(w, ...) \
	attack_layer(w, (const char *const[]){ "/task/algorithm", __VA_ARGS__, NULL })

static bool kernel_layers(struct world *w)
{
	ATTACK_LAYER(w, "scribble", "datasets/new");
	return strstr(w->text, "datasets/new: written") != NULL;
}

static void what_is_written_beside_the_data_is_gone_with_the_run(void **state)
{
	struct world *w = *state;

	fill_datasets(w);
	if (!kernel_layers(w))
		skip();
	/* twice: nothing of the first is there */
	for (int i = 0; i < 2; i++) {
		ATTACK_LAYER(w, "list", "/task/datasets", "/task/datasets/sub");
		says(w, "/task/datasets: ");
		says_not(w, "new");
		ATTACK_LAYER(w, "change");
		ended(w, true, "finished");
		says(w, "1truncate: worked\n1append: worked\n1chmod: worked\n1new file: worked\n"
			"1new folder: worked\n1move: worked\n1unlink: worked\n"
			"1read what is gone: No such file or directory\n"
			"1remove folder: worked\n1make it anew: worked\n"
			"1old file in it: No such file or directory\n"
			"1link: worked\n1symlink: worked\n1folder moved: worked\n"
			"1lower folder moved: Invalid cross-device link\n"
			"1link out of the layer: Invalid cross-device link\n"
			"1move out of the layer: Invalid cross-device link\n");
	}
	ATTACK_LAYER(w, "print", "datasets/iris.csv");
	says(w, "5.1,3.5");
}

static void a_layer_leads_nowhere(void **state)
{
	struct world *w = *state;

	fill_datasets(w);
	if (!kernel_layers(w))
		skip();
	ATTACK_LAYER(w, "harm-layer");
	ended(w, true, "finished");
	says_not(w, "mark: worked");
	says_not(w, "whiteout: worked");
	says_not(w, "whiteout over a file: worked");
	says_not(w, "device: worked");
	says_not(w, "mounts: worked");
	says_not(w, "off with it: worked");
	says_not(w, "hidden folder: worked");
	says_not(w, "through links: worked");
	says(w, "setuid: worked"); /* which counts for nothing: */
	ATTACK_LAYER(w, "hello");
	ended(w, true, "finished");
}

static void a_layer_and_the_working_folder_share_the_scratch(void **state)
{
	struct world *w = *state;

	fill_datasets(w);
	if (!kernel_layers(w))
		skip();
	ATTACK_LAYER(w, "fill-both", "datasets/big", "/task/big", "/home/big", "/tmp/big",
		     "results/big");
	ended(w, true, "finished");
	says(w, "1filled 4194304: No space left on device\n"
		"1filled 0: No space left on device\n1filled 0: No space left on device\n"
		"1filled 4194304: No space left on device\n"
		"1filled 4194304: No space left on device\n");
	/* a file of the uploads that does not fit, either */
	char path[160];
	snprintf(path, sizeof(path), "%s/large", w->datasets);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT, 0644);
	struct err e;
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	assert_int_equal(pwrite(fd, w->text, sizeof(w->text), 0), sizeof(w->text));
	for (off_t at = 0; at < 8 << 20; at += (off_t)sizeof(w->text))
		assert_int_equal(pwrite(fd, w->text, sizeof(w->text), at), sizeof(w->text));
	assert_ok(runner_files_give_tree(w->datasets, &e), e);
	ATTACK_LAYER(w, "scribble", "datasets/large", "datasets/small");
	says(w, "datasets/large: No space left on device\n1datasets/small: written\n");
}

/* The kernel puts nothing over its own tables: for our purpose a kernel that can't at all. */
static void where_no_layer_can_be_made_folders_are_read_only_or_nothing_runs(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "/task/algorithm", "scribble", "datasets/new", "/task/new",
				     NULL };

	attack_layer_of(w, "/proc/sys/kernel/random", false, argv);
	ended(w, true, "finished");
	says_not(w, "datasets/new: written");
	says(w, "1/task/new: written\n");
	attack_layer_of(w, "/proc/sys/kernel/random", true, argv);
	assert_false(w->exit.started);
	/* where there are no control groups that is said first */
	if (!strstr(w->exit.cause, "control group"))
		ended(w, false, "no layer can be made here");
}

static void a_long_line_is_cut(void **state)
{
	struct world *w = *state;

	ATTACK(w, "long-line");
	ended(w, true, "finished");
	assert_true(w->longest <= JAIL_LINE_MAX);
	says(w, "xxx…\n1after\n");
}

static void a_flood_is_thinned_out_and_can_be_stopped(void **state)
{
	struct world *w = *state;

	w->stop_at = "lines dropped";
	ATTACK(w, "flood");
	ended(w, false, "stopped");
	assert_true(w->exit.stopped);
	says(w, "lines dropped: more than 500 in a second");
	assert_in_range(w->lines[1], JAIL_LINES_PER_SECOND, 2 * JAIL_LINES_PER_SECOND + 2);
}

static void what_it_leaves_behind_dies_with_it(void **state)
{
	struct world *w = *state;

	ATTACK(w, "daemon"); /* holds the pipes: the end would never come */
	ended(w, true, "finished");
	says(w, "left");
}

static void stop_kills_what_ignores_signals(void **state)
{
	struct world *w = *state;

	w->stop_at = "deaf";
	ATTACK(w, "deaf");
	ended(w, false, "stopped");
	assert_true(w->results >= 0 || !w->exit.started);
}

static void pid_1_and_outside_are_out_of_reach(void **state)
{
	struct world *w = *state;

	ATTACK(w, "kill-1");
	ended(w, false, "exit code 3");
	says(w, "still here");
	ATTACK(w, "kill-all");
	says(w, "reached 0");
}

static void many_stops_before_it_has_begun(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "/task/algorithm", "sleep", NULL };
	const struct jail_mount mount = { attacker, "/task/algorithm", JAIL_READ, true };
	const struct jail_spec spec = {
		.argv = argv, .env = plain_env, .mounts = &mount, .mount_count = 1, .limits = small
	};

	start(w, &spec);
	jail_stop(w->jail);
	jail_stop(w->jail);
	finish(w);
	ended(w, false, "stopped");

	/* freed while it runs: no callback, and nothing is left on the loop */
	start(w, &spec);
	jail_free(w->jail);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->exits, 0);
}

/* Processes anywhere on the machine that have `word` among their arguments. */
static size_t processes_with(const char *word)
{
	DIR *proc = opendir("/proc");
	const struct dirent *item;
	size_t count = 0;

	while ((item = readdir(proc))) {
		char path[300], arguments[1024];

		snprintf(path, sizeof(path), "/proc/%s/cmdline", item->d_name);
		CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, arguments, sizeof(arguments));
		if (n > 0 && memmem(arguments, (size_t)n, word, strlen(word)))
			count++;
	}
	closedir(proc);
	return count;
}

/* The agent is killed while a run is on: nothing of the run survives it. */
static void a_killed_agent_takes_the_run_with_it(void **state)
{
	struct world *w = *state;
	int pipe_[2];
	char byte;

	assert_int_equal(pipe(pipe_), 0);
	pid_t agent = fork();
	if (agent == 0) {
		const char *const argv[] = { "/task/algorithm", "sleep", w->top, NULL };
		const struct jail_mount mount = { attacker, "/task/algorithm", JAIL_READ, true };
		const struct jail_spec spec = { .argv = argv,
						.env = plain_env,
						.mounts = &mount,
						.mount_count = 1,
						.limits = small };
		uv_loop_t loop;
		struct world *own = calloc(1, sizeof(*own));
		const struct jail_callbacks callbacks = { .on_line = on_line,
							  .on_exit = on_exit_,
							  .data = own };
		struct err e;

		uv_loop_init(&loop);
		if (jail_start(&loop, &spec, &callbacks, &own->jail, &e) < 0)
			_exit(1);
		while (!strstr(own->text, "sleeping") && own->exits == 0)
			uv_run(&loop, UV_RUN_ONCE);
		if (write(pipe_[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipe_[1]);
	assert_int_equal(read(pipe_[0], &byte, 1), 1);
	assert_int_equal(processes_with(w->top), 1);
	kill(agent, SIGKILL);
	waitpid(agent, NULL, 0);
	for (int i = 0; i < 18000 && processes_with(w->top) > 0; i++)
		usleep(10000);
	assert_int_equal(processes_with(w->top), 0);
	close(pipe_[0]);
}

/* The child of ours that is a jail's process. */
static pid_t jail_process(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *item;
	pid_t found = 0;

	while ((item = readdir(proc))) {
		char path[300], text[64] = "";
		struct err e;
		CLEANUP(free) char *status = NULL;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", item->d_name);
		CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text)) < 16 ||
		    memcmp(text, "cocos-agent\0jail", 16) != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/status", item->d_name);
		if (file_read_text(path, 65536, &status, &e) < 0)
			continue;
		const char *parent = strstr(status, "PPid:");
		if (parent && atoi(parent + 5) == getpid())
			found = atoi(item->d_name);
	}
	closedir(proc);
	return found;
}

static void kill_jail_process(void *data, int stream, const char *text, size_t len)
{
	pid_t pid = jail_process();

	if (pid > 0)
		kill(pid, SIGKILL);
	on_line(data, stream, text, len);
}

static void a_killed_jail_process_takes_the_run_with_it(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "/task/algorithm", "sleep", w->top, NULL };
	const struct jail_mount mount = { attacker, "/task/algorithm", JAIL_READ, true };
	const struct jail_spec spec = {
		.argv = argv, .env = plain_env, .mounts = &mount, .mount_count = 1, .limits = small
	};
	const struct jail_callbacks callbacks = { .on_line = kill_jail_process,
						  .on_exit = on_exit_,
						  .data = w };
	struct err e;

	assert_ok(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e);
	finish(w);
	ended(w, false, "its process was killed");
	says(w, "sleeping");
	for (int i = 0; i < 18000 && processes_with(w->top) > 0; i++)
		usleep(10000);
	assert_int_equal(processes_with(w->top), 0);
}

static void bad_specs_are_refused_at_once(void **state)
{
	struct world *w = *state;
	const char *const relative[] = { "program", NULL }, *const fine[] = { "/usr/bin/true",
									      NULL };
	const struct jail_mount places[] = {
		{ w->datasets, "/usr", JAIL_READ, false },
		{ w->datasets, "/", JAIL_READ, false },
		{ w->datasets, "/task/../etc", JAIL_READ, false },
		{ "datasets", "/task/d", JAIL_READ, false },
		{ w->datasets, "/task/results", JAIL_WRITE, false },
		{ w->datasets, "/proc", JAIL_READ, false },
		{ w->datasets, "/home", JAIL_LAYER, false },
		{ w->datasets, "/task/d", (enum jail_access)(JAIL_LAYER + 1), false },
	};
	const struct jail_callbacks callbacks = { .on_line = on_line,
						  .on_exit = on_exit_,
						  .data = w };
	struct jail_spec spec = { .argv = relative, .env = plain_env };
	struct err e;

	assert_refused(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e, ERR_INVALID,
		       "absolute path");
	spec.argv = fine;
	spec.mount_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		spec.mounts = &places[i];
		assert_refused(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e,
			       ERR_INVALID, "cannot mount");
	}
	/* Nor may what is in an image's root, whatever that calls it. */
	static const char *const own[] = { "/dev", "/proc", "/sys", "/task", "/tmp",
					   "/",    "/.",    "opt",  "/opt/x" };
	spec.image = true;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct jail_mount place = { w->datasets, own[i], JAIL_READ, false };

		spec.mounts = &place;
		assert_refused(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e,
			       ERR_INVALID, "cannot mount");
	}
	spec.image = false;
	spec.mounts = places;
	spec.mount_count = JAIL_MOUNTS_MAX + 1;
	assert_refused(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e, ERR_EXHAUSTED,
		       "mounts");
	spec.mount_count = 0;
	spec.program = "/no/such/agent";
	assert_refused(jail_start(&w->loop, &spec, &callbacks, &w->jail, &e), e, ERR_UNAVAILABLE,
		       "/no/such/agent");
	assert_int_equal(w->exits, 0);
}

static void a_missing_source_is_told(void **state)
{
	struct world *w = *state;
	const char *const argv[] = { "/usr/bin/true", NULL };
	const struct jail_mount mount = { "/no/such/place", "/task/datasets", JAIL_READ, false };
	const struct jail_spec spec = {
		.argv = argv, .env = plain_env, .mounts = &mount, .mount_count = 1, .limits = small
	};

	start(w, &spec);
	finish(w);
	ended(w, false, "/no/such/place");
	assert_false(w->exit.started);
}

/* ATTACKER, which is read before we are who may not enter the build folder. */
static bool place_attacker(const uint8_t *bytes, size_t len, struct err *e)
{
	CLEANUP(close) int fd = mkstemp(attacker);

	return fd >= 0 && fd_write_all(fd, bytes, len, e) == 0 && fchmod(fd, 0755) == 0;
}

/* One who is only a user makes jails through a user namespace of their own. */
static void become_user(void)
{
	if (geteuid() != 0)
		return;
	assert_int_equal(setresgid(54321, 54321, 54321), 0);
	assert_int_equal(setresuid(54321, 54321, 54321), 0);
	prctl(PR_SET_DUMPABLE, 1); /* else our /proc/self is root's */
}

/* As the agent is in its image, which takes root to become. */
static void become_agent(void)
{
	struct err e;

	if (geteuid() != 0) {
		puts("1..0 # SKIP needs root");
		exit(0);
	}
	assert_ok(users_enter(separation_rights, &e), e);
	prctl(PR_SET_DUMPABLE, 1);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "jail") == 0)
		return jail_main(argc, argv);

	struct err e = { 0 };
	uint8_t *bytes;
	size_t len;

	if (file_read(ATTACKER, 16 << 20, &bytes, &len, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	/* as whoever starts us, as a user, or as the agent of the image */
	if (argc > 1 && strcmp(argv[1], "--as-user") == 0)
		become_user();
	if (argc > 1 && strcmp(argv[1], "--as-agent") == 0)
		become_agent();
	if (!place_attacker(bytes, len, &e)) {
		printf("Bail out! %s: %s\n", attacker, e.text);
		return 1;
	}
	free(bytes);

	const struct CMUnitTest tests[] = {
		ROW(a_program_runs_as_nobody_with_its_arguments),
		ROW(it_has_no_right_at_all),
		ROW(it_is_in_none_of_our_groups),
		ROW(each_mount_has_its_options),
		ROW(each_limit_is_set),
		ROW(every_forbidden_call_is_refused_by_the_filter),
		ROW(with_the_network_it_connects_and_serves_nobody),
		ROW(landlock_alone_leaves_connections_only),
		ROW(other_gates_to_the_kernel_are_closed),
		ROW(it_sees_what_it_was_given_and_nothing_else),
		ROW(the_root_holds_few_things),
		ROW(it_writes_only_where_it_may),
		ROW(it_inherits_nothing_of_ours),
		ROW(results_outlive_the_run),
		ROW(a_link_in_results_leads_nowhere),
		ROW(results_that_only_look_large_stay_small),
		ROW(how_it_ends_is_told),
		ROW(what_is_no_program_is_told),
		ROW(a_fork_bomb_is_bounded),
		ROW(a_memory_bomb_is_bounded),
		ROW(memory_is_counted_over_all_processes),
		ROW(memory_of_sockets_is_counted),
		ROW(what_runs_longer_than_its_time_is_killed),
		ROW(a_groups_limits_are_written_or_it_is_none),
		ROW(without_a_group_less_is_allowed),
		ROW(results_and_scratch_are_bounded),
		ROW(what_is_written_beside_the_data_is_gone_with_the_run),
		ROW(a_layer_leads_nowhere),
		ROW(a_layer_and_the_working_folder_share_the_scratch),
		ROW(where_no_layer_can_be_made_folders_are_read_only_or_nothing_runs),
		ROW(a_long_line_is_cut),
		ROW(a_flood_is_thinned_out_and_can_be_stopped),
		ROW(what_it_leaves_behind_dies_with_it),
		ROW(stop_kills_what_ignores_signals),
		ROW(pid_1_and_outside_are_out_of_reach),
		ROW(many_stops_before_it_has_begun),
		ROW(a_killed_agent_takes_the_run_with_it),
		ROW(a_killed_jail_process_takes_the_run_with_it),
		ROW(bad_specs_are_refused_at_once),
		ROW(a_missing_source_is_told),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(attacker);
	return failed;
}
