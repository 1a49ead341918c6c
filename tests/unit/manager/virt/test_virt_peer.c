/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_limit.h"
#include "manager/virt/virt_peer.h"
#include "tests/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A connection to a listener of its own; both ends are here. */
struct pair {
	int listener, ours, theirs;
	char uri[256];
};

static void join(struct pair *p, const struct sockaddr *at, socklen_t len)
{
	assert_true(connect(p->ours, at, len) == 0);
	p->theirs = accept(p->listener, NULL, NULL);
	assert_true(p->theirs >= 0);
}

static struct pair by_tcp(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pair p = { .listener = socket(AF_INET, SOCK_STREAM, 0),
			  .ours = socket(AF_INET, SOCK_STREAM, 0) };
	socklen_t len = sizeof(at);

	assert_true(bind(p.listener, (struct sockaddr *)&at, len) == 0);
	assert_true(listen(p.listener, 1) == 0);
	assert_true(getsockname(p.listener, (struct sockaddr *)&at, &len) == 0);
	join(&p, (struct sockaddr *)&at, len);
	snprintf(p.uri, sizeof(p.uri), "qemu+tls://me@127.0.0.1:%u/system?pkipath=/etc/pki",
		 ntohs(at.sin_port));
	return p;
}

static struct pair by_path(const char *dir, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pair p = { .listener = socket(AF_UNIX, SOCK_STREAM, 0),
			  .ours = socket(AF_UNIX, SOCK_STREAM, 0) };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir, name);
	assert_true(bind(p.listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	assert_true(listen(p.listener, 1) == 0);
	join(&p, (struct sockaddr *)&at, sizeof(at));
	snprintf(p.uri, sizeof(p.uri), "qemu+unix:///system?socket=%s", at.sun_path);
	unlink(at.sun_path);
	return p;
}

static void leave(struct pair *p)
{
	close(p->ours);
	close(p->theirs);
	close(p->listener);
}

/* Whoever waits on our end is told that nothing comes any more. */
static bool is_broken(const struct pair *p)
{
	struct pollfd fd = { .fd = p->ours, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void assert_whole(const struct pair *p)
{
	char byte = 'x';

	assert_false(is_broken(p));
	assert_int_equal(write(p->ours, &byte, 1), 1);
	assert_int_equal(read(p->theirs, &byte, 1), 1);
}

static void break_at(const char *uri)
{
	struct virt_peer peer;

	virt_peer_find(&peer, uri, gettid());
	virt_peer_break(&peer);
	virt_peer_done(&peer);
}

/* Of this process's connections those to that host are broken, and no other, whatever the host's URI is. */
static void what_leads_to_it_is_broken_and_nothing_else(void **state)
{
	char dir[] = "/tmp/virt-peer-XXXXXX";

	assert_non_null(mkdtemp(dir));

	struct pair all[] = { by_tcp(), by_tcp(), by_path(dir, "libvirt-sock"),
			      by_path(dir, "libvirt-sock-ro") };
	static const char *const others[] = {
		"qemu+tls://127.0.0.1/system",  "qemu+unix:///system",         "qemu:///system", "",
		"qemu+unix:///system?socket=/", "qemu+ssh://127.0.0.1/system",
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		break_at(others[i]);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		for (size_t j = i; j < ARRAY_LEN(all); j++)
			assert_whole(&all[j]);
		break_at(all[i].uri);
		assert_true(is_broken(&all[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		leave(&all[i]);
	rmdir(dir);
}

/* libvirt chooses between its sockets here, and does not say which it took: those of its daemons for QEMU are broken, unless the
 * URI names one. */
static void a_libvirt_of_this_machine_has_the_usual_sockets(void **state)
{
	char dir[] = "/tmp/virt-peer-XXXXXX", below[64], uri[256];
	static const char *const names[] = { "libvirt-sock", "virtqemud-sock", "libvirt-sock-ro",
					     "virtlogd-sock" };
	static const char *const uris[] = { "qemu:///system", "qemu:///session",
					    "qemu+unix:///system",
					    "qemu+unix:///system?mode=legacy" };

	assert_non_null(mkdtemp(dir));
	snprintf(below, sizeof(below), "%s/libvirt", dir);
	assert_int_equal(mkdir(below, 0700), 0);
	for (size_t u = 0; u < ARRAY_LEN(uris); u++) {
		struct pair other = by_path(dir, names[0]), tcp = by_tcp();

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			struct pair p = by_path(below, names[i]);

			break_at(uris[u]);
			assert_int_equal(is_broken(&p), i < 2);
			leave(&p);
		}
		assert_whole(&other);
		assert_whole(&tcp);
		leave(&other);
		leave(&tcp);
	}

	struct pair usual = by_path(below, names[0]), named = by_path(dir, names[1]);

	snprintf(uri, sizeof(uri), "qemu:///system?socket=%s/x&socket=%s/%s&mode=legacy", dir, dir,
		 names[1]);
	break_at(uri);
	assert_whole(&usual);
	assert_true(is_broken(&named));
	leave(&usual);
	leave(&named);
	rmdir(below);
	rmdir(dir);
}

/* It would be cut at some end, and that one might be another host's. */
static void a_name_that_is_too_long_leads_nowhere(void **state)
{
	struct virt_peer peer;
	char uri[512];

	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=/%0*d", (int)sizeof(peer.path) - 1,
		 1);
	virt_peer_find(&peer, uri, 0);
	assert_string_equal(peer.path, "");
	assert_false(peer.usual);
	uri[strlen(uri) - 1] = '\0';
	virt_peer_find(&peer, uri, 0);
	assert_int_equal(strlen(peer.path), sizeof(peer.path) - 1);
	snprintf(uri, sizeof(uri), "qemu+tls://127.0.0.1:%0*d/system", 256, 16514);
	virt_peer_find(&peer, uri, 0);
	assert_null(peer.addresses);
	virt_peer_done(&peer);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		while (true)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void *make_sleeper(void *data)
{
	*(pid_t *)data = sleeper();
	return NULL;
}

struct other {
	pthread_mutex_t goes;
	sem_t made;
	pid_t child;
};

static void *stay_with_sleeper(void *data)
{
	struct other *other = data;

	make_sleeper(&other->child);
	sem_post(&other->made);
	pthread_mutex_lock(&other->goes);
	pthread_mutex_unlock(&other->goes);
	return NULL;
}

static void the_ssh_of_who_dials_is_ended_and_no_others(void **state)
{
	struct other other = { .goes = PTHREAD_MUTEX_INITIALIZER };
	pid_t mine = sleeper();
	pthread_t thread;
	int status;

	sem_init(&other.made, 0, 0);
	pthread_mutex_lock(&other.goes);
	assert_int_equal(pthread_create(&thread, NULL, stay_with_sleeper, &other), 0);
	while (sem_wait(&other.made) != 0)
		;
	break_at("qemu+tls://127.0.0.1/system");
	assert_int_equal(waitpid(mine, &status, WNOHANG), 0);
	break_at("qemu+ssh://root@127.0.0.1/system");
	assert_int_equal(waitpid(mine, &status, 0), mine);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(waitpid(other.child, &status, WNOHANG), 0);
	pthread_mutex_unlock(&other.goes);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(kill(other.child, SIGKILL), 0);
	assert_int_equal(waitpid(other.child, &status, 0), other.child);
	sem_destroy(&other.made);
}

/* From then on, also what is opened later. */
static void who_is_dialled_no_more_is_broken_off_at_once(void **state)
{
	struct pair first = by_tcp(), later;
	struct virt_limit limit = { 0 };
	struct err e;
	char byte;

	virt_limit_init(&limit);
	assert_ok(virt_limit_begin(&limit, first.uri, &e), e);
	assert_int_equal(virt_limit_end(&limit, 0, &e), 0);
	assert_whole(&first);
	assert_ok(virt_limit_begin(&limit, first.uri, &e), e);
	later = first;
	virt_limit_no_more(&limit);
	assert_int_equal(read(first.ours, &byte, 1), 0);
	later.ours = socket(AF_INET, SOCK_STREAM, 0);

	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	assert_true(getsockname(first.listener, (struct sockaddr *)&at, &len) == 0);
	join(&later, (struct sockaddr *)&at, len);
	assert_int_equal(read(later.ours, &byte, 1), 0);
	err_set(&e, ERR_INTERNAL, "libvirt's words");
	assert_refused(virt_limit_end(&limit, -1, &e), e, ERR_UNAVAILABLE, "not dialled any more");
	assert_refused(virt_limit_begin(&limit, first.uri, &e), e, ERR_UNAVAILABLE,
		       "not dialled any more");
	virt_limit_done(&limit);
	close(later.ours);
	close(later.theirs);
	leave(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_leads_to_it_is_broken_and_nothing_else),
		cmocka_unit_test(a_libvirt_of_this_machine_has_the_usual_sockets),
		cmocka_unit_test(a_name_that_is_too_long_leads_nowhere),
		cmocka_unit_test(the_ssh_of_who_dials_is_ended_and_no_others),
		cmocka_unit_test(who_is_dialled_no_more_is_broken_off_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
