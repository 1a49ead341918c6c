/* SPDX-License-Identifier: Apache-2.0 */
/* Where datasets lie. That manifests are refused for it, agent_layout.py shows. */
#include "common/manifest/manifest_place.h"
#include "tests/unit.h"

#include <stdio.h>

#define STOCK   MANIFEST_LAYOUT_STOCK
#define FOLDERS MANIFEST_LAYOUT_FOLDERS

static void each_dataset_has_its_place(void **state)
{
	static const struct {
		const char *name;
		bool unpack, cache;
		enum manifest_layout layout;
		enum manifest_place_kind kind;
		const char *place;
	} cases[] = {
		{ "h1.zip", false, false, STOCK, MANIFEST_PLACE_FILE, "h1.zip" },
		{ "h1.zip", false, false, FOLDERS, MANIFEST_PLACE_FILE, "h1.zip" },
		{ "h1.zip", true, false, STOCK, MANIFEST_PLACE_UNION, "" },
		{ "h1.zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1" },
		{ "h1.ZiP", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1" },
		{ "h1", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1" },
		{ "h1.zip.zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1.zip" },
		{ "h1zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1zip" },
		{ "h1.tar", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "h1.tar" },
		{ ".zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, ".zip" },
		{ "..zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "..zip" },
		{ "...zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "...zip" },
		{ "...x.zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "...x" },
		{ "cache.zip", false, true, STOCK, MANIFEST_PLACE_CACHE, "" },
		{ "cache.zip", true, true, FOLDERS, MANIFEST_PLACE_CACHE, "" },
		{ "cache.zip", false, false, STOCK, MANIFEST_PLACE_FILE, "cache.zip" },
		{ "cache.zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "cache" },
		{ "Cache.zip", true, false, FOLDERS, MANIFEST_PLACE_FOLDER, "Cache" },
		{ "weights", false, true, STOCK, MANIFEST_PLACE_CACHE, "" },
		{ "", false, false, FOLDERS, MANIFEST_PLACE_FILE, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct manifest_place place = manifest_place_of(
			cases[i].layout, cases[i].name, cases[i].unpack, cases[i].cache);

		if (place.kind != cases[i].kind || strcmp(place.name, cases[i].place) != 0)
			fail_msg("'%s' lies in '%s' (%d)", cases[i].name, place.name,
				 (int)place.kind);
	}
}

/* By its mark or its name in the manifest. */
static void the_manifest_says_what_a_cache_is(void **state)
{
	static struct {
		char name[16]; /* lent to a message */
		bool marked, cache;
	} cases[] = {
		{ "cache.zip", false, true },
		{ "weights", true, true },
		{ "", true, true },
		{ "", false, false },
		{ "Cache.zip", false, false },
		{ "cache.zip2", false, false },
		{ "cache.zi", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Cvms__Dataset d = CVMS__DATASET__INIT;

		d.filename = cases[i].name;
		d.cache = cases[i].marked;
		assert_int_equal(manifest_is_cache(&d), cases[i].cache);
	}
}

static void the_longest_name_is_a_place(void **state)
{
	char name[MANIFEST_FILENAME_MAX + 1] = "";

	memset(name, 'x', MANIFEST_FILENAME_MAX);
	const struct manifest_place whole = manifest_place_of(FOLDERS, name, true, false);
	assert_string_equal(whole.name, name);
	memcpy(name + MANIFEST_FILENAME_MAX - 4, ".zip", 4);
	const struct manifest_place stem = manifest_place_of(FOLDERS, name, true, false);
	assert_int_equal(strlen(stem.name), MANIFEST_FILENAME_MAX - 4);
}

static void shared_places_are_nobodys(void **state)
{
	const struct manifest_place h1 = manifest_place_of(FOLDERS, "h1.zip", true, false),
				    file = manifest_place_of(FOLDERS, "h1", false, false),
				    one = manifest_place_of(STOCK, "1.zip", true, false),
				    other = manifest_place_of(STOCK, "2.zip", true, false);

	assert_true(manifest_place_same(&h1, &file));
	assert_false(manifest_place_same(&h1, &one));
	assert_false(manifest_place_same(&one, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_dataset_has_its_place),
		cmocka_unit_test(the_manifest_says_what_a_cache_is),
		cmocka_unit_test(the_longest_name_is_a_place),
		cmocka_unit_test(shared_places_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
