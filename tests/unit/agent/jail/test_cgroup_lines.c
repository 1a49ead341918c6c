/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/cgroup_lines.h"
#include "tests/unit.h"

#include <stdio.h>

/* A host with both versions: controllers in version 1, an empty version 2 beside them. */
static const char hybrid_groups[] = "12:pids:/user.slice/user-0.slice\n"
				    "7:memory:/user.slice/a:b\n"
				    "3:cpu,cpuacct:/\n"
				    "2:cpuset:/other\n"
				    "1:name=systemd:/user.slice\n"
				    "0::/user.slice/session-1.scope\n";
static const char hybrid_mounts[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n"
	"33 31 0:30 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,name=memory\n"
	"36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 master:3 - cgroup cgroup "
	"rw,cpu,cpuacct\n"
	"37 31 0:34 / /sys/fs/cgroup/memory rw - cgroup  rw,memory\n"
	"38 31 0:4096 / /sys/fs/cgroup/my\\040pids\\134 rw - cgroup cgroup rw,pids\n";

static struct span span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static int places_of(const char *groups, const char *mounts, struct cgroup_places *places,
		     struct err *e)
{
	memset(places, 0, sizeof(*places));
	return cgroup_lines_places(span(groups), span(mounts), places, e);
}

static void our_groups_are_found_by_their_controllers(void **state)
{
	struct cgroup_places p;
	char own[CGROUP_PATH_MAX];
	struct err e;

	assert_ok(places_of(hybrid_groups, hybrid_mounts, &p, &e), e);
	assert_string_equal(p.of[CGROUP_MEMORY].path, "/sys/fs/cgroup/memory/user.slice/a:b");
	assert_string_equal(p.of[CGROUP_PIDS].path,
			    "/sys/fs/cgroup/my pids\\/user.slice/user-0.slice");
	assert_string_equal(p.of[CGROUP_CPU].path, "/sys/fs/cgroup/cpu,cpuacct/");
	assert_int_equal(p.of[CGROUP_MEMORY].minor, 34);
	assert_int_equal(p.of[CGROUP_PIDS].minor, 4096);
	assert_int_equal(cgroup_lines_unified(span(hybrid_groups), own, &e), 0);
	assert_string_equal(own, "user.slice/session-1.scope");
}

static void what_is_not_there_is_no_error(void **state)
{
	struct cgroup_places p;
	char own[CGROUP_PATH_MAX];
	struct err e;

	assert_ok(places_of("", "", &p, &e), e);
	assert_ok(places_of("0::/\n", hybrid_mounts, &p, &e), e);
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		assert_string_equal(p.of[i].path, "");
	assert_ok(places_of(hybrid_groups, "32 31 0:29 / /sys/fs/cgroup rw - cgroup2 none rw\n", &p,
			    &e),
		  e);
	assert_string_equal(p.of[CGROUP_MEMORY].path, "");
	assert_int_equal(cgroup_lines_unified(span("4:memory:/a\n"), own, &e), 1);
	assert_int_equal(cgroup_lines_unified(span("0::/\n"), own, &e), 0);
	assert_string_equal(own, "");
}

/* Containers see a part of a hierarchy, and a namespace may begin below the group that is mounted. */
static void a_mount_counts_if_our_group_lies_in_it(void **state)
{
	static const struct {
		const char *own, *root, *path;
	} rows[] = {
		{ "/docker/c1", "/docker/c1", "/cg" },
		{ "/docker/c1/sub", "/docker/c1", "/cg/sub" },
		{ "/docker/c10", "/docker/c1", "" },
		{ "/", "/docker/c1", "" },
		{ "/docker", "/docker/c1", "" },
		{ "/", "/", "/cg/" },
		{ "/", "/..", "" },
		{ "/../c2", "/", "" },
		{ "/..", "/", "" },
		{ "/..c2/...", "/", "/cg/..c2/..." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char groups[128], mounts[128];
		struct cgroup_places p;
		struct err e;

		snprintf(groups, sizeof(groups), "4:memory:%s\n", rows[i].own);
		snprintf(mounts, sizeof(mounts), "1 2 0:3 %s /cg rw - cgroup c rw,memory\n",
			 rows[i].root);
		assert_ok(places_of(groups, mounts, &p, &e), e);
		assert_string_equal(p.of[CGROUP_MEMORY].path, rows[i].path);
	}
}

static void the_later_mount_lies_on_top(void **state)
{
	struct cgroup_places p;
	struct err e;

	assert_ok(places_of("4:memory:/a\n",
			    "1 2 0:3 / /one rw - cgroup c rw,memory\n"
			    "4 2 0:3 / /two rw - cgroup c rw,memory\n"
			    "5 2 0:3 /b /three rw - cgroup c rw,memory\n",
			    &p, &e),
		  e);
	assert_string_equal(p.of[CGROUP_MEMORY].path, "/two/a");
}

/* A container's copy of a hierarchy is often one that nothing can be written to. */
static void a_mount_that_is_read_only_makes_no_groups(void **state)
{
	static const char writable[] = "1 2 0:3 / /one rw,nosuid - cgroup c rw,memory\n",
			  *const others[] = { "4 2 0:3 / /two ro,nosuid - cgroup c rw,memory\n",
					      "4 2 0:3 / /two rw - cgroup c ro,memory\n" };
	struct cgroup_places p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char mounts[256];

		snprintf(mounts, sizeof(mounts), "%s%s", writable, others[i]);
		assert_ok(places_of("4:memory:/a\n", mounts, &p, &e), e);
		assert_string_equal(p.of[CGROUP_MEMORY].path, "/one/a");
		assert_ok(places_of("4:memory:/a\n", others[i], &p, &e), e);
		assert_string_equal(p.of[CGROUP_MEMORY].path, "");
	}
}

/* A file that was cut somewhere names no folder that the whole one does not. */
static void no_truncation_names_another_folder(void **state)
{
	struct cgroup_places whole, p;
	struct err e;

	assert_ok(places_of(hybrid_groups, hybrid_mounts, &whole, &e), e);
	for (size_t len = 0; len < strlen(hybrid_mounts); len++) {
		struct span cut = { (const uint8_t *)hybrid_mounts, len };
		bool ends = len == 0 || hybrid_mounts[len - 1] == '\n';

		memset(&p, 0, sizeof(p));
		assert_int_equal(cgroup_lines_places(span(hybrid_groups), cut, &p, &e) == 0, ends);
		for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
			if (p.of[i].path[0])
				assert_string_equal(p.of[i].path, whole.of[i].path);
	}
	for (size_t len = 0; len < strlen(hybrid_groups); len++) {
		struct span cut = { (const uint8_t *)hybrid_groups, len };
		bool ends = len == 0 || hybrid_groups[len - 1] == '\n';

		memset(&p, 0, sizeof(p));
		assert_int_equal(cgroup_lines_places(cut, span(hybrid_mounts), &p, &e) == 0, ends);
		for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
			if (p.of[i].path[0])
				assert_string_equal(p.of[i].path, whole.of[i].path);
	}
}

static void lines_that_the_kernel_does_not_write_are_refused(void **state)
{
	static const char *const groups[] = { "\n",
					      "memory:/a\n",
					      "x:memory:/a\n",
					      ":memory:/a\n",
					      "4294967296:memory:/a\n",
					      "4:memory\n",
					      "4:memory:\n",
					      "4:memory:a\n",
					      "0:memory:/a\n",
					      "4::/a\n" };
	static const char *const mounts[] = {
		"\n",
		"1 2 0:3 / /cg\n",
		"1 2 0:3 / /cg rw cgroup c rw,memory\n",
		"1 2 0:3 / /cg rw - cgroup\n",
		"1 2 0:3 / /cg rw - cgroup c\n",
		"x 2 0:3 / /cg rw - cgroup c rw,memory\n",
		"1 y 0:3 / /cg rw - cgroup c rw,memory\n",
		"1 2 03 / /cg rw - cgroup c rw,memory\n",
		"1 2 0: / /cg rw - cgroup c rw,memory\n",
		"1 2 :3 / /cg rw - cgroup c rw,memory\n",
		"1 2 0:3 / cg rw - cgroup c rw,memory\n",
		"1 2 0:3 a /cg rw - cgroup c rw,memory\n",
		"1 2 0:3 / /c\\04 rw - cgroup c rw,memory\n",
		"1 2 0:3 / /c\\048 rw - cgroup c rw,memory\n",
		"1 2 0:3 / /c\\000 rw - cgroup c rw,memory\n",
		"1 2 0:3 / /c\\400 rw - cgroup c rw,memory\n",
	};
	struct cgroup_places p;
	char own[CGROUP_PATH_MAX];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		assert_refused(places_of(groups[i], hybrid_mounts, &p, &e), e, ERR_INVALID,
			       "cgroup: line 1: ");
		assert_refused(cgroup_lines_unified(span(groups[i]), own, &e), e, ERR_INVALID,
			       "cgroup: line 1: ");
	}
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		assert_refused(places_of(hybrid_groups, mounts[i], &p, &e), e, ERR_INVALID,
			       "mountinfo: line 1: ");
	const struct span zero = { (const uint8_t *)"0::/\0\n", 6 };
	assert_refused(cgroup_lines_places(zero, span(""), &p, &e), e, ERR_INVALID, "a zero byte");
	assert_refused(cgroup_lines_unified(zero, own, &e), e, ERR_INVALID, "a zero byte");
}

/* `count` times `piece` between a head and a tail. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	size_t len = strlen(piece);
	char *text = malloc(strlen(head) + count * len + strlen(tail) + 1), *at;

	assert_non_null(text);
	at = stpcpy(text, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, piece);
	strcpy(at, tail);
	return text;
}

static void limit(const char *groups, char *mounts, const char *refused)
{
	struct cgroup_places p;
	struct err e;

	int failed = places_of(groups, mounts, &p, &e);
	free(mounts);
	if (refused)
		assert_refused(failed, e, ERR_EXHAUSTED, refused);
	else
		assert_ok(failed, e);
}

static void each_limit_is_kept(void **state)
{
	static const char other[] = "1 2 0:3 / / rw - ext4 x rw\n", own[] = "4:memory:/\n",
			  head[] = "1 2 0:3 / /", tail[] = " rw - cgroup c rw,memory\n",
			  ours[] = "1 2 0:3 / /cg rw - cgroup c rw,memory\n",
			  line[] = "1 2 0:3 / / rw - ext4 x ";
	const size_t rest = CGROUP_LINE_MAX - strlen(line);

	limit(own, repeated("", other, CGROUP_LINES_MAX, ""), NULL);
	limit(own, repeated("", other, CGROUP_LINES_MAX + 1, ""), "more than 16384 lines");
	limit(own, repeated("", ours, CGROUP_MOUNTS_MAX, ""), NULL);
	limit(own, repeated("", ours, CGROUP_MOUNTS_MAX + 1, ""), "more than 64 control groups");
	limit(own, repeated(line, "x", rest, "\n"), NULL);
	limit(own, repeated(line, "x", rest + 1, "\n"), "more than 32768 bytes");
	/* the slash at its begin is one, the zero another; the group's own slash a third */
	limit("4:pids:/\n", repeated(head, "x", CGROUP_PATH_MAX - 2, tail), NULL);
	limit("4:pids:/\n", repeated(head, "x", CGROUP_PATH_MAX - 1, tail), "a path of 1024 bytes");
	limit("4:pids:/\n", repeated(head, "\\170", CGROUP_PATH_MAX - 2, tail), NULL);
	limit(own, repeated(head, "x", CGROUP_PATH_MAX - 3, tail), NULL);
	limit(own, repeated(head, "x", CGROUP_PATH_MAX - 2, tail), "a group's path of 1024");
	/* as many lines of half the longest as the text may have */
	const size_t half = CGROUP_LINE_MAX / 2;
	char *long_line = repeated(line, "x", half - strlen(line) - 1, "\n");
	limit(own, repeated("", long_line, CGROUP_TEXT_MAX / half, ""), NULL);
	limit(own, repeated("", long_line, CGROUP_TEXT_MAX / half, "\n"),
	      "more than 4194304 bytes");
	free(long_line);
	char *groups = repeated("4:memory:/", "x", CGROUP_PATH_MAX - 2, "\n");
	limit(groups, strdup(""), NULL);
	free(groups);
	groups = repeated("4:memory:/", "x", CGROUP_PATH_MAX - 1, "\n");
	limit(groups, strdup(""), "cgroup: line 1: a path of 1024 bytes");
	free(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_groups_are_found_by_their_controllers),
		cmocka_unit_test(what_is_not_there_is_no_error),
		cmocka_unit_test(a_mount_counts_if_our_group_lies_in_it),
		cmocka_unit_test(the_later_mount_lies_on_top),
		cmocka_unit_test(a_mount_that_is_read_only_makes_no_groups),
		cmocka_unit_test(no_truncation_names_another_folder),
		cmocka_unit_test(lines_that_the_kernel_does_not_write_are_refused),
		cmocka_unit_test(each_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
