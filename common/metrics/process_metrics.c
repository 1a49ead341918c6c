/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/process_metrics.h"

#include "common/base/file.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { PEM_MAX = 1 << 20, STAT_MAX = 4096 };

DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(DIR *, closedir)

static void gauge(struct metrics_text *t, const char *name, const char *help, double value)
{
	metrics_family(t, name, METRICS_GAUGE, help);
	metrics_sample(t, NULL, value);
}

/* Those of this look itself apart. */
static long count_files(void)
{
	CLEANUP(closedir) DIR *dir = opendir("/proc/self/fd");
	long count = -1;

	if (!dir)
		return -1;
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	return count;
}

/* The fields of /proc/self/stat behind the name, which may hold anything. */
struct process {
	uint64_t start_ticks, virtual_bytes, resident_pages;
};

static bool read_process(struct process *p)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/stat", "re");
	char text[STAT_MAX];
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	const char *behind;

	text[len] = 0;
	behind = strrchr(text, ')');
	return behind &&
	       sscanf(behind + 1,
		      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		      "%*d %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
		      &p->start_ticks, &p->virtual_bytes, &p->resident_pages) == 3;
}

static void write_times(const struct process *p, struct metrics_text *t)
{
	struct timespec now, up;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) == 0) {
		metrics_family(t, "process_cpu_seconds", METRICS_COUNTER,
			       "Processor time that this process used.");
		metrics_sample(t, NULL,
			       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
				       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) /
					       1e6);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	gauge(t, "process_start_time_seconds", "When this process began, since 1970.",
	      (double)(now.tv_sec - up.tv_sec) + (double)p->start_ticks / ticks);
}

void process_metrics_write(struct metrics_text *t)
{
	const struct metrics_label labels[] = { { "version", COCOS_VERSION }, { 0 } };
	long files = count_files();
	struct rlimit limit;
	struct process p;

	metrics_family(t, "cocos_build", METRICS_INFO, "What this program is.");
	metrics_sample(t, labels, 1);
	if (files >= 0)
		gauge(t, "process_open_fds", "Descriptors that are open.", (double)files);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		gauge(t, "process_max_fds", "Descriptors that may be open.",
		      (double)limit.rlim_cur);
	if (!read_process(&p))
		return;
	gauge(t, "process_virtual_memory_bytes", "Address space in use.", (double)p.virtual_bytes);
	gauge(t, "process_resident_memory_bytes", "Memory in use.",
	      (double)p.resident_pages * (double)sysconf(_SC_PAGESIZE));
	write_times(&p, t);
}

/* 0: it can't be read. */
static int64_t end_of(const char *path)
{
	CLEANUP(free) char *pem = NULL;
	CLEANUP(BIO_free_all) BIO *bio = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	struct tm tm = { 0 };
	struct err ignored;

	if (file_read_text(path, PEM_MAX, &pem, &ignored) < 0)
		return 0;
	bio = BIO_new_mem_buf(pem, -1);
	cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!cert || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return 0;
	return timegm(&tm);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Who writes into a file can set its time of modification back, but not that of its change. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

static void look(struct certificate_metric *c)
{
	struct stat now = { 0 };

	if (!c->path || stat(c->path, &now) < 0) {
		c->file = (struct stat){ 0 };
		c->end = 0;
	} else if (!is_same(&now, &c->file)) {
		c->end = end_of(c->path);
		c->file = now;
	}
}

void certificate_metrics_write(struct certificate_metric *certificates, size_t count,
			       struct metrics_text *t)
{
	metrics_family(t, "cocos_certificate_expiry_timestamp_seconds", METRICS_GAUGE,
		       "When a certificate that a setting names ends, since 1970.");
	for (size_t i = 0; i < count; i++) {
		const struct metrics_label labels[] = { { "setting", certificates[i].setting },
							{ 0 } };

		look(&certificates[i]);
		if (certificates[i].end)
			metrics_sample(t, labels, (double)certificates[i].end);
	}
}
