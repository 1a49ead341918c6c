/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_bench.c — how long the records of a CVM that is made take: registry_bench ROUNDS DIR [PLACE [shared]]
 *
 * Beside the calls of libvirt these are what CreateVm waits for. DIR: an empty folder; PLACE: of a PostgreSQL server, in place
 * of a file; shared: as beside other managers, with leases. Prints milliseconds, the median of all.
 */
#include "manager/registry/registry_lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char saved[512];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int open_it(char **argv, int argc, struct registry **r, struct err *e)
{
	const struct registry_share share = { .name = "bench",
					      .lease_ms = LEASE_MAX_MS,
					      .vms_max = 1 };
	struct registry_wish wish = { .host = "rack-1",
				      .uri = "qemu+tls://rack-1/system",
				      .wanted = true };
	struct registry_round round;

	if (argc < 5)
		return registry_open(argv[2], argc > 3 ? argv[3] : NULL, r, e);
	if (registry_open_shared(argv[2], argv[3], &share, r, e) < 0 ||
	    registry_lease_round(*r, &wish, 1, &round, e) < 0)
		return err_code(e);
	registry_round_done(&round);
	return wish.held ? 0 : err_set(e, ERR_INTERNAL, "the lease was not to be had");
}

/* As lifecycle.c. */
static int create(struct registry *r, const struct cvm *cvm, struct err *e)
{
	return registry_add(r, cvm, e) < 0 || registry_set_step(r, cvm->id, CVM_DOMAIN, e) < 0 ||
			       registry_set_step(r, cvm->id, CVM_FORWARD, e) < 0 ||
			       registry_save(r, saved, cvm, e) < 0 ||
			       registry_set_step(r, cvm->id, CVM_RUNNING, e) < 0
		       ? err_code(e)
		       : 0;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const long rounds = argc >= 3 && argc <= 5 ? strtol(argv[1], NULL, 10) : 0;
	static struct cvm cvm = { .step = CVM_FILES,
				  .host = "rack-1",
				  .port = 7100,
				  .cpus = 1,
				  .memory = (uint64_t)2 << 30,
				  .name = "ward-7",
				  .image = "base abc",
				  .firmware = "/f.fd",
				  .cmdline = "console=ttyS0",
				  .expected = "{}" };
	struct registry *r = NULL;
	double *times;
	struct err e;

	if (rounds < 1 || rounds > 100000) {
		fputs("registry_bench ROUNDS DIR [PLACE [shared]]\n", stderr);
		return 2;
	}
	times = calloc((size_t)rounds, sizeof(*times));
	snprintf(saved, sizeof(saved), "%s/record.db", argv[2]);
	if (!times || open_it(argv, argc, &r, &e) < 0)
		goto failed;
	for (long i = 0; i < rounds; i++) {
		double began;

		snprintf(cvm.id, sizeof(cvm.id), "00000000-0000-4000-8000-%012u", (unsigned)i);
		unlink(saved);
		began = now();
		if (create(r, &cvm, &e) < 0)
			goto failed;
		times[i] = now() - began;
		if (registry_delete(r, &cvm, &e) < 0)
			goto failed;
	}
	qsort(times, (size_t)rounds, sizeof(*times), compare);
	printf("%.3f\n", times[rounds / 2]);
	free(times);
	if (registry_is_shared(r) && registry_lease_release(r, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	registry_close(r);
	return 0;
failed:
	fprintf(stderr, "%s\n", times ? e.text : "out of memory");
	return 1;
}
