/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider_tsm.h"

#include "attestation/provider/provider.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_PAUSE_MS = 10, NUMBER_MAX = 32 };

/* One collection under way. */
struct entry {
	char *path; /* NULL: it was there, and stays */
	int dir;
	uint64_t generation; /* when it was made */
	unsigned int writes;
};

/* A second try may help. */
static bool passes(int code)
{
	return code == EBUSY || code == EINTR || code == EAGAIN || code == ETIMEDOUT;
}

static int tsm_fault(struct err *e, int code, const char *what)
{
	return err_set(e, passes(code) ? ERR_UNAVAILABLE : ERR_INTERNAL, "configfs-tsm: %s: %s",
		       what, strerror(code));
}

/* The kernel takes a blob when its file is closed, and tells nobody if it did not: what counts is
 * `generation` afterwards. */
static int entry_write(struct entry *entry, const char *name, const void *bytes, size_t len,
		       struct err *e)
{
	int fd = openat(entry->dir, name, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int code;

	if (fd < 0)
		return tsm_fault(e, errno, name);
	do
		n = write(fd, bytes, len);
	while (n < 0 && errno == EINTR);
	code = n < 0 ? errno : (size_t)n != len ? EIO : 0;
	if (close(fd) < 0 && !code)
		code = errno;
	if (code)
		return tsm_fault(e, code, name);
	entry->writes++;
	return 0;
}

/* At most `max` bytes, malloc'ed with a zero behind. `*code` gets errno. */
static uint8_t *read_all(int fd, size_t max, size_t *len, int *code)
{
	CLEANUP(free) uint8_t *bytes = malloc(max + 2);
	size_t have = 0;
	ssize_t n;

	if (!bytes) {
		*code = ENOMEM;
		return NULL;
	}
	do {
		n = read(fd, bytes + have, max + 1 - have);
		if (n > 0)
			have += (size_t)n;
	} while (n > 0 && have <= max);
	*code = n < 0 ? errno : have > max ? EFBIG : 0;
	if (*code)
		return NULL;
	bytes[have] = 0;
	*len = have;
	return TAKE_PTR(bytes);
}

static int entry_read(const struct entry *entry, const char *name, size_t max, uint8_t **bytes,
		      size_t *len, struct err *e)
{
	CLEANUP(close) int fd = openat(entry->dir, name, O_RDONLY | O_CLOEXEC);
	int code = 0;

	if (fd < 0)
		return tsm_fault(e, errno, name);
	*bytes = read_all(fd, max, len, &code);
	return *bytes ? 0 : tsm_fault(e, code, name);
}

/* An attribute that not every TEE has; empty counts as absent. */
static int entry_read_optional(const struct entry *entry, const char *name, uint8_t **bytes,
			       size_t *len, struct err *e)
{
	if (faccessat(entry->dir, name, F_OK, 0) < 0)
		return 0;
	if (entry_read(entry, name, TSM_BLOB_MAX, bytes, len, e) < 0)
		return err_code(e);
	if (*len == 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return 0;
}

static int entry_number(const struct entry *entry, const char *name, uint64_t *value, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len = 0;
	char *end;

	if (entry_read(entry, name, NUMBER_MAX, &text, &len, e) < 0)
		return err_code(e);
	errno = 0;
	*value = strtoull((char *)text, &end, 10);
	if (errno || end == (char *)text || (*end && strcmp(end, "\n") != 0) || text[0] == '-')
		return err_set(e, ERR_DATA_LOSS, "configfs-tsm: %s is no number: %s", name,
			       log_quote((char *)text).text);
	return 0;
}

static void entry_close(struct entry *entry)
{
	if (entry->dir >= 0)
		close(entry->dir);
	if (entry->path)
		rmdir(entry->path);
	free(entry->path);
	*entry = (struct entry){ .dir = -1 };
}

/* -1: there is none. */
static int open_ready(const char *root, const char *name)
{
	CLEANUP(free) char *path = NULL;
	struct err e;

	if (text_format(&path, &e, "%s/%s", root, name) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int entry_open(const char *root, const char *ready, struct entry *entry, struct err *e)
{
	static unsigned int count;
	int failed;

	entry->dir = open_ready(root, ready);
	if (entry->dir >= 0)
		return 0;
	failed = text_format(&entry->path, e, "%s/cocos-%d-%u", root, (int)getpid(), count++);

	if (failed)
		return failed;
	rmdir(entry->path); /* of a keeper that had our number and died */
	if (mkdir(entry->path, 0700) < 0) {
		int code = errno;

		free(TAKE_PTR(entry->path));
		if (code == ENOENT || code == ENOTDIR || code == ENXIO)
			return err_set(e, ERR_NOT_FOUND, "configfs-tsm: '%s': %s", root,
				       strerror(code));
		return tsm_fault(e, code, root);
	}
	entry->dir = open(entry->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (entry->dir < 0) {
		int code = errno;

		entry_close(entry);
		return tsm_fault(e, code, root);
	}
	return 0;
}

static int entry_provider(const struct entry *entry, char name[TSM_NAME_MAX], struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len = 0;

	if (entry_read(entry, "provider", TSM_NAME_MAX - 1, &text, &len, e) < 0)
		return err_code(e);
	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	snprintf(name, TSM_NAME_MAX, "%s", (char *)text);
	return 0;
}

int tsm_provider(const char *root, char name[TSM_NAME_MAX], struct err *e)
{
	struct entry entry = { .dir = -1 };
	int failed = entry_open(root, TSM_READY, &entry, e);

	if (!failed)
		failed = entry_provider(&entry, name, e);
	entry_close(&entry);
	return failed;
}

/* ---- one report ---- */

static int write_privlevel(struct entry *entry, const struct tsm_request *request, struct err *e)
{
	uint64_t level = request->privlevel;
	char text[24];

	if (level == 0 && faccessat(entry->dir, "privlevel_floor", F_OK, 0) == 0 &&
	    entry_number(entry, "privlevel_floor", &level, e) < 0)
		return err_code(e);
	snprintf(text, sizeof(text), "%u", (unsigned int)level);
	return entry_write(entry, "privlevel", text, strlen(text), e);
}

static int write_service(struct entry *entry, const struct tsm_request *request, struct err *e)
{
	if (faccessat(entry->dir, "service_provider", F_OK, 0) < 0)
		return err_set(e, ERR_NOT_FOUND,
			       "configfs-tsm: no service attributes: there is no SVSM, or the "
			       "kernel does not know it");
	if (entry_write(entry, "service_provider", "svsm", strlen("svsm"), e) < 0)
		return err_code(e);
	return entry_write(entry, "service_guid", request->service_guid,
			   strlen(request->service_guid), e);
}

static int check_generation(const struct entry *entry, struct err *e)
{
	uint64_t now;

	if (entry_number(entry, "generation", &now, e) < 0)
		return err_code(e);
	if (now != entry->generation + entry->writes)
		return err_set(e, ERR_UNAVAILABLE,
			       "configfs-tsm: the report is of generation %llu, ours would be %llu",
			       (unsigned long long)now,
			       (unsigned long long)(entry->generation + entry->writes));
	return 0;
}

static int ask(struct entry *entry, const struct tsm_request *request, struct tsm_answer *answer,
	       struct err *e)
{
	char name[TSM_NAME_MAX];
	int failed = entry_provider(entry, name, e);

	if (!failed && strcmp(name, request->provider) != 0)
		failed = err_set(e, ERR_DATA_LOSS, "configfs-tsm: the provider is %s, wanted '%s'",
				 log_quote(name).text, request->provider);
	if (!failed)
		failed = entry_number(entry, "generation", &entry->generation, e);
	if (!failed && request->has_privlevel)
		failed = write_privlevel(entry, request, e);
	if (!failed && request->service_guid)
		failed = write_service(entry, request, e);
	if (!failed)
		failed = entry_write(entry, "inblob", request->inblob, TSM_INBLOB_LEN, e);
	if (!failed)
		failed = check_generation(entry, e);
	if (!failed)
		failed = entry_read(entry, "outblob", TSM_BLOB_MAX, &answer->outblob,
				    &answer->outblob_len, e);
	if (!failed)
		failed = entry_read_optional(entry, "auxblob", &answer->auxblob,
					     &answer->auxblob_len, e);
	if (!failed)
		failed = entry_read_optional(entry, "manifestblob", &answer->manifestblob,
					     &answer->manifestblob_len, e);
	return failed ? failed : check_generation(entry, e);
}

static void pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

int tsm_collect(const struct tsm_request *request, struct tsm_answer *answer, struct err *e)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + PROVIDER_DEADLINE_MS, wait = FIRST_PAUSE_MS;
	int failed;

	for (int i = 0; i < PROVIDER_ATTEMPTS_MAX; i++, wait *= 2) {
		struct entry entry = { .dir = -1 };
		struct tsm_answer got = { 0 };

		if (i > 0 && clock_ms(CLOCK_MONOTONIC) + wait > end)
			break;
		if (i > 0)
			pause_ms(wait);
		failed = entry_open(request->root,
				    request->service_guid ? TSM_READY_SERVICE : TSM_READY, &entry,
				    e);
		if (!failed)
			failed = ask(&entry, request, &got, e);
		entry_close(&entry);
		if (!failed) {
			*answer = got;
			return 0;
		}
		tsm_answer_done(&got);
		if (!err_is(failed, ERR_UNAVAILABLE))
			return failed;
	}
	return err_wrap(e, "given up after %d attempts", PROVIDER_ATTEMPTS_MAX);
}

void tsm_answer_done(struct tsm_answer *answer)
{
	free(answer->outblob);
	free(answer->auxblob);
	free(answer->manifestblob);
	*answer = (struct tsm_answer){ 0 };
}
