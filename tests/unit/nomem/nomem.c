/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/nomem/nomem.h"

#include "tests/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <openssl/crypto.h>

/* So that shared libraries find them, too. */
#pragma GCC visibility push(default)
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *at);
#pragma GCC visibility pop

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *at);

enum {
	BLOCKS = 1 << 18,     /* places for those that are there */
	LIBRARY_LEFT_MAX = 8, /* what libraries may leave where one of them could not allocate */
	FRAMES_MAX = 24,
};

/* By address: open addressing. */
static struct block {
	void *at;
	const void *caller;
	long number;
} blocks[BLOCKS];
static long made, fail_at = -1, there;
static long watched[2] = { -1, -1 }; /* whose callers are told */
static bool failed_one, failed_library;
static _Thread_local bool counting;

static size_t find(const void *at)
{
	size_t i = ((uintptr_t)at >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 46;

	while (blocks[i].at && blocks[i].at != at)
		i = (i + 1) % BLOCKS;
	return i;
}

static void *keep(void *at, const void *caller, long number)
{
	if (!at)
		return NULL;
	assert_true(there < BLOCKS / 2);
	blocks[find(at)] = (struct block){ at, caller, number };
	there++;
	return at;
}

/* `at` is NULL if it was not there. */
static struct block forget(const void *at)
{
	struct block was = { .at = NULL }, moved;
	size_t i = find(at);

	if (!at || !blocks[i].at)
		return was;
	was = blocks[i];
	blocks[i].at = NULL;
	there--;
	/* what may lie behind because this place was taken */
	for (i = (i + 1) % BLOCKS; blocks[i].at; i = (i + 1) % BLOCKS) {
		moved = blocks[i];
		blocks[i].at = NULL;
		blocks[find(moved.at)] = moved;
	}
	return was;
}

static void forget_all(void)
{
	if (there)
		memset(blocks, 0, sizeof(blocks));
	there = 0;
}

/* ---- who asks for memory ---- */

static bool is_libc(const void *code)
{
	Dl_info info;

	return dladdr(code, &info) && strstr(info.dli_fname, "/libc.so");
}

static bool is_own(const void *code)
{
	Dl_info own, info;

	return dladdr((const void *)(uintptr_t)nomem_each, &own) && dladdr(code, &info) &&
	       info.dli_fbase == own.dli_fbase;
}

/* The C library allocates for its own caller. */
static bool is_library(const void *caller, bool say)
{
	void *frames[FRAMES_MAX];
	bool before = counting;
	int count, i = 0;

	counting = false;
	count = backtrace(frames, FRAMES_MAX);
	while (i < count && frames[i] != caller)
		i++;
	while (i < count && is_libc(frames[i]))
		i++;
	bool own = i == count || is_own(frames[i]);
	if (say) {
		fprintf(stderr, "# the %ld-th allocation:\n", made);
		backtrace_symbols_fd(frames, count, 2);
	}
	counting = before;
	return !own;
}

static bool fails(const void *caller)
{
	if (!counting)
		return false;
	if (made == watched[0] || made == watched[1])
		(void)is_library(caller, true);
	if (made++ != fail_at)
		return false;
	failed_one = true;
	failed_library = is_library(caller, false);
	errno = ENOMEM;
	return true;
}

/* ---- the allocator ---- */

void *malloc(size_t size)
{
	const void *caller = __builtin_return_address(0);

	if (fails(caller))
		return NULL;
	return counting ? keep(__libc_malloc(size), caller, made - 1) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	const void *caller = __builtin_return_address(0);

	if (fails(caller))
		return NULL;
	return counting ? keep(__libc_calloc(count, size), caller, made - 1)
			: __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	const void *caller = __builtin_return_address(0);
	struct block was;
	void *at;

	if (fails(caller))
		return NULL;
	was = forget(old);
	at = __libc_realloc(old, size);
	if (was.at && (at || size))
		keep(at ? at : old, was.caller, was.number);
	else if (!old && counting)
		keep(at, caller, made - 1);
	return at;
}

void free(void *at)
{
	if (there > 0)
		(void)forget(at);
	__libc_free(at);
}

/* ---- attempts ---- */

void nomem_pause(void)
{
	counting = false;
}

void nomem_go_on(void)
{
	counting = true;
}

/* What a thread of OpenSSL has (its queue of errors) goes, too. */
static int run(nomem_fn *attempt, void *data, long n, struct err *e)
{
	int failed;

	forget_all();
	made = 0;
	fail_at = n;
	failed_one = failed_library = false;
	*e = (struct err){ .code = ERR_OK };
	counting = true;
	failed = attempt(data, e);
	OPENSSL_thread_stop();
	counting = false;
	fail_at = -1;
	return failed;
}

static void check(const char *name, long n, int failed, const struct err *e)
{
	if (!failed)
		return;
	if (!e->text[0])
		fail_msg("%s: the %ld-th allocation failed, and no error says so", name, n);
	if (!err_is(failed, e->code))
		fail_msg("%s: the %ld-th allocation failed: %d is returned with %s", name, n,
			 failed, err_code_name(e->code));
	if (!failed_library && e->code != ERR_EXHAUSTED)
		fail_msg("%s: the %ld-th allocation failed, and it is said to be %s: %s", name, n,
			 err_code_name(e->code), e->text);
}

/* How many are left beyond those that libraries may leave, and the number of the first. */
static long count_left(long *first)
{
	long left = 0, theirs = 0;

	*first = -1;
	for (size_t i = 0; i < BLOCKS && left < there; i++) {
		if (!blocks[i].at)
			continue;
		theirs += !is_own(blocks[i].caller);
		left++;
		if (*first < 0 || blocks[i].number < *first)
			*first = blocks[i].number;
	}
	return failed_library && left == theirs && theirs <= LIBRARY_LEFT_MAX ? 0 : left;
}

/* What a library keeps for good is not left the second time. */
static void check_left(const char *name, nomem_fn *attempt, void *data, long n)
{
	struct err e;
	long left, first;

	if (!there)
		return;
	(void)run(attempt, data, -1, &e);
	(void)run(attempt, data, n, &e);
	left = count_left(&first);
	if (!left)
		return;
	watched[0] = n;
	watched[1] = first;
	(void)run(attempt, data, n, &e);
	watched[0] = watched[1] = -1;
	fail_msg("%s: %ld blocks are left (the first is the %ld-th) after the %ld-th allocation "
		 "failed; both are above",
		 name, left, first, n);
}

void nomem_each(const char *name, nomem_fn *attempt, void *data, long stride)
{
	long refused = 0, without = 0, n = 0;
	struct err e;
	void *frames[1];

	(void)backtrace(frames, 1); /* loads what it needs */
	/* libzip has it looked up again and again, and that keeps a copy of each */
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	assert_ok(run(attempt, data, -1, &e), e);
	assert_ok(run(attempt, data, -1, &e), e);
	check_left(name, attempt, data, -1);
	for (;; n += stride) {
		int failed = run(attempt, data, n, &e);

		if (!failed_one)
			break;
		refused += failed != 0;
		without += failed == 0;
		check(name, n, failed, &e);
		check_left(name, attempt, data, n);
	}
	assert_ok(run(attempt, data, -1, &e), e);
	if (!refused)
		fail_msg("%s: no allocation is needed", name);
	print_message(
		"# %s: allocations up to the %ld-th failed, one in %ld: %ld refused, %ld done "
		"without\n",
		name, n - stride, stride, refused, without);
}
