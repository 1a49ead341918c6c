/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/guest_rules.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLE "cocos_guests"

enum { LISTING_MAX = 64 << 10 };

/* What of the table keeps guests off, as nft lists it: the hook, what it sends on, and what is refused there.
 * The rest (ports, the user's number) is the operator's. */
static const struct {
	const char *chain, *text;
} needed[] = {
	{ "output", "type filter hook output priority" },
	{ "output", "jump to_this_host\n" },
	{ "to_this_host", "reject with tcp reset\n" },
	{ "to_this_host", "\t\treject" },
};

static int spawn(const char *nft, int out, pid_t *pid)
{
	char *const argv[] = { (char *)(uintptr_t)nft, (char[]){ "list" }, (char[]){ "table" },
			       (char[]){ "inet" },     (char[]){ TABLE },  NULL };
	char *const environment[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t files;
	int failed = posix_spawn_file_actions_init(&files);

	if (failed)
		return failed;
	failed = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
							  O_WRONLY, 0);
	if (!failed)
		failed = posix_spawn(pid, nft, &files, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	return failed;
}

/* Up to the end. False: it has more than there is room for. */
static bool read_listing(int fd, char listing[LISTING_MAX])
{
	char more;
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < LISTING_MAX - 1) {
		got = read(fd, listing + len, LISTING_MAX - 1 - len);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			len += (size_t)got;
	}
	listing[len] = '\0';
	if (len < LISTING_MAX - 1)
		return true;
	do
		got = read(fd, &more, 1);
	while (got < 0 && errno == EINTR);
	return got <= 0;
}

static int list(const char *nft, char listing[LISTING_MAX], int *status, struct err *e)
{
	CLEANUP(close) int in = -1, out = -1;
	int ends[2];
	bool whole;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, "a pipe for '%s'", nft);
	in = ends[0];
	out = ends[1];
	errno = spawn(nft, out, &pid);
	if (errno)
		return err_errno(e, "run '%s'", nft);
	close(TAKE_FD(out));
	whole = read_listing(in, listing);
	close(TAKE_FD(in)); /* one that has more to say ends by it */
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "wait for '%s'", nft);
	if (!whole)
		return err_set(e, ERR_PRECONDITION,
			       "nftables' table inet " TABLE " lists more than %d KiB, too much to "
			       "check: keep other rules in tables of their own",
			       LISTING_MAX >> 10);
	return 0;
}

/* The chain's text, up to its closing brace; empty if there is none of that name. */
static const char *find_chain(const char *listing, const char *name, size_t *len)
{
	char head[64];
	const char *begin, *end;

	snprintf(head, sizeof(head), "\tchain %s {\n", name);
	begin = strstr(listing, head);
	end = begin ? strstr(begin, "\n\t}") : NULL;
	*len = end ? (size_t)(end + 1 - begin) : 0;
	return begin;
}

int guest_rules_check(const char *nft, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *listing = malloc(LISTING_MAX);
	int status;

	if (!listing)
		return err_nomem(e);
	if (list(nft, listing, &status, e) < 0)
		return err_code(e);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "nftables has no table inet " TABLE
			       ": guests reach every port of this host");
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		const char *text = needed[i].text, *shown = text + strspn(text, "\t");
		size_t len;
		const char *chain = find_chain(listing, needed[i].chain, &len);

		if (!len || !memmem(chain, len, text, strlen(text)))
			return err_set(e, ERR_PRECONDITION,
				       "chain '%s' of nftables' table inet " TABLE
				       " has no '%.*s': guests reach ports of this host",
				       needed[i].chain, (int)strcspn(shown, "\n"), shown);
	}
	return preflight_found(found, "table inet " TABLE " is loaded");
}
