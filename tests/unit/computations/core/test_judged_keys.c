/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests whose keys are judged one at a time: as manifest_check() judges them all at once. */
#include "common/protobuf/protobuf.h"
#include "computations/core/judged_keys.h"
#include "tests/unit.h"
#include "tests/unit_rsa.h"

#include <string.h>

enum { DATASETS = 3, CONSUMERS = 2 };

/* A manifest of its own keys, each of another owner. */
struct room {
	struct judged_keys keys;
	ProtobufCBinaryData own[1 + DATASETS + CONSUMERS], unsound;
	Cvms__ComputationRunReq m;
	Cvms__Algorithm algorithm;
	Cvms__Dataset dataset[DATASETS], *datasets[DATASETS];
	Cvms__ResultConsumer consumer[CONSUMERS], *consumers[CONSUMERS];
	uint8_t hash[MANIFEST_HASH_LEN];
	struct err e;
};

static void make_key(ProtobufCBinaryData *to)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ED25519, &key, &e), e);
	assert_ok(key_to_spki(key, &to->data, &to->len, &e), e);
}

static void make_manifest(struct room *f)
{
	static char names[DATASETS][2] = { "a", "b", "c" };
	static char id[] = "1";
	const ProtobufCBinaryData hash = { sizeof(f->hash), f->hash };

	cvms__computation_run_req__init(&f->m);
	cvms__algorithm__init(&f->algorithm);
	f->m.id = id;
	f->m.algorithm = &f->algorithm;
	f->algorithm.hash = hash;
	f->algorithm.userkey = f->own[0];
	for (size_t i = 0; i < DATASETS; i++) {
		cvms__dataset__init(f->datasets[i] = &f->dataset[i]);
		f->dataset[i].hash = hash;
		f->dataset[i].filename = names[i];
		f->dataset[i].userkey = f->own[1 + i];
	}
	for (size_t i = 0; i < CONSUMERS; i++) {
		cvms__result_consumer__init(f->consumers[i] = &f->consumer[i]);
		f->consumer[i].userkey = f->own[1 + DATASETS + i];
	}
	f->m.datasets = f->datasets;
	f->m.n_datasets = DATASETS;
	f->m.result_consumers = f->consumers;
	f->m.n_result_consumers = CONSUMERS;
}

static int enter(void **state)
{
	struct room *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_LEN(f->own); i++)
		make_key(&f->own[i]);
	unsound_rsa(17, &f->unsound.data, &f->unsound.len);
	make_manifest(f);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct room *f = *state;

	judged_keys_done(&f->keys);
	for (size_t i = 0; i < ARRAY_LEN(f->own); i++)
		free(f->own[i].data);
	free(f->unsound.data);
	free(f);
	return 0;
}

/* How many keys that took. */
static int steps(struct room *f, int *last)
{
	int count = 0;

	while ((*last = judged_keys_step(&f->keys, &f->m, &f->e)) > 0)
		count++;
	return count;
}

static void each_key_is_a_step(void **state)
{
	struct room *f = *state;
	int last;

	assert_int_equal(steps(f, &last), 1 + DATASETS + CONSUMERS);
	assert_ok(last, f->e);
}

static void a_key_is_judged_once(void **state)
{
	struct room *f = *state;
	int last;

	f->algorithm.userkey = f->dataset[1].userkey = f->consumer[0].userkey = f->own[1];
	assert_int_equal(steps(f, &last), DATASETS + CONSUMERS - 2);
	assert_ok(last, f->e);
	/* Also of the next manifest. */
	f->algorithm.userkey = f->own[0];
	assert_int_equal(steps(f, &last), 1);
	assert_ok(last, f->e);
}

static void what_is_wrong_otherwise_takes_no_step(void **state)
{
	struct room *f = *state;
	int last;

	f->dataset[2].filename = f->dataset[0].filename;
	f->dataset[2].hash.len--;
	assert_int_equal(steps(f, &last), 0);
	assert_refused(last, f->e, ERR_INVALID, "datasets[2]: hash: 31 bytes");
	f->dataset[2].hash.len++;
	f->dataset[2].filename = f->dataset[1].filename + 1; /* "" */
	f->dataset[2].userkey.len = 0;
	assert_int_equal(steps(f, &last), 0);
	assert_refused(last, f->e, ERR_INVALID, "datasets[2]: user_key: missing");
}

/* In every place, in the words of manifest_check(); and the next manifest is fine. */
static void an_unsound_key_is_refused_wherever_it_stands(void **state)
{
	struct room *f = *state;
	ProtobufCBinaryData *const places[] = { &f->algorithm.userkey, &f->dataset[0].userkey,
						&f->dataset[DATASETS - 1].userkey,
						&f->consumer[CONSUMERS - 1].userkey };
	struct err all;
	int last;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const ProtobufCBinaryData was = *places[i];

		*places[i] = f->unsound;
		(void)steps(f, &last);
		assert_refused(last, f->e, ERR_INVALID, "not a sound one");
		assert_int_equal(manifest_check(&f->m, &all), -ERR_INVALID);
		assert_string_equal(f->e.text, all.text);
		*places[i] = was;
		(void)steps(f, &last);
		assert_ok(last, f->e);
	}
}

static void nobody_is_asked_for_keys_that_are_too_many(void **state)
{
	struct room *f = *state;
	Cvms__Dataset *many[MANIFEST_DATASETS_MAX + 1];
	char names[MANIFEST_DATASETS_MAX + 1][8];
	Cvms__Dataset *room = calloc(ARRAY_LEN(many), sizeof(*room));
	int last;

	assert_non_null(room);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		room[i] = f->dataset[0];
		room[i].filename = names[i];
		many[i] = &room[i];
	}
	f->m.datasets = many;
	f->m.n_datasets = MANIFEST_DATASETS_MAX + 1;
	assert_int_equal(steps(f, &last), 0);
	assert_refused(last, f->e, ERR_INVALID, "257 of them, the limit is 256");
	f->m.n_datasets--;
	assert_int_equal(steps(f, &last), 2 + CONSUMERS);
	assert_ok(last, f->e);
	free(room);
}

static void a_manifest_without_an_algorithm_has_the_other_keys(void **state)
{
	struct room *f = *state;

	f->m.algorithm = NULL;
	for (size_t i = 0; i < DATASETS + CONSUMERS; i++)
		assert_ptr_equal(manifest_key_at(&f->m, i)->data, f->own[1 + i].data);
	assert_null(manifest_key_at(&f->m, DATASETS + CONSUMERS));
	f->m.algorithm = &f->algorithm;
	assert_ptr_equal(manifest_key_at(&f->m, 0)->data, f->own[0].data);
	assert_non_null(manifest_key_at(&f->m, DATASETS + CONSUMERS));
	assert_null(manifest_key_at(&f->m, 1 + DATASETS + CONSUMERS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_key_is_a_step, enter, leave),
		cmocka_unit_test_setup_teardown(a_key_is_judged_once, enter, leave),
		cmocka_unit_test_setup_teardown(what_is_wrong_otherwise_takes_no_step, enter,
						leave),
		cmocka_unit_test_setup_teardown(an_unsound_key_is_refused_wherever_it_stands, enter,
						leave),
		cmocka_unit_test_setup_teardown(nobody_is_asked_for_keys_that_are_too_many, enter,
						leave),
		cmocka_unit_test_setup_teardown(a_manifest_without_an_algorithm_has_the_other_keys,
						enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
