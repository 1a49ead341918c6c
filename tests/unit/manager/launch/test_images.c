/* SPDX-License-Identifier: Apache-2.0 */
/* Several images side by side: which one is launched, what operators do with them, and a kill at any moment of it. */
#include "common/base/encode.h"
#include "manager/launch/launch_policy.h"
#include "manager/launch/lifecycle.h"
#include "tests/unit/attestation/measure/tiny_kernel.h"
#include "tests/unit/folder.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 40 };

static char dir[sizeof(test_folder) + 8], state[sizeof(test_folder) + 8];
static struct config config = { .memory = (uint64_t)512 << 20,
				.max_memory = (uint64_t)512 << 20,
				.image_dir = dir,
				.state_dir = state };
static struct lifecycle l;

/* Images that are read and checked; one of them not before it may. */
static atomic_int opens;
static const char *holds;
static sem_t begun, go_on;
static long hours;    /* that somebody has set the clock forward */
static time_t stands; /* where the time of day stands still; 0: it runs */

int __real_image_open(const char *path, struct image **image, struct err *e);
int __wrap_image_open(const char *path, struct image **image, struct err *e);
int __wrap_image_open(const char *path, struct image **image, struct err *e)
{
	const char *name = strrchr(path, '/') + 1;

	opens++;
	if (holds && strcmp(name, holds) == 0) {
		sem_post(&begun);
		sem_wait(&go_on);
	}
	return __real_image_open(path, image, e);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME && stands)
		*now = (struct timespec){ .tv_sec = stands };
	if (clock == CLOCK_REALTIME)
		now->tv_sec += hours * 3600;
	return result;
}

static const char *in(const char *name)
{
	static char paths[4][160];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s%s", dir, *name ? "/" : "", name);
	return path;
}

static void put(const char *folder, const char *name, const void *bytes, size_t len, char hex[65])
{
	uint8_t sum[SHA256_LEN];
	char path[200];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", in(folder), name);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
	assert_ok(digest(DIGEST_SHA256, bytes, len, sum, &e), e);
	hex_encode(sum, sizeof(sum), hex);
}

/* One whose initrd says that. */
static void make_sized(const char *folder, const char *flavour, const char *says, unsigned mib)
{
	uint8_t kernel[TINY_LEN];
	char kernel_sum[65], initrd_sum[65], sum[65], json[700];
	struct err e;

	assert_ok(dir_make(in(folder), 0700, &e), e);
	tiny_kernel(kernel);
	put(folder, "k", kernel, sizeof(kernel), kernel_sum);
	put(folder, "i", says, strlen(says), initrd_sum);
	snprintf(
		json, sizeof(json),
		"{\"version\":1,\"flavour\":\"%s\",\"cmdline\":\"quiet\",\"min_memory_mib\":%u,"
		"\"cmdline_words\":[],\"shares\":[\"env_share\",\"certs_share\"],\"kernel\":{\"file\":\"k\",\"size\":%d,\"sha256\":\"%s\"},"
		"\"initrd\":{\"file\":\"i\",\"size\":%zu,\"sha256\":\"%s\"}}",
		flavour, mib, TINY_LEN, kernel_sum, strlen(says), initrd_sum);
	put(folder, "image.json", json, strlen(json), sum);
}

static void make(const char *folder, const char *flavour, const char *says)
{
	make_sized(folder, flavour, says, 64);
}

static void set_link(const char *to)
{
	unlink(in("default"));
	assert_int_equal(symlink(to, in("default")), 0);
}

static void begin(void)
{
	struct registry *registry;
	struct err e;

	assert_ok(registry_open(state, NULL, &registry, &e), e);
	assert_ok(lifecycle_init(&l, &config, registry, NULL, NULL, &e), e);
}

static void end(void)
{
	struct registry *registry = l.registry;

	lifecycle_done(&l);
	registry_close(registry);
}

static void two(void)
{
	make("one", "base", "1");
	make("two", "base", "2");
	set_link("one");
}

static int fresh(void **data)
{
	struct err e;

	hours = 0;
	stands = 0;
	return dir_remove(dir, &e) == 0 && dir_remove(state, &e) == 0 && mkdir(dir, 0700) == 0 &&
			       mkdir(state, 0700) == 0
		       ? 0
		       : -1;
}

/* The folder of what a wish gets. */
static const char *chosen(const char *wish)
{
	static char name[IMAGES_FOLDER_MAX + 1];
	struct images_one *one;
	struct err e;

	pthread_mutex_lock(&l.images.lock);
	assert_ok(images_choose(&l.images, wish, &one, &e), e);
	memcpy(name, one->name, sizeof(name));
	pthread_mutex_unlock(&l.images.lock);
	return name;
}

static void refuse(const char *wish, enum err_code code, const char *words)
{
	struct images_one *one;
	struct err e;

	pthread_mutex_lock(&l.images.lock);
	assert_refused(images_choose(&l.images, wish, &one, &e), e, code, words);
	pthread_mutex_unlock(&l.images.lock);
}

static const char *name_of(const char *folder)
{
	static char name[IMAGE_NAME_MAX];
	struct images_one *one;
	struct err e;

	pthread_mutex_lock(&l.images.lock);
	assert_ok(images_open(&l.images, folder, &one, &e), e);
	image_name(one->image, name);
	pthread_mutex_unlock(&l.images.lock);
	return name;
}

static void launch(const char *id, unsigned slot, const char *image)
{
	struct cvm cvm = { .step = CVM_RUNNING,
			   .slot = slot,
			   .port = (uint16_t)(7100 + slot),
			   .created_ms = 1,
			   .cpus = 1,
			   .expected = "{}" };
	struct err e;

	snprintf(cvm.id, sizeof(cvm.id), "%s", id);
	snprintf(cvm.image, sizeof(cvm.image), "%s", image);
	assert_ok(registry_add(l.registry, &cvm, &e), e);
}

#define FIRST  "5b1c6d3e-0000-4000-8000-000000000001"
#define SECOND "5b1c6d3e-0000-4000-8000-000000000002"

static void a_wish_is_a_name_a_flavour_or_a_digest(void **data)
{
	char digest_of_two[IMAGE_NAME_MAX];

	two();
	make("three", "torch", "3");
	make("four", "torch", "4");
	make("five", "python", "5");
	begin();
	assert_string_equal(chosen(""), "one");
	assert_string_equal(chosen("two"), "two");
	assert_string_equal(chosen("base"), "one"); /* the default's flavour */
	assert_string_equal(chosen("python"), "five");
	snprintf(digest_of_two, sizeof(digest_of_two), "%s", name_of("two"));
	assert_string_equal(chosen(digest_of_two), "two");
	refuse("torch", ERR_INVALID, "'torch' is the flavour of ");
	refuse("wasm", ERR_INVALID, "'wasm' is asked for, and none in MANAGER_IMAGE_DIR");
	refuse("../one", ERR_INVALID, "is asked for, and none");
	refuse("default", ERR_INVALID, "is asked for, and none");
	set_link("two"); /* by hand, while the manager runs */
	assert_string_equal(chosen(""), "two");
	assert_string_equal(chosen("base"), "two");
	end();
}

static void one_that_is_not_as_it_says_is_refused_by_name(void **data)
{
	char sum[65];
	struct lifecycle other;
	struct err e;

	two();
	begin();
	put("two", "i", "X", 1, sum);
	refuse("two", ERR_PRECONDITION, "image 'two': ");
	assert_string_equal(chosen("base"), "one");
	put("one", "i", "X", 1, sum);
	refuse("", ERR_PRECONDITION, "image.json");
	refuse("one", ERR_PRECONDITION, "image 'one': ");
	assert_refused(lifecycle_init(&other, &config, l.registry, NULL, NULL, &e), e,
		       ERR_PRECONDITION, "image.json");
	put("one", "i", "1", 1, sum);
	assert_string_equal(chosen(""), "one");
	end();
}

static void a_folder_without_images_says_what_to_do(void **data)
{
	struct image *image;
	struct err e;

	assert_refused(lifecycle_open_image(&config, &image, &e), e, ERR_PRECONDITION,
		       "install an image");
	assert_ok(dir_remove(dir, &e), e);
	assert_refused(lifecycle_open_image(&config, &image, &e), e, ERR_PRECONDITION,
		       "no image.json in");
	assert_int_equal(mkdir(dir, 0700), 0);
	two();
	begin();
	assert_string_equal(chosen(""), "one");
	end();
}

static void without_a_default_nothing_is_guessed(void **data)
{
	static const char *const links[] = { "three", "../images/two", "/etc",
					     ".",     "default",       "two/" };
	struct lifecycle other;
	struct err e;

	two();
	begin();
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		set_link(links[i]);
		refuse("", ERR_PRECONDITION, "'cocos-cli image default NAME'");
		assert_string_equal(chosen("two"), "two");
	}
	unlink(in("default"));
	refuse("", ERR_PRECONDITION, "default");
	refuse("base", ERR_INVALID, "'base' is the flavour of");
	assert_refused(lifecycle_init(&other, &config, l.registry, NULL, NULL, &e), e,
		       ERR_PRECONDITION, "default");
	assert_ok(lifecycle_set_default_image(&l, "two", &e), e);
	assert_string_equal(chosen(""), "two");
	end();
}

static void sixteen(void)
{
	char name[8];

	for (int i = 0; i < IMAGES_MAX; i++) {
		snprintf(name, sizeof(name), "i%02d", i);
		make(name, i == 3 ? "torch" : "base", name);
	}
	set_link("i00");
}

static void of_more_than_sixteen_the_last_are_left_out(void **data)
{
	struct images_found found;
	struct err e;

	sixteen();
	assert_ok(dir_make(in("notes"), 0700, &e), e); /* no image */
	make(".hidden", "base", "x");
	make("UPPER", "base", "x");
	assert_ok(images_find(dir, &found, &e), e);
	assert_int_equal(found.count, IMAGES_MAX);
	assert_int_equal(found.left_out, 0);
	assert_string_equal(found.names[15], "i15");
	make("i16", "base", "x");
	assert_ok(images_find(dir, &found, &e), e);
	assert_int_equal(found.count, IMAGES_MAX);
	assert_int_equal(found.left_out, 1);
	assert_string_equal(found.names[0], "i00");
	assert_string_equal(found.names[15], "i15");
	assert_string_equal(found.first_left_out, "i16");
	make("a", "base", "y"); /* in whatever order the folder gives them */
	set_link("i16");
	assert_ok(images_find(dir, &found, &e), e);
	assert_int_equal(found.count, IMAGES_MAX);
	assert_int_equal(found.left_out, 2);
	assert_string_equal(found.names[0], "a");
	assert_string_equal(found.names[14], "i13");
	assert_string_equal(found.names[15], "i16"); /* the default is never left out */
	assert_string_equal(found.first_left_out, "i14");
}

static void one_too_many_is_in_nobody_s_way(void **data)
{
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	size_t count;
	struct err e;

	sixteen();
	begin();
	assert_string_equal(chosen("torch"), "i03");
	make("i16", "torch", "x");
	make("i17", "base", "x");
	assert_string_equal(chosen(""), "i00");
	assert_string_equal(chosen("base"), "i00");
	assert_string_equal(chosen("i05"), "i05");
	assert_string_equal(chosen("i16"), "i16"); /* by its own name */
	assert_string_equal(chosen(name_of("i05")), "i05");
	refuse("torch", ERR_INVALID, "is the flavour of i03, of i16 and perhaps others");
	refuse("data", ERR_INVALID, "none of the first 16");
	assert_ok(lifecycle_images(&l, rows, &count, &e), e);
	assert_int_equal(count, LIFECYCLE_IMAGES_MAX);
	assert_string_equal(rows[15].problem, "");
	assert_string_equal(rows[16].folder, "i16");
	assert_string_equal(rows[16].name, "");
	assert_non_null(strstr(rows[16].problem, "more than 16 images: this and 1 more"));
	assert_ok(lifecycle_set_default_image(&l, "i17", &e), e);
	assert_string_equal(chosen(""), "i17");
	assert_ok(lifecycle_set_default_image(&l, "i00", &e), e);
	launch(FIRST, 0, name_of("i16"));
	assert_refused(lifecycle_remove_image(&l, "i16", &e), e, ERR_PRECONDITION,
		       "'i16' is used by CVM " FIRST);
	assert_ok(lifecycle_remove_image(&l, "i17", &e), e);
	assert_ok(lifecycle_remove_image(&l, "i15", &e), e);
	assert_ok(lifecycle_images(&l, rows, &count, &e), e);
	assert_int_equal(count, IMAGES_MAX);
	end();
}

/* There are places for twice as many opened ones: beyond that, one that nobody uses gives way. */
static void any_number_is_launched_one_after_the_other(void **data)
{
	char name[8];
	struct err e;
	struct images_one *one, *first;

	sixteen();
	begin();
	pthread_mutex_lock(&l.images.lock);
	for (int i = 16; i < 3 * IMAGES_MAX; i++) {
		snprintf(name, sizeof(name), "i%02d", i);
		make(name, "base", name);
		assert_ok(images_choose(&l.images, name, &one, &e), e);
		assert_string_equal(one->name, name);
	}
	first = one;
	for (int i = 0; i < IMAGES_OPEN_MAX; i++)
		l.images.all[i].launches++;
	assert_ok(images_choose(&l.images, name, &one, &e), e);
	assert_ptr_equal(one, first);
	assert_refused(images_choose(&l.images, "i00", &one, &e), e, ERR_EXHAUSTED,
		       "32 images are in use");
	for (int i = 0; i < IMAGES_OPEN_MAX; i++)
		l.images.all[i].launches--;
	assert_ok(images_choose(&l.images, "i00", &one, &e), e);
	pthread_mutex_unlock(&l.images.lock);
	end();
}

/* Every file of it was written an hour ago. */
static void an_hour_passes(void)
{
	hours++;
}

static void what_is_broken_is_read_once(void **data)
{
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	char sum[65];
	size_t count;
	struct err e;

	two();
	begin();
	stands = time(NULL);
	put("two", "k", "x", 1, sum);
	opens = 0;
	refuse("two", ERR_PRECONDITION, "image.json describes");
	refuse("two", ERR_PRECONDITION, "image.json describes");
	assert_int_equal(opens, 2); /* it was changed just now */
	an_hour_passes();
	refuse("two", ERR_PRECONDITION, "image.json describes");
	assert_int_equal(opens, 3);
	for (int i = 0; i < 5; i++) {
		refuse("two", ERR_PRECONDITION, "image.json describes");
		refuse("torch", ERR_INVALID, "is asked for");
		assert_ok(lifecycle_images(&l, rows, &count, &e), e);
		assert_non_null(strstr(rows[1].problem, "image.json describes"));
	}
	assert_int_equal(opens, 3);
	make("two", "base", "2"); /* put right */
	assert_string_equal(chosen("two"), "two");
	assert_string_equal(chosen("two"), "two");
	assert_int_equal(opens, 4);
	end();
}

/* Whatever may be the cause is part of the verdict: modes, links, and files that are not there. */
static void each_change_of_what_is_broken_is_seen(void **data)
{
	char path[200], other[200];
	struct err e;

	two();
	begin();
	snprintf(path, sizeof(path), "%s/i", in("two"));
	snprintf(other, sizeof(other), "%s/elsewhere", dir);
	assert_int_equal(rename(path, other), 0);
	an_hour_passes();
	refuse("two", ERR_NOT_FOUND, "two/i");
	opens = 0;
	refuse("two", ERR_NOT_FOUND, "two/i");
	assert_int_equal(opens, 0);
	assert_int_equal(symlink("../elsewhere", path), 0);
	assert_string_equal(chosen("two"), "two");
	assert_ok(file_write(other, "9", 1, 0600, &e), e); /* what the link leads to */
	hours++;
	refuse("two", ERR_PRECONDITION, "image.json describes");
	opens = 0;
	refuse("two", ERR_PRECONDITION, "image.json describes");
	assert_int_equal(opens, 0);
	assert_int_equal(chmod(other, 0640), 0);
	refuse("two", ERR_PRECONDITION, "image.json describes");
	assert_int_equal(opens, 1);
	assert_ok(file_write(other, "2", 1, 0600, &e), e);
	assert_string_equal(chosen("two"), "two");
	end();
}

static void *choose_slow(void *data)
{
	assert_string_equal(chosen("slow"), "slow");
	return NULL;
}

static void nobody_waits_for_an_image_that_is_not_his(void **data)
{
	pthread_t first, second;

	two();
	make("slow", "torch", "3");
	begin();
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&go_on, 0, 0), 0);
	opens = 0;
	holds = "slow";
	assert_int_equal(pthread_create(&first, NULL, choose_slow, NULL), 0);
	sem_wait(&begun);
	assert_int_equal(pthread_create(&second, NULL, choose_slow, NULL), 0);
	assert_string_equal(chosen(""), "one");
	assert_string_equal(chosen("two"), "two");
	assert_string_equal(chosen(""), "one");
	sem_post(&go_on);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	holds = NULL;
	assert_int_equal(opens, 2); /* two's and slow's, once */
	end();
}

static void names_are_plain(void **data)
{
	static const char *const bad[] = { "",  "default", ".a",  "-a",      "_a",
					   "A", "a/b",     "a b", "\xc3\xa9" };
	char name[IMAGES_FOLDER_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(images_name_check(bad[i], &e), e, ERR_INVALID, "is no name of one");
	memset(name, 'a', sizeof(name));
	name[IMAGES_FOLDER_MAX + 1] = '\0';
	assert_refused(images_name_check(name, &e), e, ERR_INVALID, "63 at most");
	name[IMAGES_FOLDER_MAX] = '\0';
	assert_ok(images_name_check(name, &e), e);
	assert_ok(images_name_check("2026-11_torch.v1", &e), e);
}

static void a_single_one_is_as_it_was(void **data)
{
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	size_t count;
	struct err e;

	make("", "base", "1");
	begin();
	assert_string_equal(chosen(""), "");
	assert_string_equal(chosen("base"), "");
	refuse("torch", ERR_INVALID, "and this manager launches base ");
	assert_ok(lifecycle_images(&l, rows, &count, &e), e);
	assert_int_equal(count, 1);
	assert_true(rows[0].is_default);
	assert_string_equal(rows[0].folder, "");
	assert_refused(lifecycle_set_default_image(&l, "base", &e), e, ERR_PRECONDITION,
		       "is the folder of one image");
	assert_refused(lifecycle_remove_image(&l, "base", &e), e, ERR_PRECONDITION,
		       "is the folder of one image");
	end();
}

/* What a CVM was launched from stays its own: its record, and the policy in it. */
static void cvms_keep_theirs_when_the_default_is_switched(void **data)
{
	static const char *const ids[] = { FIRST, SECOND };
	static struct cvm made[2], *all;
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	size_t count;
	struct err e;

	two();
	begin();
	for (unsigned i = 0; i < 2; i++) {
		struct images_one *one;

		made[i] = (struct cvm){ .step = CVM_RUNNING,
					.slot = i,
					.port = (uint16_t)(7100 + i),
					.created_ms = 1,
					.cpus = 1,
					.firmware = "OVMF",
					.cmdline = "quiet" };
		snprintf(made[i].id, sizeof(made[i].id), "%s", ids[i]);
		pthread_mutex_lock(&l.images.lock);
		assert_ok(images_choose(&l.images, "", &one, &e), e);
		image_name(one->image, made[i].image);
		assert_ok(launch_policy_compute(one->image, &config, &one->boot, &made[i], &e), e);
		pthread_mutex_unlock(&l.images.lock);
		assert_int_equal(made[i].expected[0], '{');
		assert_ok(registry_add(l.registry, &made[i], &e), e);
		assert_ok(lifecycle_set_default_image(&l, "two", &e), e);
	}
	assert_string_not_equal(made[0].image, made[1].image);
	assert_string_not_equal(made[0].expected, made[1].expected);
	end();
	begin(); /* another manager */
	assert_string_equal(chosen(""), "two");
	assert_ok(registry_list(l.registry, &all, &count, &e), e);
	assert_int_equal(count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(all[i].image, made[i].image);
		assert_string_equal(all[i].expected, made[i].expected);
	}
	free(all);
	assert_ok(lifecycle_images(&l, rows, &count, &e), e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].folder, "one");
	assert_string_equal(rows[0].name, made[0].image);
	assert_int_equal(rows[0].cvms, 1);
	assert_false(rows[0].is_default);
	assert_true(rows[1].is_default);
	assert_string_equal(rows[1].problem, "");
	end();
}

static void what_can_not_be_launched_is_no_default(void **data)
{
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	char sum[65];
	size_t count;
	struct err e;

	two();
	make_sized("large", "base", "3", 513);
	begin();
	put("two", "k", "x", 1, sum);
	assert_refused(lifecycle_set_default_image(&l, "two", &e), e, ERR_PRECONDITION,
		       "image 'two': ");
	assert_refused(lifecycle_set_default_image(&l, "large", &e), e, ERR_INVALID,
		       "MANAGER_MEMORY");
	assert_refused(lifecycle_set_default_image(&l, "three", &e), e, ERR_NOT_FOUND,
		       "no image 'three'");
	assert_refused(lifecycle_set_default_image(&l, "../one", &e), e, ERR_INVALID, "is no name");
	assert_refused(lifecycle_remove_image(&l, "three", &e), e, ERR_NOT_FOUND,
		       "no image 'three'");
	assert_refused(lifecycle_remove_image(&l, "default", &e), e, ERR_INVALID, "is no name");
	assert_string_equal(chosen(""), "one");
	assert_ok(lifecycle_images(&l, rows, &count, &e), e);
	assert_int_equal(count, 3);
	assert_string_equal(rows[0].folder, "large");
	assert_non_null(strstr(rows[0].problem, "513 MiB"));
	assert_string_equal(rows[2].name, "");
	assert_non_null(strstr(rows[2].problem, "image.json"));
	end();
}

static void none_that_is_used_is_removed(void **data)
{
	struct images_one *one;
	struct cvm cvm = { .id = FIRST };
	char sum[65];
	struct err e;

	two();
	make("three", "base", "3");
	begin();
	assert_refused(lifecycle_remove_image(&l, "one", &e), e, ERR_PRECONDITION,
		       "'one' is the default");
	launch(FIRST, 0, name_of("two"));
	launch(SECOND, 1, name_of("one"));
	assert_refused(lifecycle_remove_image(&l, "two", &e), e, ERR_PRECONDITION,
		       "'two' is used by CVM " FIRST);
	/* Not even if nobody can tell any more what it was. */
	put("two", "k", "x", 1, sum);
	assert_refused(lifecycle_remove_image(&l, "two", &e), e, ERR_PRECONDITION,
		       "'two' is used by CVM " FIRST);
	assert_ok(registry_delete(l.registry, &cvm, &e), e);
	assert_ok(lifecycle_remove_image(&l, "two", &e), e);
	assert_int_not_equal(access(in("two"), F_OK), 0);
	/* One that is being launched has no record yet. */
	pthread_mutex_lock(&l.images.lock);
	assert_ok(images_choose(&l.images, "three", &one, &e), e);
	one->launches++;
	pthread_mutex_unlock(&l.images.lock);
	assert_refused(lifecycle_remove_image(&l, "three", &e), e, ERR_PRECONDITION,
		       "that is being launched");
	one->launches--;
	assert_ok(lifecycle_remove_image(&l, "three", &e), e);
	refuse("three", ERR_INVALID, "'three' is asked for");
	end();
}

/* One that is elsewhere stays there. */
static void of_a_link_the_link_is_removed(void **data)
{
	struct err e;

	two();
	assert_int_equal(rename(in("two"), in(".elsewhere")), 0);
	assert_int_equal(symlink(".elsewhere", in("two")), 0);
	begin();
	assert_string_equal(chosen("two"), "two");
	assert_ok(lifecycle_remove_image(&l, "two", &e), e);
	assert_int_not_equal(access(in("two"), F_OK), 0);
	assert_int_equal(access(in(".elsewhere/image.json"), F_OK), 0);
	end();
}

/* It would lead nowhere. */
static void what_the_default_is_a_link_to_stays(void **data)
{
	struct err e;

	two();
	assert_int_equal(symlink("two", in("stable")), 0);
	assert_int_equal(symlink("two", in("tried")), 0);
	set_link("stable");
	begin();
	assert_string_equal(chosen(""), "stable");
	assert_refused(lifecycle_remove_image(&l, "two", &e), e, ERR_PRECONDITION,
		       "'two' is the default");
	assert_ok(lifecycle_remove_image(&l, "tried", &e), e);
	assert_ok(lifecycle_set_default_image(&l, "one", &e), e);
	assert_ok(lifecycle_remove_image(&l, "two", &e), e);
	assert_string_equal(chosen(""), "one");
	end();
}

/* What an earlier manager left when it was killed, at each step. */
static void what_was_left_half_done_is_in_nobody_s_way(void **data)
{
	struct images_found found;
	struct err e;

	two();
	make("three", "base", "3");
	begin();
	assert_int_equal(symlink("two", in(".default")), 0);
	assert_string_equal(chosen(""), "one");
	assert_ok(lifecycle_set_default_image(&l, "two", &e), e);
	assert_string_equal(chosen(""), "two");
	assert_int_equal(rename(in("three"), in(".removed")), 0);
	assert_ok(images_find(dir, &found, &e), e);
	assert_int_equal(found.count, 2);
	assert_ok(lifecycle_remove_image(&l, "one", &e), e);
	assert_int_not_equal(access(in(".removed"), F_OK), 0);
	end();
}

static void switch_for_ever(void)
{
	struct err e;

	for (int i = 0;; i++)
		if (lifecycle_set_default_image(&l, i % 2 ? "one" : "two", &e) < 0)
			_exit(1);
}

/* At whatever moment it is killed, the default is one of both, and can be switched again. */
static void a_kill_leaves_the_old_or_the_new_default(void **data)
{
	struct err e;

	two();
	begin();
	for (unsigned i = 0; i < KILLS; i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			switch_for_ever();
		assert_true(child > 0);
		usleep(200 + 137 * i % 5000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_true(strcmp(chosen(""), "one") == 0 || strcmp(chosen(""), "two") == 0);
		assert_ok(lifecycle_set_default_image(&l, i % 2 ? "one" : "two", &e), e);
		assert_string_equal(chosen(""), i % 2 ? "one" : "two");
	}
	end();
}

static int setup(void **data)
{
	if (folder_make(data) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/images", test_folder);
	snprintf(state, sizeof(state), "%s/state", test_folder);
	return 0;
}

#define ROW(name_) cmocka_unit_test_setup(name_, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_wish_is_a_name_a_flavour_or_a_digest),
		ROW(one_that_is_not_as_it_says_is_refused_by_name),
		ROW(a_folder_without_images_says_what_to_do),
		ROW(without_a_default_nothing_is_guessed),
		ROW(of_more_than_sixteen_the_last_are_left_out),
		ROW(one_too_many_is_in_nobody_s_way),
		ROW(any_number_is_launched_one_after_the_other),
		ROW(what_is_broken_is_read_once),
		ROW(each_change_of_what_is_broken_is_seen),
		ROW(nobody_waits_for_an_image_that_is_not_his),
		ROW(names_are_plain),
		ROW(a_single_one_is_as_it_was),
		ROW(cvms_keep_theirs_when_the_default_is_switched),
		ROW(what_can_not_be_launched_is_no_default),
		ROW(none_that_is_used_is_removed),
		ROW(of_a_link_the_link_is_removed),
		ROW(what_the_default_is_a_link_to_stays),
		ROW(what_was_left_half_done_is_in_nobody_s_way),
		ROW(a_kill_leaves_the_old_or_the_new_default),
	};

	return cmocka_run_group_tests(tests, setup, folder_remove);
}
