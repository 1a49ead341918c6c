/* SPDX-License-Identifier: Apache-2.0 */
/* What agents may say of how far they are; what becomes of it, tests/integration/web_progress.py has. */
#include "computations/core/run_progress.h"
#include "computations/store/store.h"
#include "tests/unit.h"

#include <string.h>

enum { ALL = MANIFEST_DATASETS_MAX + 1 };

static struct said {
	Cvms__Progress message;
	Cvms__UploadProgress uploads[ALL + 1], *pointers[ALL + 1];
	Cvms__RunProgress run;
	char id[STORE_ID_MAX + 2];
} a, b;

/* A good one of `count` uploads, and a run. */
static Cvms__Progress *fill(struct said *s, size_t count)
{
	cvms__progress__init(&s->message);
	strcpy(s->id, "c-1");
	s->message.computation_id = s->id;
	s->message.attempt = 1;
	s->message.uploads = s->pointers;
	s->message.n_uploads = count;
	for (size_t i = 0; i < count; i++) {
		cvms__upload_progress__init(&s->uploads[i]);
		s->uploads[i].asset = (uint32_t)i;
		s->uploads[i].received = 5;
		s->pointers[i] = &s->uploads[i];
	}
	cvms__run_progress__init(&s->run);
	s->run.memory_mib = 10;
	s->run.memory_peak_mib = 20;
	s->run.memory_limit_mib = 30;
	s->run.processor_seconds = 40;
	s->message.run = &s->run;
	return &s->message;
}

static void good(const Cvms__Progress *said, const Cvms__Progress *before)
{
	struct err e;

	assert_ok(run_progress_check(said, before, &e), e);
}

static void bad(const Cvms__Progress *said, const Cvms__Progress *before, const char *words)
{
	struct err e;

	assert_refused(run_progress_check(said, before, &e), e, ERR_INVALID, words);
}

static void ids_have_a_length(void **state)
{
	Cvms__Progress *m = fill(&a, 0);

	(void)state;
	m->run = NULL;
	good(m, NULL);
	a.id[0] = '\0';
	bad(m, NULL, "id of 0 bytes");
	memset(a.id, 'x', STORE_ID_MAX);
	a.id[STORE_ID_MAX] = '\0';
	good(m, NULL);
	a.id[STORE_ID_MAX] = 'x';
	bad(m, NULL, "id of 256 bytes");
}

static void assets_rise_and_are_those_that_a_manifest_can_have(void **state)
{
	Cvms__Progress *m = fill(&a, ALL);

	(void)state;
	good(m, NULL);
	bad(fill(&a, ALL + 1), NULL, "258 uploads: at most 257");
	m = fill(&a, 2);
	a.uploads[1].asset = MANIFEST_DATASETS_MAX;
	good(m, NULL);
	a.uploads[1].asset = MANIFEST_DATASETS_MAX + 1;
	bad(m, NULL, "upload 2 is of asset 257");
	a.uploads[1].asset = UINT32_MAX;
	bad(m, NULL, "upload 2 is of asset");
	a.uploads[0].asset = 7;
	a.uploads[1].asset = 7;
	bad(m, NULL, "upload 2 is of asset 7");
	a.uploads[1].asset = 6;
	bad(m, NULL, "upload 2 is of asset 6");
}

static void bytes_are_within_bounds(void **state)
{
	Cvms__Progress *m = fill(&a, 1);
	Cvms__UploadProgress *u = &a.uploads[0];

	(void)state;
	u->received = RUN_PROGRESS_MAX;
	good(m, NULL);
	u->received++;
	bad(m, NULL, "upload of asset 0");
	u->received = u->expected = RUN_PROGRESS_MAX;
	good(m, NULL);
	u->received = RUN_PROGRESS_MAX - 1;
	good(m, NULL);
	u->expected = RUN_PROGRESS_MAX - 2;
	bad(m, NULL, "upload of asset 0");
	u->received = 0;
	u->expected = RUN_PROGRESS_MAX + 1;
	bad(m, NULL, "upload of asset 0");
}

static void a_runs_figures_are_within_bounds(void **state)
{
	uint64_t *const figures[] = { &a.run.memory_limit_mib, &a.run.processor_seconds,
				      &a.run.memory_peak_mib, &a.run.memory_mib };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		Cvms__Progress *m = fill(&a, 0);

		if (figures[i] == &a.run.memory_mib)
			a.run.memory_peak_mib = RUN_PROGRESS_MAX;
		*figures[i] = RUN_PROGRESS_MAX;
		good(m, NULL);
		*figures[i] = RUN_PROGRESS_MAX + 1;
		bad(m, NULL, "of the run");
		*figures[i] = UINT64_MAX;
		bad(m, NULL, "of the run");
		if (figures[i] == &a.run.memory_mib)
			break;
	}
	fill(&a, 0);
	a.run.memory_mib = 20;
	good(&a.message, NULL);
	a.run.memory_mib = 21;
	bad(&a.message, NULL, "more memory than it ever had");
}

static void what_only_rises_falls_with_another_attempt_alone(void **state)
{
	const Cvms__Progress *before = fill(&b, 0);
	Cvms__Progress *m = fill(&a, 0);

	(void)state;
	good(m, before);
	a.run.processor_seconds = 39;
	bad(m, before, "processor of the run fell from 40 to 39");
	m->attempt = 2;
	good(m, before);
	m->attempt = 1;
	strcpy(a.id, "c-2");
	good(m, before);
	m = fill(&a, 0);
	a.run.memory_peak_mib = 19;
	bad(m, before, "peak of the run fell from 20 to 19");
	b.message.run = NULL;
	good(m, before);
	fill(&b, 0);
	a.run.memory_peak_mib = 20;
	a.run.memory_mib = 1;
	a.run.memory_limit_mib = 1;
	good(m, before);
	m->run = NULL;
	good(m, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_have_a_length),
		cmocka_unit_test(assets_rise_and_are_those_that_a_manifest_can_have),
		cmocka_unit_test(bytes_are_within_bounds),
		cmocka_unit_test(a_runs_figures_are_within_bounds),
		cmocka_unit_test(what_only_rises_falls_with_another_attempt_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
